"""Synthesis of parts, the cache, linking."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from brainsmith.errors import ToolError
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.hdl import Hdl, Source, Unit
from brainsmith.toolchains.parts import Part
from brainsmith.toolchains.process import BuildLog
from brainsmith.toolchains.yosys import link, link_one, synthesize, synthesize_all

pytestmark = pytest.mark.slow


def calls(log: BuildLog) -> list[str]:
    return [call.purpose for call in log.calls if call.tool == "yosys" and not call.cached]


def test_a_part_is_named_by_its_content(dot) -> None:
    one = Part(dot("a").hdl, dot("a").unit)
    same_content = Part(dot("b").hdl, dot("b").unit)
    other = Part(dot("a", seed=9).hdl, dot("a", seed=9).unit)
    assert one.module == same_content.module != other.module
    assert one.module.startswith("test_dot_")


def test_equal_parts_are_synthesized_once_and_kept(
    tmp_path: Path, sources: Hdl, fifo: Callable[..., Unit], dot
) -> None:
    cache = BuildCache(tmp_path)  # its own: another test may have synthesized the same parts
    log = BuildLog()
    seen: list[tuple[int, int]] = []
    parts = [Part(sources, fifo("one")), Part(sources, fifo("two")), Part(dot().hdl, dot().unit)]
    netlists = synthesize_all(
        parts, "ecp5", cache=cache, log=log, progress=lambda *done: seen.append(done)
    )
    assert list(netlists) == [parts[0].module, parts[2].module]
    assert seen[0] == (0, 2) and seen[-1] == (2, 2)
    first = len(calls(log))
    again = synthesize_all(parts, "ecp5", cache=cache, log=log)
    assert len(calls(log)) == first
    assert again == netlists
    changed = Part(dot(seed=4).hdl, dot(seed=4).unit)
    synthesize_all([*parts, changed], "ecp5", cache=cache, log=log)
    assert calls(log)[first:] == ["synthesis of dot for ecp5"]


def test_parts_of_one_call_are_as_parts_alone(
    tmp_path_factory: pytest.TempPathFactory, sources: Hdl, fifo: Callable[..., Unit], dot
) -> None:
    together = BuildCache(tmp_path_factory.mktemp("together"))
    alone = BuildCache(tmp_path_factory.mktemp("alone"))
    cases = [dot(seed=seed, lanes=2 + seed) for seed in range(3)]
    parts = [Part(case.hdl, case.unit) for case in cases]
    parts.append(Part(sources, fifo()))
    grouped = synthesize_all(parts, "ecp5", cache=together)
    for part in parts:
        single = synthesize(part.hdl, part.unit, "ecp5", cache=alone)
        assert single.resources == grouped[part.module].resources
        assert single.cells == grouped[part.module].cells


@pytest.mark.parametrize(
    ("family", "memory", "flip_flop"),
    [
        ("ecp5", "DP16KD", "TRELLIS_FF"),
        ("ice40", "SB_RAM40_4K", "SB_DFF"),
        ("xc7", "RAMB18E1", "FD"),
    ],
)
def test_families(cache: BuildCache, dot, family: str, memory: str, flip_flop: str) -> None:
    case = dot(lanes=4, beats=256, style="block")
    netlist = synthesize(case.hdl, case.unit, family, cache=cache)
    assert netlist.cells[memory] == netlist.resources["BRAM"] == 1
    registers = [n for cell, n in netlist.cells.items() if cell.startswith(flip_flop)]
    assert sum(registers) == netlist.resources["FF"] > 30
    assert netlist.resources["LUT"] > 0
    assert not [cell for cell in netlist.cells if "BUF" in cell or cell.startswith("$")]


def test_options_are_part_of_the_key(cache: BuildCache, dot) -> None:
    case = dot()
    with_dsp = synthesize(case.hdl, case.unit, "ecp5", cache=cache)
    without = synthesize(case.hdl, case.unit, "ecp5", cache=cache, options=["-nodsp"])
    assert with_dsp.resources["DSP"] == 4
    assert without.resources["DSP"] == 0
    assert without.resources["LUT"] > with_dsp.resources["LUT"]


def test_a_source_that_cannot_be_synthesized(cache: BuildCache, dot) -> None:
    hdl = Hdl((Source("bad.sv", "module test_dot(input logic clk); foo bar(); endmodule"),))
    with pytest.raises(ToolError, match=r"bad\.sv") as caught:
        synthesize(hdl, dot().unit, "ecp5", cache=cache)
    assert "foo" in str(caught.value)


def test_linking_adds_up(cache: BuildCache, sources: Hdl, chain) -> None:
    parts, top, unit = chain
    netlists = synthesize_all(parts, "ecp5", cache=cache)
    linked = link(parts, netlists, top, unit, "ecp5", cache=cache)
    for resource in ("LUT", "FF", "DSP", "BRAM"):
        total = sum(netlists[part.module].resources[resource] for part in parts)
        assert linked.resources[resource] == total, resource
    assert linked.module == "chain"
    assert linked.json.is_file() and linked.verilog.is_file()


def test_linking_names_a_part_that_is_missing(cache: BuildCache, chain) -> None:
    parts, top, unit = chain
    with pytest.raises(ToolError, match="was not synthesized"):
        link(parts, {}, top, unit, "ecp5", cache=cache)


def test_one_part_as_a_design(cache: BuildCache, dot) -> None:
    case = dot()
    netlist = synthesize(case.hdl, case.unit, "ecp5", cache=cache)
    linked = link_one(netlist, cache=cache)
    assert linked.module == netlist.module
    assert linked.resources == netlist.resources
