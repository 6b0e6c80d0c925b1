"""Tools and simulations on sources of plugins are confined, and give the same results."""

from __future__ import annotations

import os
import resource
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainsmith.errors import PluginSecurityError, ToolError
from brainsmith.sandbox import landlock, seccomp
from brainsmith.sandbox.levels import Level
from brainsmith.toolchains import tools
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.confined import Confined
from brainsmith.toolchains.hdl import Hdl, Source, Unit
from brainsmith.toolchains.netlist import netlist_simulation
from brainsmith.toolchains.nextpnr import Device, place_and_route
from brainsmith.toolchains.process import BuildLog, run
from brainsmith.toolchains.tools import Tool
from brainsmith.toolchains.verilator import build_simulation
from brainsmith.toolchains.yosys import link_one, synthesize

SHELL = Tool("shell", "1", "", (os.path.realpath("/bin/sh"), "-c"), Path("/bin/sh"))
ECP5 = Device("ecp5-85k", "ecp5", "85k", "CABGA756", "8")


def of_plugin(hdl: Hdl, level: Level = Level.L3) -> Hdl:
    return Hdl(tuple(replace(source, confined=level) for source in hdl.sources), hdl.files)


def shell(script: str, how: Confined | None, cwd: Path, **given: Any) -> tuple[int, str]:
    return run(SHELL, [script], purpose="a test", cwd=cwd, confined=how, check=False, **given)


def test_a_confined_tool_changes_its_folder_only(tmp_path: Path) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    own.mkdir()
    other.mkdir()
    script = f"echo a > made; echo b > {other}/made; read line < {other}/secret; echo $line"
    (other / "secret").write_text("secret\n")
    status, said = shell(script, Confined(Level.L3, own), own)
    assert "secret\n" not in f"{said}\n".replace("other/secret", "")
    assert said.count("Permission denied") == 2
    assert [path.name for path in own.iterdir()] == ["made"]  # and no temporary folder
    assert not (other / "made").exists()
    assert shell(script, Confined(Level.L3, own, (other,)), own)[1].endswith("secret")
    assert shell(script, None, own) == (0, "secret")
    assert (other / "made").exists()
    assert status == 0


def test_a_confined_tool_gets_none_of_the_users_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY", "canary")
    script = "echo $API_KEY; echo $HOME; echo $TMPDIR; echo $GIVEN"
    _, said = shell(script, Confined(Level.L3, tmp_path), tmp_path, env={"GIVEN": "given"})
    empty, home, temporary, given = said.split("\n")
    assert (empty, given) == ("", "given")
    assert Path(home).parent == Path(temporary).parent == tmp_path
    assert shell(script, None, tmp_path)[1].startswith("canary")


def test_a_level_of_none_confines_nothing(tmp_path: Path) -> None:
    how = Confined(Level.L0, tmp_path)
    assert shell("kill -0 $$ && echo $HOME", how, tmp_path) == (0, os.environ["HOME"])


def test_memory_is_limited_as_for_any_tool(tmp_path: Path) -> None:
    half = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    _, soft = resource.getrlimit(resource.RLIMIT_DATA)
    expected = half if soft == resource.RLIM_INFINITY else min(half, soft)
    _, said = shell("sleep 0.2; ulimit -d", Confined(Level.L1, tmp_path), tmp_path)
    assert int(said.split("\n")[-1]) == expected // 1024


def test_a_simulation_of_a_plugin_starts_nothing(tmp_path: Path) -> None:
    how = Confined(Level.L3, tmp_path, starts=False)
    assert "Cannot fork" in shell("/bin/true; true", how, tmp_path)[1]


@pytest.mark.parametrize("lacking", [landlock, seccomp])
def test_a_machine_that_cannot_confine_refuses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lacking: Any
) -> None:
    if lacking is landlock:
        monkeypatch.setattr(landlock, "abi", lambda: 0)
    else:
        monkeypatch.setattr(seccomp, "available", lambda: False)
    with pytest.raises(PluginSecurityError, match="cannot confine tools at L3") as caught:
        shell("touch made", Confined(Level.L3, tmp_path), tmp_path)
    assert "--sandbox" in str(caught.value.hint)
    assert list(tmp_path.iterdir()) == []
    assert shell("echo done", Confined(Level.L1, tmp_path), tmp_path) == (0, "done")


def test_a_step_that_the_kernel_refuses_is_an_error_of_security(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # As from a host that has ended: the tool's parent is another process.
    monkeypatch.setattr("brainsmith.sandbox.launching.os.getpid", lambda: 1 << 30)
    with pytest.raises(PluginSecurityError, match="could not be confined"):
        shell("touch made", Confined(Level.L3, tmp_path), tmp_path)
    assert not (tmp_path / "made").exists()


def test_a_refused_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="Permission denied") as caught:
        run(SHELL, ["read x < /etc/passwd"], purpose="a test", cwd=tmp_path,
            confined=Confined(Level.L3, tmp_path))  # fmt: skip
    assert "it ran confined" in str(caught.value.hint)


def test_a_package_takes_no_module_from_the_folder_of_its_sources(tmp_path: Path) -> None:
    tool = tools.yosys()
    if tool.kind != "package":
        pytest.skip("Yosys is a native program here")
    (tmp_path / "wasmtime.py").write_text("raise SystemExit('taken')")
    for how in (None, Confined(Level.L3, tmp_path)):
        status, said = run(tool, ["-V"], purpose="a test", cwd=tmp_path, confined=how, check=False)
        assert (status, "taken" in said) == (0, False), said
    command = (sys.executable, "-c", tool.command[-1])  # the control: Python's own way
    plain = Tool(tool.name, "", "", command, tool.path, tool.env)
    assert "taken" in run(plain, ["-V"], purpose="a test", cwd=tmp_path, check=False)[1]


@pytest.mark.slow
def test_a_design_is_built_and_simulated_with_the_same_results(
    cache: BuildCache, dot: Any, tmp_path: Path
) -> None:
    case = dot()
    assert of_plugin(case.hdl).confined == Level.L3
    results = [_built(case, hdl, BuildCache(tmp_path / name), cache) for name, hdl in (
        ("ours", case.hdl), ("theirs", of_plugin(case.hdl)),
    )]  # fmt: skip
    assert results[0] == results[1]


def _built(case: Any, hdl: Hdl, cache: BuildCache, warm: BuildCache) -> dict[str, object]:
    """All that the tools make of a design; the run-time library is in the cache of all tests."""
    unit = case.unit
    simulation = build_simulation(hdl, [unit], cache=_Seeded(cache.root, warm))
    assert simulation.confined == hdl.confined
    frames = case.inputs(20)
    sizes = {unit.name: {"y": case.reference(frames).shape[1]}}
    values = simulation.run({unit.name: {"x": frames}}, frames_out=sizes, stall_seed=3)[unit.name]
    assert np.array_equal(values.outputs["y"], case.reference(frames))
    netlist = synthesize(hdl, unit, "ecp5", cache=cache)
    linked = link_one(netlist, cache=cache)
    assert netlist.confined == linked.confined == hdl.confined
    placed = place_and_route(linked, unit, ECP5, clock_mhz=100, cache=cache)
    of_netlist = netlist_simulation(linked, unit, cache=_Seeded(cache.root, warm))
    assert of_netlist.confined == hdl.confined
    again = of_netlist.run({unit.name: {"x": frames}}, frames_out=sizes)[unit.name]
    assert np.array_equal(again.outputs["y"], case.reference(frames))
    assert not list(cache.root.rglob(".tmp-*"))
    return {
        "netlist": netlist.path.read_text(),
        "json": linked.json.read_text(),
        "verilog": linked.verilog.read_text(),
        "cells": linked.cells,
        "placement": replace(placed, notes=()),
        "cycles": values.cycles,
    }


class _Seeded(BuildCache):
    """A cache that takes the run-time library of simulations from another one."""

    def __init__(self, root: Path, warm: BuildCache) -> None:
        super().__init__(root)
        self._warm = warm

    def fetch(self, key_parts: Any, make: Any) -> Any:
        library = key_parts["what"] == "simulation runtime"
        return (self._warm if library else super()).fetch(key_parts, make)


def test_one_source_of_a_plugin_confines_all(sources: Hdl, fifo: Any) -> None:
    mixed = Hdl((*sources.sources, Source("own.sv", "module own; endmodule", Level.L3)))
    assert sources.confined == Level.L0
    assert mixed.confined == Level.L3
    assert Hdl(()).confined == Level.L0


def test_how_tools_are_confined_is_no_part_of_what_a_source_is(
    cache: BuildCache, sources: Hdl, fifo: Any
) -> None:
    """So a result is found again that was made in the other way."""
    theirs = of_plugin(sources)
    assert theirs == sources
    assert theirs.confined != sources.confined
    log = BuildLog()
    unit: Unit = fifo()
    build_simulation(sources, [unit], cache=cache)
    simulation = build_simulation(theirs, [unit], cache=cache, log=log)
    assert [call.cached for call in log.calls] == [True]
    assert simulation.confined == Level.L3


def test_what_a_confined_tool_prints_cannot_act_on_a_terminal(tmp_path: Path) -> None:
    script = r"printf '\033]0;title\007\033[2Jred\rblue\n'"
    assert shell(script, Confined(Level.L3, tmp_path), tmp_path)[1] == "red\nblue"
    assert "\033" in shell(script, None, tmp_path)[1]


def test_the_status_of_a_launcher_alone_is_no_error_of_security(tmp_path: Path) -> None:
    assert shell("exit 113", Confined(Level.L3, tmp_path), tmp_path) == (113, "")


def test_the_log_says_what_ran_confined(tmp_path: Path) -> None:
    log = BuildLog()
    shell("true", Confined(Level.L3, tmp_path), tmp_path, log=log)
    shell("true", None, tmp_path, log=log)
    log.write(tmp_path / "build.log")
    headings = [line for line in (tmp_path / "build.log").read_text().splitlines() if "==" in line]
    assert [line.endswith(" s, confined at L3") for line in headings] == [True, False]
