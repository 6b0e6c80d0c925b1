"""`bs_accumulators` as a configuration has it."""

from __future__ import annotations

from dataclasses import dataclass

from brainsmith.api import KernelConfig
from brainsmith.builtin.kernels.common.memories import ram_style


@dataclass(frozen=True)
class Accumulators:
    """The parameters of the module.

    Attributes:
        max: maxima, else sums.
        lanes: accumulators of a beat.
        folds: beats of them.
        count: terms of each.
        term_bits: of a term.
        bits: of an accumulator.
        style: where they lie if there are several beats: "distributed", "block" or "logic".
    """

    max: bool
    lanes: int
    folds: int
    count: int
    term_bits: int
    bits: int
    style: str

    @classmethod
    def of(
        cls,
        config: KernelConfig,
        *,
        term_bits: int,
        bits: int,
        greatest: bool = False,
        asked: str = "auto",
    ) -> Accumulators:
        """Those of a configuration with the dimensions K and C, C folded by PE.

        Args:
            config: of the kernel.
            term_bits: of a term.
            bits: of an accumulator.
            greatest: maxima, else sums.
            asked: the style, or "auto" for what is cheaper on the device.
        """
        lanes, folds = config.pe, config.dims["C"] // config.pe
        if (config.family, asked) == ("ice40", "distributed"):
            style = "logic"
        else:
            style = ram_style(asked, config.family, lanes * bits, folds, config.node)
        return cls(greatest, lanes, folds, config.dims["K"], term_bits, bits, style)

    @property
    def latency(self) -> int:
        """Cycles from the last term to the result."""
        return 1 if self.folds == 1 else 2
