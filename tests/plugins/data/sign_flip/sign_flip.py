"""y = -x, element by element: what a plugin brings that no built-in operation computes."""

from brainsmith.api import (
    Loop,
    Match,
    NoMatch,
    RTLOp,
    backend,
    kernel,
    operation,
    stream_in,
    stream_out,
)


@operation(name="negate", description="y = -x")
class Negate:
    loops = (Loop("N"), Loop("C", fold="PE"))
    ports = (stream_in("x", "N", "C"), stream_out("y", "N", "C"))

    def match(self, node):
        if node.op_type != "Neg":
            return NoMatch("not a Neg")
        x = node.inputs[0]
        if x.dtype is None:
            return NoMatch("x is a float", close=True)
        rows = 1
        for size in x.shape[:-1]:
            rows *= size
        ports = {"x": x.name, "y": node.outputs[0].name}
        return Match(dims={"N": rows, "C": x.shape[-1]}, ports=ports)

    def infer(self, match, ranges):
        low, high = ranges["x"]
        return {"y": (-high, -low)}

    def reference(self, config, inputs):
        return {"y": -inputs["x"]}


@kernel(name="SignFlip", operation_type="negate")
class SignFlip:
    @backend("rtl")
    def rtl(self, config):
        x, y = config.stream("x"), config.stream("y")
        signed = int(config.dtypes["x"].signed)
        sizes = {"LANES": x.elements, "X_BITS": x.bits, "X_SIGNED": signed, "Y_BITS": y.bits}
        return RTLOp("sign_flip", ["sign_flip.sv"], sizes)

    def latency(self, configs):
        return [0] * len(configs)
