"""A kernel that keeps the wire contract and computes nothing."""

from brainsmith.api import KernelConfig, RTLOp, backend, kernel


@kernel(name="Zeros", operation_type="thresholding", version="1.0.0")
class Zeros:
    @backend("rtl", default=True)
    def rtl(self, config: KernelConfig) -> RTLOp:
        widths = {"IN": config.stream("x").width, "OUT": config.stream("y").width}
        return RTLOp("zeros", ["zeros.sv"], widths)

    def latency(self, configs: list[KernelConfig]) -> list[int]:
        return [0] * len(configs)
