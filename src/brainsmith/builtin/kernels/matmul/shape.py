"""What a configuration makes of the matrix-vector unit: widths, stages, storage.

The figures of the SystemVerilog's local parameters are derived here once more, since the cost
models need them; the tests compare both by simulation.
"""

from __future__ import annotations

from dataclasses import dataclass

from brainsmith.api import IntType, KernelConfig
from brainsmith.builtin.kernels.common.constants import LUT_INPUTS, constants_in_block

# The largest product, in bits of both operands, for which LUTs are the better multiplier.
_LUT_PRODUCT_BITS = 10
# The smallest product that Yosys puts into a DSP block; it has none for ice40.
_LEAST_DSP_BITS = {"ecp5": 4, "xc7": 9, "xcup": 9}
# Beats from which on the input buffer is a block RAM; ice40 has no memory in LUTs.
_BLOCK_BUFFER_BEATS = {"ecp5": 64, "ice40": 1, "xc7": 64, "xcup": 64}


@dataclass(frozen=True, slots=True)
class Shape:
    """A configuration of the matrix-vector unit, resolved.

    Attributes:
        K, M, PE, SIMD: sizes and folding.
        x, w, y: datatypes.
        lut_inputs: inputs of the family's LUT.
        weights_block: the weights lie in block RAM.
        buffer_block: the input buffer lies in block RAM.
        dsp: products are made in DSP blocks.
        levels_per_stage: levels of adders between two registers.
        product_range: least and greatest product of an input and a weight.
    """

    K: int
    M: int
    PE: int
    SIMD: int
    x: IntType
    w: IntType
    y: IntType
    lut_inputs: int
    weights_block: bool
    buffer_block: bool
    dsp: bool
    levels_per_stage: int
    product_range: tuple[int, int]

    @classmethod
    def of(cls, config: KernelConfig) -> Shape:
        """The shape of a configuration, with `auto` decided."""
        x, w = config.dtypes["x"], config.dtypes["w"]
        K, M, PE, SIMD = config.dims["K"], config.dims["M"], config.pe, config.simd
        beats = K // SIMD
        depth, width = beats * (M // PE), PE * SIMD * w.bits
        style = str(config.params.get("ram_style", "auto"))
        return cls(
            K=K,
            M=M,
            PE=PE,
            SIMD=SIMD,
            x=x,
            w=w,
            y=config.dtypes["y"],
            lut_inputs=LUT_INPUTS[config.family],
            weights_block=constants_in_block(style, config.family, width, depth),
            buffer_block=M > PE and beats > _BLOCK_BUFFER_BEATS[config.family],
            dsp=_dsp(config, x, w),
            levels_per_stage=int(config.params.get("levels_per_stage", 1)),
            product_range=_product_range(config),
        )

    @property
    def beats(self) -> int:
        """Input beats of a vector (SF)."""
        return self.K // self.SIMD

    @property
    def passes(self) -> int:
        """Times that a vector is walked through (NF)."""
        return self.M // self.PE

    @property
    def depth(self) -> int:
        """Words of the weight memory."""
        return self.beats * self.passes

    @property
    def count(self) -> bool:
        """Whether lane products are bits, so that a dot product is a count of ones."""
        one_bit = self.x.bits == self.w.bits == 1
        return one_bit and (self.x.signed, self.x.bipolar) == (self.w.signed, self.w.bipolar)

    @property
    def acc_bits(self) -> int:
        """Bits of the accumulator; a count of XNORs has its lowest bit, that of K, elsewhere."""
        return self.y.bits - (self.count and self.x.bipolar)

    @property
    def lanes(self) -> int:
        """Lanes whose products make one term of the adder tree."""
        if self.count:
            return 18 if self.lut_inputs >= 6 else 7
        return max(1, self.lut_inputs // (self.x.bits + self.w.bits))

    @property
    def terms(self) -> int:
        """Terms of a processing element's adder tree."""
        return -(-self.SIMD // self.lanes)

    @property
    def term_range(self) -> tuple[int, int]:
        """Least and greatest value of a term."""
        lanes = min(self.lanes, self.SIMD)
        if self.count:
            return 0, lanes
        low, high = self.product_range
        return min(0, lanes * low), max(0, lanes * high)

    @property
    def term_signed(self) -> bool:
        return self.term_range[0] < 0

    @property
    def term_bits(self) -> int:
        """Bits of a term; sums are kept modulo the accumulator's width."""
        return min(IntType.covering(*self.term_range).bits, self.acc_bits)

    @property
    def levels(self) -> int:
        """Levels of the adder tree."""
        return (self.terms - 1).bit_length()

    @property
    def stages(self) -> int:
        """Cycles from the issue of a beat to the accumulation of its partial sum."""
        return 2 + self.weights_block - (-self.levels // self.levels_per_stage)

    @property
    def slots(self) -> int:
        """Beats of the output buffer: enough for the round trip of a credit."""
        needed = -(-(self.stages + 2) // self.beats)
        return 1 << (needed - 1).bit_length()


def _dsp(config: KernelConfig, x: IntType, w: IntType) -> bool:
    if min(x.bits, w.bits) == 1:
        return False
    if config.family == "ice40" or x.bits + w.bits < _LEAST_DSP_BITS[config.family]:
        return False
    choice = config.params.get("multiplier", "auto")
    return choice == "dsp" if choice != "auto" else x.bits + w.bits > _LUT_PRODUCT_BITS


def _product_range(config: KernelConfig) -> tuple[int, int]:
    bounds = []
    for port in ("x", "w"):
        dtype = config.dtypes[port]
        bounds.append(config.ranges.get(port, (dtype.min, dtype.max)))
    products = [a * b for a in bounds[0] for b in bounds[1]]
    return min(products), max(products)
