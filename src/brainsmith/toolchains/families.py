"""Device families: how Yosys is asked to map to them, and what their cells cost.

The look-up tables are counted as a device spends them:

- xc7, xcup: LUT1..LUT6 and INV one each, a LUT used as memory as many as its primitive occupies
  (UG953, UG974), SRLs one each. CARRY4 and MUXF7/8 lie beside the LUTs and cost none. BRAM counts
  18 kbit units: RAMB36 is two.
- ecp5: LUT4 one, CCU2C two, TRELLIS_DPR16X4 six, and four for each carry chain, by which nextpnr
  gets the carry in and out of the chain. PFUMX and L6MUX21 join LUTs and cost none. The sum is
  nextpnr's TRELLIS_COMB, less the two that drive a design's constants. BRAM: DP16KD (18 kbit).
- ice40: SB_LUT4 one, and SB_CARRY one where no SB_LUT4 shares its inputs. BRAM: SB_RAM40_4K
  (4 kbit).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from brainsmith.errors import TargetError, nearest

Cells = Mapping[str, int]
# What the JSON netlist of Yosys says of each cell: its type and the nets of its ports.
CellRecords = Iterable[Mapping[str, Any]]

# Mapping for area with structural choices. Against Yosys' default script on a dot product of 16
# lanes with a ROM in LUTs, and on a popcount of 49 inputs for 4 outputs (LUTs, seconds of abc9):
# xc7 1043 and 455 for 1244 and 475, ecp5 1388 and 534 for 2362 and 913, in a third of the time.
# With &mfs behind it, 1 to 3 % fewer LUTs and three times as long. The clock that nextpnr reaches
# on the popcount differs by 6 %.
MAP = "&dch,-f;&if,{W},{R},-a,-v"


@dataclass(frozen=True)
class Family:
    """A device family.

    Args:
        name: as targets name it.
        command: Yosys' synthesis, without I/O pads and clock buffers.
        models: Verilog of the primitives, below Yosys' share folder.
        boxes: primitives without a model there, only their ports.
        weights: LUTs of each primitive.
        counts: primitives (by prefix) that count as FF, DSP and BRAM, and how much each.
        extra: LUTs that depend on how cells are connected.
    """

    name: str
    command: str
    models: tuple[str, ...]
    boxes: tuple[str, ...]
    weights: Mapping[str, int]
    counts: Mapping[str, Mapping[str, int]]
    extra: Callable[[CellRecords], int]

    def resources(self, cells: Cells, records: CellRecords) -> dict[str, int]:
        """LUT, FF, DSP and BRAM of a netlist."""
        luts = sum(self.weights.get(cell, 0) * count for cell, count in cells.items())
        result = {"LUT": luts + self.extra(records)}
        for resource, prefixes in self.counts.items():
            result[resource] = sum(
                count * weight
                for cell, count in cells.items()
                for prefix, weight in prefixes.items()
                if cell.startswith(prefix)
            )
        return result


def _no_extra(records: CellRecords) -> int:
    return 0


def _carry_chains(records: CellRecords) -> int:
    """Four LUTs for each CCU2C whose carry does not come from another one."""
    carries = [cell["connections"] for cell in records if cell["type"] == "CCU2C"]
    driven = {_bit(ports, "COUT") for ports in carries}
    return 4 * sum(_bit(ports, "CIN") not in driven for ports in carries)


def _lone_carries(records: CellRecords) -> int:
    """Carries that no LUT with the same two inputs and the same carry in can share a cell with."""
    luts: Counter[tuple[object, ...]] = Counter()
    carries: Counter[tuple[object, ...]] = Counter()
    for cell in records:
        ports = cell["connections"]
        if cell["type"] == "SB_LUT4":
            luts[tuple(_bit(ports, name) for name in ("I1", "I2", "I3"))] += 1
        elif cell["type"] == "SB_CARRY":
            carries[tuple(_bit(ports, name) for name in ("I0", "I1", "CI"))] += 1
    return sum(max(0, count - luts[key]) for key, count in carries.items())


def _bit(ports: Mapping[str, list[object]], name: str) -> object:
    bits = ports.get(name)
    return bits[0] if bits else None


_XILINX_LUTS = {
    **{f"LUT{inputs}": 1 for inputs in range(1, 7)},
    "INV": 1,
    "RAM32X1S": 1,
    "RAM64X1S": 1,
    "RAM32X1D": 2,
    "RAM64X1D": 2,
    "RAM128X1D": 4,
    "RAM256X1D": 8,
    "RAM32M": 4,
    "RAM64M": 4,
    "RAM32M16": 8,
    "RAM64M8": 8,
    "RAM64X8SW": 8,
    "SRL16": 1,
    "SRL16E": 1,
    "SRLC16E": 1,
    "SRLC32E": 1,
}
_XILINX_COUNTS = {
    "FF": {"FD": 1},
    "DSP": {"DSP48": 1},
    "BRAM": {"RAMB18": 1, "RAMB36": 2},
}


def _xilinx(name: str) -> Family:
    return Family(
        name,
        f"synth_xilinx -family {name} -noiopad -noclkbuf",
        ("xilinx/cells_sim.v",),
        ("xilinx/cells_xtra.v",),
        _XILINX_LUTS,
        _XILINX_COUNTS,
        _no_extra,
    )


FAMILIES: Mapping[str, Family] = {
    "ecp5": Family(
        "ecp5",
        "synth_lattice -family ecp5 -noiopad",
        ("lattice/cells_sim_ecp5.v",),
        ("lattice/cells_bb_ecp5.v",),
        {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 6},
        {"FF": {"TRELLIS_FF": 1}, "DSP": {"MULT18X18D": 1}, "BRAM": {"DP16KD": 1}},
        _carry_chains,
    ),
    "ice40": Family(
        "ice40",
        "synth_ice40 -device u",
        ("ice40/cells_sim.v",),
        (),
        {"SB_LUT4": 1},
        {"FF": {"SB_DFF": 1}, "DSP": {"SB_MAC16": 1}, "BRAM": {"SB_RAM40_4K": 1}},
        _lone_carries,
    ),
    "xc7": _xilinx("xc7"),
    "xcup": _xilinx("xcup"),
}


def family(name: str) -> Family:
    """The family called `name`; raises TargetError if there is none."""
    if name not in FAMILIES:
        raise TargetError(f"unknown device family '{name}'", hint=nearest(name, FAMILIES))
    return FAMILIES[name]
