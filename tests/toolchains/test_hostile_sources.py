"""What sources can do with tools and simulations as these are, and what is left of it confined.

Sources of plugins are searched for all of this before a tool sees them; this is what holds when
something is missed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainsmith.errors import BrainsmithError, ToolError
from brainsmith.sandbox.levels import Level
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.hdl import Hdl, Source, Unit
from brainsmith.toolchains.verilator import build_simulation
from tests.toolchains.conftest import HDL

# Each writes WHERE/marker, or a copy of WHERE/secret there.
RUNS = {
    "system": 'initial $system("cp WHERE/secret WHERE/marker");',
    "file": 'initial begin int f; f = $fopen("WHERE/marker", "w"); $fclose(f); end',
    "C": 'initial $c("FILE* f = fopen(\\"WHERE/marker\\", \\"w\\"); if (f) fclose(f);");',
    "shell in C": 'initial $c("if (system(\\"touch WHERE/marker\\")) {}");',
}


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of the user's with a secret."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "secret").write_text("hunter2")
    return folder


def hostile(statement: str, level: Level) -> Hdl:
    text = (HDL / "test_fifo.sv").read_text()
    at = text.rindex("endmodule")
    return Hdl((Source("test_fifo.sv", f"{text[:at]}{statement}\n{text[at:]}", level),))


def run(hdl: Hdl, unit: Unit, cache: BuildCache) -> bool:
    """Builds a design; whether it gives back what goes in."""
    frames = np.arange(6).reshape(3, 2)
    simulation = build_simulation(hdl, [unit], cache=cache)
    done = simulation.run({unit.name: {"x": frames}}, frames_out={unit.name: {"y": 2}})
    return np.array_equal(done[unit.name].outputs["y"], frames)


def simulate(hdl: Hdl, unit: Unit, cache: BuildCache) -> bool:
    """Whether a design is built and gives back what goes in."""
    try:
        return run(hdl, unit, cache)
    except BrainsmithError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_a_confined_simulation_touches_nothing_of_the_users(
    cache: BuildCache, fifo: Any, outside: Path, name: str
) -> None:
    statement = RUNS[name].replace("WHERE", str(outside))
    marker = outside / "marker"
    simulate(hostile(statement, Level.L0), fifo(), cache)
    assert marker.exists()  # the control: so it goes without confinement
    marker.unlink()
    # The same build, from the cache: the run alone is what differs.
    simulate(hostile(statement, Level.L3), fifo(), cache)
    assert not marker.exists()
    simulate(hostile(statement, Level.L1), fifo(), cache)
    assert marker.exists()


@pytest.mark.slow
def test_a_confined_build_includes_no_file_of_the_users(
    cache: BuildCache, fifo: Any, outside: Path
) -> None:
    (outside / "secret").write_text("localparam int SECRET = 1;")
    statement = f'`include "{outside}/secret"'
    with pytest.raises(ToolError, match="secret") as caught:
        build_simulation(hostile(statement, Level.L3), [fifo()], cache=cache)
    assert "SECRET" not in str(caught.value)
    assert simulate(hostile(statement, Level.L0), fifo(), cache)


@pytest.mark.slow
def test_confined_tools_read_no_file_of_the_users_into_a_memory(
    cache: BuildCache, fifo: Any, outside: Path
) -> None:
    (outside / "secret").write_text("7\n")
    statement = f"""
        logic [7:0] stolen [1];
        initial begin
            $readmemh("{outside}/secret", stolen);
            if (stolen[0] == 7) $fatal(1, "stolen");
        end"""
    with pytest.raises(BrainsmithError, match="stolen"):
        run(hostile(statement, Level.L0), fifo(), cache)
    try:
        run(hostile(statement, Level.L3), fifo(), cache)
    except BrainsmithError as error:
        assert "stolen" not in str(error)


@pytest.mark.slow
@pytest.mark.parametrize(
    "result",
    [
        "",
        "ok",
        "ok x",
        "ok 5",
        "ok 5|1",
        "ok 5|0|0",
        "violation 5",
        "violation 1 odd 7",
        "hang 1|in",
    ],
)
def test_a_simulation_that_makes_its_results_up_is_an_error(
    cache: BuildCache, fifo: Any, result: str
) -> None:
    lines = result.replace("|", "\\\\n")
    statement = (
        'initial $c("FILE* f = fopen(\\"result.txt\\", \\"w\\"); '
        f'fputs(\\"{lines}\\", f); fclose(f); _exit(0);");'
    )
    with pytest.raises(ToolError, match="left no results that can be read"):
        run(hostile(statement, Level.L3), fifo(), cache)


@pytest.mark.slow
def test_progress_is_taken_from_lines_that_tell_of_it_alone(cache: BuildCache, fifo: Any) -> None:
    """The bench tells of it by printing; so can sources."""
    lines = (
        "@progress 2 12",
        "@progress x 1",
        "@progress",
        "@progress 1",
        "@progress 99999999999999999999 1",
    )
    statement = " ".join(f'initial $c("puts(\\"{line}\\");");' for line in lines)
    unit = fifo()
    simulation = build_simulation(hostile(statement, Level.L3), [unit], cache=cache)
    seen: list[tuple[int, int, int]] = []
    (ran,) = simulation.run(
        {unit.name: {"x": np.arange(6).reshape(3, 2)}},
        frames_out={unit.name: {"y": 2}},
        progress=lambda *told: seen.append(told),
    ).values()
    assert seen == [(2, 3, 12), (3, 3, ran.cycles)]
