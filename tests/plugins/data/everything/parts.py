"""An operation, a kernel whose cost models refuse one folding, a target."""

import os
from typing import ClassVar

import numpy as np

from brainsmith.api import (
    ConfigurationError,
    Loop,
    Match,
    NoMatch,
    Resources,
    RTLOp,
    backend,
    kernel,
    operation,
    param,
    stream_in,
    stream_out,
    target,
)


@operation(name="twice", description="y = x + x")
class Twice:
    loops = (Loop("N"), Loop("C", fold="PE"))
    ports = (stream_in("x", "N", "C"), stream_out("y", "N", "C"))

    def match(self, node):
        if node.op_type == "Relu":
            raise ValueError("a Relu is too much for it")
        if node.op_type != "MatMul":
            return NoMatch(f"{node.op_type} is no MatMul")
        x = node.inputs[0]
        statics = {"w": node.inputs[1].constant.astype(np.int64)}
        return Match({"N": 1, "C": x.shape[-1]}, {"x": x.name}, statics, {"who": os.getpid()})

    def infer(self, match, ranges):
        return {"y": ranges["x"]}

    def facts(self, config):
        return {"channels": config.dims["C"]}

    def extremes(self, config):
        return {"x": np.full((1, config.dims["N"], config.dims["C"]), 7)}

    def reference(self, config, inputs):
        inputs["x"] *= 2
        return {"y": inputs["x"]}


@kernel(name="Twice", operation_type="twice")
class TwiceKernel:
    constraints: ClassVar = {"min_C": 2}
    style = param("auto", choices=("auto", "block"))

    def __init__(self):
        self.calls = 0

    @backend("rtl")
    def rtl(self, config):
        self.calls += 1
        return RTLOp("twice", ["twice.sv"], {"PE": np.int64(config.pe), "WHO": os.getpid()})

    def interval(self, configs):
        if any(config.pe == 3 for config in configs):
            raise ConfigurationError("not three", hint="two or four")
        return np.array([config.cycles for config in configs])

    def resources(self, configs):
        return [Resources(LUT=np.float32(config.pe)) for config in configs]


@target(name="tiny", description="a very small device")
class Tiny:
    family = "ice40"
    clock_mhz = 12.0
    resources: ClassVar = {"LUT": 100, "FF": 100, "DSP": 0, "BRAM": 4}
    place: ClassVar = {"device": "hx1k", "package": "vq100"}

    def method(self):
        return 1
