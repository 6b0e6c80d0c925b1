"""Place and route: clock, utilization, critical path, designs that do not fit."""

from __future__ import annotations

import pytest

from brainsmith.errors import TargetError, ToolError
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.hdl import Hdl
from brainsmith.toolchains.nextpnr import Device, place_and_route
from brainsmith.toolchains.process import BuildLog
from brainsmith.toolchains.yosys import link, link_one, synthesize, synthesize_all

pytestmark = pytest.mark.slow

ECP5 = Device("ecp5-25k", "ecp5", "25k", "CABGA381", "6")
ICE40 = Device("ice40-up5k", "ice40", "up5k", "sg48")


def test_ecp5_out_of_context(cache: BuildCache, chain) -> None:
    parts, top, unit = chain
    netlists = synthesize_all(parts, "ecp5", cache=cache)
    linked = link(parts, netlists, top, unit, "ecp5", cache=cache)
    log = BuildLog()
    placed = place_and_route(linked, unit, ECP5, clock_mhz=100, cache=cache, log=log)
    assert 20 < placed.fmax_mhz < 500
    used, available = placed.utilization["TRELLIS_COMB"]
    # Our count of LUTs is nextpnr's, but for the two that drive the constants.
    assert used - linked.resources["LUT"] in (0, 1, 2)
    assert available == 24288
    assert placed.utilization["TRELLIS_FF"][0] == linked.resources["FF"]
    assert set(placed.critical_instances) <= {"first", "second", "dot"}
    assert placed.critical_instances
    assert "clk-to-q" in placed.critical_path[0]
    again = place_and_route(linked, unit, ECP5, clock_mhz=100, cache=cache, log=log)
    assert again == placed
    assert [call.cached for call in log.calls] == [False, True]


def test_ice40_in_a_harness(cache: BuildCache, dot) -> None:
    case = dot(lanes=2, beats=4)
    netlist = synthesize(case.hdl, case.unit, "ice40", cache=cache)
    linked = link_one(netlist, cache=cache)
    placed = place_and_route(linked, case.unit, ICE40, clock_mhz=24, cache=cache)
    used, available = placed.utilization["ICESTORM_LC"]
    assert available == 5280
    assert linked.resources["LUT"] <= used <= linked.resources["LUT"] + linked.resources["FF"] + 20
    assert 5 < placed.fmax_mhz < 150
    assert "harness" in placed.notes[0]


def test_a_design_that_does_not_fit_says_what_is_needed(cache: BuildCache, dot) -> None:
    case = dot(lanes=32, beats=256, style="block")
    netlist = synthesize(case.hdl, case.unit, "ecp5", cache=cache)
    assert netlist.resources["DSP"] == 32
    linked = link_one(netlist, cache=cache)
    with pytest.raises(TargetError, match=r"MULT18X18D +needs +32 +there are +28"):
        place_and_route(linked, case.unit, ECP5, clock_mhz=100, cache=cache)


def test_an_unknown_device_and_another_family(cache: BuildCache, sources: Hdl, fifo) -> None:
    linked = link_one(synthesize(sources, fifo(), "ecp5", cache=cache), cache=cache)
    unknown = Device("ecp5-26k", "ecp5", "26k", "CABGA381")
    with pytest.raises(ToolError, match="placement on ecp5-26k"):
        place_and_route(linked, fifo(), unknown, clock_mhz=100, cache=cache)
    with pytest.raises(ToolError, match="cannot be placed on ice40-up5k"):
        place_and_route(linked, fifo(), ICE40, clock_mhz=24, cache=cache)
