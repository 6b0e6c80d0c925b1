"""Transforms of every form, and one that does what none may do."""

import os
import random
import sys
from pathlib import Path

import numpy as np
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.base import Transformation

from brainsmith.api import Model, Note, PluginError, param, transform


@transform(name="OnModel", stage="graph_cleanup")
class OnModel:
    compatible_kernels = ("Twice",)
    prefix = param("n")

    def apply(self, model, config):
        for number, node in enumerate(model.graph):
            node.name = f"{config.params['prefix']}{number}"
        first = next(iter(model.graph)).outputs[0]
        model.set_range(first, 0, 1)
        model.notes.append(Note("n0", "it was here"))
        model.add_initializer("seen", np.random.rand(2).astype(np.float32))
        model.ir.metadata_props["random"] = str(random.random())
        return model


@transform(name="OnWrapper", stage="graph_cleanup")
class OnWrapper:
    def apply(self, model: ModelWrapper, config):
        model.set_metadata_prop("wrapped", type(model).__name__)
        return model


@transform(name="OnProto", stage="graph_cleanup")
class OnProto:
    def apply(self, model: "onnx.ModelProto", config):  # noqa: F821
        model.doc_string = type(model).__name__
        return model


@transform(name="Redefine", stage="graph_cleanup")
class Redefine:
    redefines = True

    def apply(self, model, config):
        model.ir.doc_string = "redefined"
        config.step("redefine", 1)
        config.advance()
        return model


class OfQonnx(Transformation):
    def __init__(self, text="none"):
        super().__init__()
        self.text = text

    def apply(self, model):
        model.set_metadata_prop("text", self.text)
        return model, False


@transform(name="Misbehave", stage="graph_cleanup")
class Misbehave:
    how = param("not at all")

    def apply(self, model: Model, config):
        if config.params["how"] == "return nothing":
            return None
        found = getattr(self, config.params["how"].replace(" ", "_"))(model)
        return model if found is None else found

    def not_at_all(self, model):
        pass

    def return_a_list(self, model):
        return [model]

    def drop_an_output(self, model):
        del model.graph.outputs[0]

    def add_an_input(self, model):
        model.graph.inputs.append(model.graph.inputs[0].__class__(name="more"))

    def reshape_an_output(self, model):
        model.graph.outputs[0].shape = type(model.graph.outputs[0].shape)([7, 7])

    def make_a_cycle(self, model):
        nodes = list(model.graph)
        nodes[0].replace_input_with(0, nodes[-1].outputs[0])

    def hold_nan(self, model):
        model.add_initializer("nan", np.array([np.nan], np.float32))

    def raise_an_error(self, model):
        del list(model.graph)[99]

    def raise_one_of_brainsmith(self, model):
        raise PluginError("it will not", where="its own place", hint="try another")

    def leave(self, model):
        sys.exit(0)

    def vanish(self, model):
        os._exit(0)

    def crash(self, model):
        os.abort()

    def read_a_secret(self, model):
        Path("/etc/passwd").read_text()

    def hang(self, model):
        while True:
            pass

    def forge_the_model(self, model):
        from brainsmith.plugins import inside

        inside.pack = lambda model: {"not": "a model"}

    def forge_bytes(self, model):
        from brainsmith.sandbox import codec

        codec.dumps = lambda value: [b"BSDATA\x00\x01" + bytes(100)]

    def refer_to_a_file(self, model):
        import dataclasses

        import onnx

        from brainsmith.plugins import inside

        pack = inside.pack

        def packed(model):
            bundle = pack(model)
            proto = onnx.ModelProto.FromString(bundle.proto.tobytes())
            tensor = proto.graph.initializer.add(name="stolen", data_type=1, dims=[4])
            tensor.data_location = onnx.TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value="/etc/passwd")
            data = np.frombuffer(proto.SerializeToString(), np.uint8)
            return dataclasses.replace(bundle, proto=data)

        inside.pack = packed
