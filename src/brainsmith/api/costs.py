"""What a kernel costs: estimates that are tested against synthesis and simulation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resources:
    """Primitives of a device.

    LUT: 4-input (ecp5, ice40) or up to 6-input (xc7, xcup) look-up tables, those used as memory
    and carry included. FF: flip-flops. DSP: multiplier blocks. BRAM: block RAMs of 18 kbit
    (xc7, xcup, ecp5) or 4 kbit (ice40).
    """

    LUT: float = 0
    FF: float = 0
    DSP: float = 0
    BRAM: float = 0

    def __add__(self, other: Resources) -> Resources:
        return Resources(
            self.LUT + other.LUT, self.FF + other.FF, self.DSP + other.DSP, self.BRAM + other.BRAM
        )

    def as_dict(self) -> dict[str, float]:
        return {"LUT": self.LUT, "FF": self.FF, "DSP": self.DSP, "BRAM": self.BRAM}
