"""What cells cost."""

from __future__ import annotations

import pytest

from brainsmith.errors import TargetError
from brainsmith.toolchains.families import family


def cell(kind: str, **ports: int) -> dict[str, object]:
    return {"type": kind, "connections": {name: [net] for name, net in ports.items()}}


def test_xilinx_counts_memory_luts_and_18_kbit_units() -> None:
    cells = {"LUT6": 10, "LUT2": 3, "INV": 1, "RAM32M": 2, "SRL16E": 4, "CARRY4": 9, "MUXF7": 2}
    cells |= {"FDRE": 7, "FDSE": 1, "RAMB18E1": 1, "RAMB36E1": 2, "DSP48E1": 3}
    assert family("xc7").resources(cells, []) == {"LUT": 26, "FF": 8, "DSP": 3, "BRAM": 5}


def test_ecp5_counts_carry_chains_once() -> None:
    chain = [cell("CCU2C", CIN=1, COUT=2), cell("CCU2C", CIN=2, COUT=3), cell("CCU2C", CIN=3)]
    records = [*chain, cell("CCU2C", CIN=1, COUT=9)]
    assert family("ecp5").resources({"CCU2C": 4, "LUT4": 5, "PFUMX": 2}, records)["LUT"] == 21


def test_ice40_counts_carries_without_a_lut_of_their_own() -> None:
    records = [
        cell("SB_LUT4", I1=1, I2=2, I3=3),
        cell("SB_CARRY", I0=1, I1=2, CI=3),
        cell("SB_CARRY", I0=5, I1=2, CI=3),
    ]
    assert family("ice40").resources({"SB_LUT4": 1, "SB_CARRY": 2}, records)["LUT"] == 2


def test_an_unknown_family_names_the_nearest() -> None:
    with pytest.raises(TargetError, match="did you mean 'ecp5'"):
        family("ecp6")
