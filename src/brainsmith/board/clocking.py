"""Clocks: the PLL that makes the clock that was asked for from a board's oscillator.

Each family's PLL is searched for the frequency that is nearest and not above. Limits of the PLLs:
ECP5 and ECP5-5G Family Data Sheet (FPGA-DS-02012), iCE40 sysCLOCK PLL Design and User Guide
(FPGA-TN-02052), Gowin GW2AR data sheet (DS226) and rPLL in UG286.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from brainsmith.errors import TargetError

# Nobody needs a clock closer than this to the one that was asked for, in parts of it.
_NEAR = 0.1


@dataclass(frozen=True)
class Clock:
    """A clock and the hardware that makes it.

    Attributes:
        mhz: its frequency.
        instance: SystemVerilog that drives `clock` and `locked` from `clk`.
        box: the primitive without contents, as SystemVerilog; "" where none is used.
    """

    mhz: float
    instance: str
    box: str = ""

    @property
    def hz(self) -> int:
        """The frequency in Hz."""
        return round(self.mhz * 1e6)


def direct(mhz: float) -> Clock:
    """The oscillator itself."""
    return Clock(mhz, "  assign clock = clk;\n  assign locked = 1'b1;")


def clock(family: str, oscillator_mhz: float, wanted_mhz: float) -> Clock:
    """The clock nearest to `wanted_mhz` and not above it.

    Raises:
        TargetError: the family's PLL makes none within a tenth of it.
    """
    if oscillator_mhz == wanted_mhz:
        return direct(oscillator_mhz)
    found = max(_SEARCH[family](oscillator_mhz, wanted_mhz), key=_frequency, default=None)
    if found is None or found.mhz < wanted_mhz * (1 - _NEAR):
        nearest = "" if found is None else f"; the nearest is {found.mhz:g} MHz"
        raise TargetError(
            f"the PLL makes no clock of {wanted_mhz:g} MHz from {oscillator_mhz:g} MHz{nearest}",
            where="--clock-mhz",
        )
    return found


def _frequency(found: Clock) -> float:
    return found.mhz


def _ecp5(oscillator: float, wanted: float) -> Iterator[Clock]:
    """out = oscillator / input * feedback; the oscillator inside runs at out * output."""
    for ref in range(1, int(oscillator / 3.125) + 1):
        feedback = int(wanted * ref / oscillator + 1e-9)
        mhz = oscillator * feedback / ref
        output = int(600 / mhz + 0.5) if feedback else 0
        if 1 <= feedback <= 128 and 1 <= output <= 128 and 400 <= mhz * output <= 800:
            yield Clock(mhz, _ehxplll(ref, feedback, output), _EHXPLLL)


def _ehxplll(ref: int, feedback: int, output: int) -> str:
    return f"""\
  (* ICP_CURRENT="12" *) (* LPF_RESISTOR="8" *)
  (* MFG_ENABLE_FILTEROPAMP="1" *) (* MFG_GMCREF_SEL="2" *)
  EHXPLLL #(
    .CLKI_DIV({ref}), .CLKFB_DIV({feedback}), .CLKOP_DIV({output}),
    .CLKOP_CPHASE({max(0, output // 2 - 1)}),
    .CLKOP_ENABLE("ENABLED"), .FEEDBK_PATH("CLKOP")
  ) pll (
    .CLKI(clk), .CLKFB(clock), .CLKOP(clock), .LOCK(locked), .RST(1'b0), .STDBY(1'b0),
    .PHASESEL0(1'b0), .PHASESEL1(1'b0), .PHASEDIR(1'b1), .PHASESTEP(1'b1), .PHASELOADREG(1'b1),
    .PLLWAKESYNC(1'b0), .ENCLKOP(1'b0)
  );"""


_EHXPLLL = """\
(* blackbox *)
module EHXPLLL #(
  parameter CLKI_DIV = 1, CLKFB_DIV = 1, CLKOP_DIV = 8, CLKOP_CPHASE = 0, CLKOP_FPHASE = 0,
  parameter CLKOP_ENABLE = "ENABLED", FEEDBK_PATH = "CLKOP", OUTDIVIDER_MUXA = "DIVA",
  parameter PLLRST_ENA = "DISABLED", INTFB_WAKE = "DISABLED", STDBY_ENABLE = "DISABLED",
  parameter DPHASE_SOURCE = "DISABLED"
) (
  input logic CLKI, CLKFB, RST, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG,
  input logic PLLWAKESYNC, ENCLKOP,
  output logic CLKOP, LOCK
);
endmodule
"""


def _ice40(oscillator: float, wanted: float) -> Iterator[Clock]:
    """out = oscillator / (r + 1) * (f + 1) / 2^q, the oscillator inside between 533 and 1066."""
    for ref in range(1, int(oscillator / 10) + 1):
        for output in range(1, 7):
            feedback = int(wanted * (1 << output) * ref / oscillator + 1e-9)
            feedback = min(128, feedback, int(1066 * ref / oscillator))
            inside = oscillator * feedback / ref
            if feedback and 533 <= inside <= 1066 and oscillator / ref <= 133:
                band = _filter_range(oscillator / ref)
                yield Clock(
                    inside / (1 << output), _sb_pll40(ref, feedback, output, band), _SB_PLL40
                )


def _filter_range(mhz: float) -> int:
    """As the clock of the phase detector asks for it."""
    return sum(mhz >= limit for limit in (17, 26, 44, 66, 101)) + 1


def _sb_pll40(ref: int, feedback: int, output: int, band: int) -> str:
    return f"""\
  SB_PLL40_PAD #(
    .FEEDBACK_PATH("SIMPLE"), .DIVR(4'd{ref - 1}), .DIVF(7'd{feedback - 1}), .DIVQ(3'd{output}),
    .FILTER_RANGE(3'd{band})
  ) pll (
    .PACKAGEPIN(clk), .PLLOUTGLOBAL(clock), .LOCK(locked), .RESETB(1'b1), .BYPASS(1'b0)
  );"""


_SB_PLL40 = """\
(* blackbox *)
module SB_PLL40_PAD #(
  parameter FEEDBACK_PATH = "SIMPLE",
  parameter [3:0] DIVR = 0, parameter [6:0] DIVF = 0, parameter [2:0] DIVQ = 0,
  parameter [2:0] FILTER_RANGE = 0
) (
  input logic PACKAGEPIN, RESETB, BYPASS,
  output logic PLLOUTGLOBAL, LOCK
);
endmodule
"""

_SEARCH: Mapping[str, Callable[[float, float], Iterator[Clock]]] = {"ecp5": _ecp5, "ice40": _ice40}
