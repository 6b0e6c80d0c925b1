"""What a configuration makes of the matrix-vector unit: widths, stages, storage.

The figures of the SystemVerilog's local parameters are derived here once more, since the cost
models need them; the tests compare both by simulation.
"""

from __future__ import annotations

from dataclasses import dataclass

from brainsmith.api import IntType, KernelConfig

LUT_INPUTS = {"ecp5": 4, "ice40": 4, "xc7": 6, "xcup": 6}
# How many LUTs of a family one of its block RAMs is worth: about the ratio of both on its parts.
_LUTS_PER_BRAM = {"ecp5": 400, "ice40": 170, "xc7": 190, "xcup": 190}
# The largest product, in bits of both operands, for which LUTs are the better multiplier.
_LUT_PRODUCT_BITS = 10
_BLOCK_BUFFER_DEPTH = 64


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

    @classmethod
    def of(cls, config: KernelConfig) -> Shape:
        """The shape of a configuration, with `auto` decided."""
        x, w = config.dtypes["x"], config.dtypes["w"]
        K, M, PE, SIMD = config.dims["K"], config.dims["M"], config.pe, config.simd
        depth, width = (K // SIMD) * (M // PE), PE * SIMD * w.bits
        return cls(
            K=K,
            M=M,
            PE=PE,
            SIMD=SIMD,
            x=x,
            w=w,
            y=config.dtypes["y"],
            lut_inputs=LUT_INPUTS[config.family],
            weights_block=_weights_block(config, depth, width),
            buffer_block=M > PE and K // SIMD > _BLOCK_BUFFER_DEPTH,
            dsp=_dsp(config, x, w),
            levels_per_stage=int(config.params.get("levels_per_stage", 2)),
        )

    @property
    def xnor(self) -> bool:
        """Products are XNORs of bits, and sums are counts of ones."""
        return self.x.bipolar and self.w.bipolar

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
    def lanes(self) -> int:
        """Lanes whose products are added by plain logic."""
        bits = self.x.bits + self.w.bits
        if bits > 3:
            return 1
        if bits == 3:
            return 2 if self.lut_inputs >= 6 else 1
        return 3

    @property
    def groups(self) -> int:
        """Terms of a processing element's adder tree."""
        return -(-self.SIMD // self.lanes)

    @property
    def levels(self) -> int:
        """Levels of the adder tree."""
        return (self.groups - 1).bit_length()

    @property
    def product_register(self) -> bool:
        """Whether a register lies between the lane products and the tree."""
        return not (self.lanes > 1 and self.levels > 0 and self.levels_per_stage > 1)

    @property
    def stages(self) -> int:
        """Cycles from the issue of a beat to the accumulation of its partial sum."""
        levels = self.levels + (not self.product_register)
        tree = -(-levels // self.levels_per_stage)
        return 1 + self.weights_block + self.product_register + tree

    @property
    def slots(self) -> int:
        """Beats of the output buffer: enough for the round trip of a credit."""
        needed = -(-(self.stages + 2) // self.beats)
        return 1 << (needed - 1).bit_length()


def _weights_block(config: KernelConfig, depth: int, width: int) -> bool:
    style = config.params.get("ram_style", "auto")
    if style != "auto":
        return style == "block"
    family = config.family
    per_lut = 1 << LUT_INPUTS[family]
    luts = width * -(-depth // per_lut)
    if family == "ice40":
        brams = -(-width // 16) * -(-depth // 256)
    else:
        brams = -(-width // 36) * -(-depth // 512)
    return luts > _LUTS_PER_BRAM[family] * brams


def _dsp(config: KernelConfig, x: IntType, w: IntType) -> bool:
    if min(x.bits, w.bits) == 1:
        return False
    choice = config.params.get("multiplier", "auto")
    if choice != "auto":
        return choice == "dsp"
    return config.family != "ice40" and x.bits + w.bits > _LUT_PRODUCT_BITS
