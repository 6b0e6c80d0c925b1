"""A matmul kernel as a contributor writes it: one class, one module of SystemVerilog."""

import numpy as np

from brainsmith.api import KernelConfig, RTLOp, backend, kernel, requires


@kernel(
    name="FlashAttention",
    operation_type="matmul",
    description="Matrix products from one memory of weights, a word of it a cycle",
    author="community-member",
    version="2.0.0",
    license="Apache-2.0",
    tags=["attention", "gemm"],
)
@requires("numpy>=1.20")
class FlashAttentionKernel:
    """PE outputs from SIMD inputs a cycle; the inputs of a row are kept for its further outputs."""

    constraints = {"max_K": 10, "supported_x_dtypes": ["UINT2", "UINT4", "INT4"]}  # noqa: RUF012

    @backend("rtl", default=True)
    def rtl(self, config: KernelConfig) -> RTLOp:
        x, w = config.dtypes["x"], config.static("w")
        K, M = w.shape
        PE, SIMD = config.pe, config.simd
        bits = max(int(w.max()).bit_length(), int(-w.min() - 1).bit_length() if w.min() < 0 else 0)
        # (outputs' folds, PE, inputs' folds, SIMD): one word for each fold of both.
        words = w.T.reshape(M // PE, PE, K // SIMD, SIMD).transpose(0, 2, 1, 3)
        flat = words.reshape(-1, PE * SIMD, 1) >> np.arange(bits + 1) & 1
        return RTLOp(
            top="flash_attention",
            sources=["flash_attention.sv"],
            parameters={
                "K_FOLDS": K // SIMD,
                "M_FOLDS": M // PE,
                "PE": PE,
                "SIMD": SIMD,
                "X_BITS": x.bits,
                "X_SIGNED": int(x.signed),
                "W_BITS": bits + 1,
                "Y_BITS": config.stream("y").bits,
            },
            memories={"WEIGHTS": flat.reshape(len(flat), -1)},
        )
