"""What a board is: pins, oscillator and serial line. A board is data, so a plugin can bring one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# What a line is set to where a board's own rate is too fast for its clock.
RATES = (3_000_000, 2_000_000, 1_500_000, 1_000_000, 921_600, 460_800, 230_400, 115_200)
# Clock cycles that the shell needs for a bit.
CYCLES_A_BIT = 8

# Both become words of sources and commands.
_Pin = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
_Loader = Annotated[str, StringConstraints(pattern=r"^(\w[\w.-]*)?$", max_length=60)]


class Board(BaseModel):
    """A board around a device.

    Attributes:
        oscillator_mhz: on the pin `clk`.
        baud: the fastest rate of its serial line, which is on the pins `rx` (into the device) and
            `tx`.
        constraints: the pins, as the family's nextpnr reads them (.lpf, .pcf or .cst). Each port of
            the top is named there: `clk`, `rx`, `tx`, `led` if there is one, and those of `drive`.
        led: how the light on the pin `led`, which shows that a request is worked on, is lit.
        drive: further pins that need a constant level, by name.
        loader: what openFPGALoader calls the board.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    oscillator_mhz: float = Field(gt=0)
    baud: int = Field(gt=0)
    constraints: str
    led: Literal["none", "high", "low"] = "none"
    drive: Mapping[_Pin, Literal[0, 1]] = Field(default_factory=dict)
    loader: _Loader = ""

    def rate(self, clock_hz: int) -> int:
        """The rate of the line at a clock."""
        fastest = min(self.baud, clock_hz // CYCLES_A_BIT)
        if fastest == self.baud:
            return fastest
        return next((rate for rate in RATES if rate <= fastest), fastest)
