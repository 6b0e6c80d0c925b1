"""Simulations of real modules: values, timing, the wire contract, errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from brainsmith.errors import ToolError, VerificationError
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.hdl import Hdl, Monitor, Source, StreamPort, Unit
from brainsmith.toolchains.process import BuildLog
from brainsmith.toolchains.simulation import Simulation
from brainsmith.toolchains.verilator import build_simulation

FAULTS = ("none", "drops", "changes", "looks", "waits", "surplus", "deaf", "asserts")


@pytest.fixture(scope="module")
def wide_fifo(fifo: Callable[..., Unit]) -> Unit:
    return fifo("wide", elements=500, bits=13)


@pytest.fixture(scope="module")
def pair(cache: BuildCache, sources: Hdl, wide_fifo: Unit, fifo, dot) -> Simulation:
    """Two FIFOs and two dot products in one simulation."""
    a, b = dot("dot_a"), dot("dot_b", lanes=7, beats=3, seed=5)
    hdl = Hdl(sources.sources, {**a.files, **b.files})
    return build_simulation(hdl, [wide_fifo, fifo(), a.unit, b.unit], cache=cache)


def drive(simulation: Simulation, dot, seed: int | None, frames: int = 40):
    a, b = dot("dot_a"), dot("dot_b", lanes=7, beats=3, seed=5)
    random = np.random.default_rng(3)
    wide = random.integers(-4096, 4096, (frames, 1000))
    narrow = random.integers(-128, 128, (3 * frames, 5))
    inputs = {
        "wide": {"x": wide},
        "fifo": {"x": narrow},
        "dot_a": {"x": a.inputs(frames)},
        "dot_b": {"x": b.inputs(frames)},
    }
    sizes = {"wide": {"y": 1000}, "fifo": {"y": 5}, "dot_a": {"y": 1}, "dot_b": {"y": 1}}
    runs = simulation.run(inputs, frames_out=sizes, stall_seed=seed)
    expected = {
        "wide": wide,
        "fifo": narrow,
        "dot_a": a.reference(a.inputs(frames)),
        "dot_b": b.reference(b.inputs(frames)),
    }
    return runs, expected


@pytest.mark.parametrize("seed", [None, 0, 1, 2])
def test_values_are_the_same_however_the_streams_stall(pair: Simulation, dot, seed) -> None:
    runs, expected = drive(pair, dot, seed)
    for name, values in expected.items():
        assert np.array_equal(runs[name].outputs["y"], values), name


def test_timing_without_stalls(pair: Simulation, dot) -> None:
    run = drive(pair, dot, None)[0]["dot_a"]
    assert run.latency == 9
    assert np.array_equal(run.timing["x"].first, np.arange(40) * 8)
    assert np.array_equal(run.timing["y"].last, np.arange(40) * 8 + 9)
    assert run.timing["x"].stalled == run.timing["y"].stalled == 0


def test_a_seed_gives_the_same_run_again(pair: Simulation, dot) -> None:
    one, two, other = (drive(pair, dot, seed)[0]["fifo"].cycles for seed in (7, 7, 8))
    assert one == two != other


def test_other_weights_need_no_other_build(cache: BuildCache, dot) -> None:
    log = BuildLog()
    one, two = dot(seed=1), dot(seed=2)
    for case in (one, two):
        simulation = build_simulation(case.hdl, [case.unit], cache=cache, log=log)
        x = case.inputs(5)
        runs = simulation.run({"dot": {"x": x}}, frames_out={"dot": {"y": 1}})
        assert np.array_equal(runs["dot"].outputs["y"], case.reference(x))
    built = [call.cached for call in log.calls if call.tool == "verilator"]
    assert built == [False, True]


@pytest.fixture(scope="module")
def faults(cache: BuildCache, sources: Hdl, broken) -> dict[str, Simulation]:
    return {fault: build_simulation(sources, [broken(fault)], cache=cache) for fault in FAULTS}


def run_fault(simulation: Simulation, seed: int | None):
    name = simulation.units[0].name
    x = np.tile(np.arange(8), (60, 1))
    return simulation.run(
        {name: {"x": x}}, frames_out={name: {"y": 8}}, stall_seed=seed, timeout_cycles=5000
    )[name]


def test_a_correct_stage_passes(faults: dict[str, Simulation]) -> None:
    assert np.array_equal(run_fault(faults["none"], 1).outputs["y"], np.tile(np.arange(8), (60, 1)))


@pytest.mark.parametrize(
    ("fault", "seed", "what"),
    [
        ("drops", 1, "took tvalid back"),
        ("changes", 1, "changed tdata"),
        ("looks", 1, "depend on tready within a cycle"),
        ("waits", 1, "wait for tready"),
        ("surplus", None, "beat after its last frame"),
        ("deaf", None, r"broken_deaf\.y: beat 4 of 480 did not come"),
        ("asserts", None, "assertion failed"),
    ],
)
def test_a_broken_contract_is_named(
    faults: dict[str, Simulation], fault: str, seed: int | None, what: str
) -> None:
    with pytest.raises(VerificationError, match=what) as caught:
        run_fault(faults[fault], seed)
    assert "cycle" in str(caught.value) or fault == "asserts"


def test_back_pressure_inside_is_counted_by_monitors(cache: BuildCache, sources: Hdl) -> None:
    # A FIFO of 4 between a fast source and a stage that halts one cycle of three.
    text = """
    module chain (
      input logic clk, input logic rst_n,
      input logic [7:0] s_axis_x_tdata, input logic s_axis_x_tvalid, output logic s_axis_x_tready,
      output logic [7:0] m_axis_y_tdata, output logic m_axis_y_tvalid, input logic m_axis_y_tready
    );
      logic [7:0] mid_tdata; logic mid_tvalid, mid_tready, fifo_tready; logic [1:0] phase_q;
      always_ff @(posedge clk) phase_q <= !rst_n || phase_q == 2 ? '0 : phase_q + 1;
      assign mid_tready = fifo_tready && phase_q != 2;
      test_fifo #(.DEPTH(4)) a (.m_axis_y_tdata(mid_tdata), .m_axis_y_tvalid(mid_tvalid),
                                .m_axis_y_tready(mid_tready), .*);
      test_fifo #(.DEPTH(4)) b (.s_axis_x_tdata(mid_tdata),
                                .s_axis_x_tvalid(mid_tvalid && phase_q != 2),
                                .s_axis_x_tready(fifo_tready), .*);
    endmodule
    """
    ports = (StreamPort("x", "in", 1, 8), StreamPort("y", "out", 1, 8))
    monitor = Monitor("mid", "mid_tvalid", "mid_tready")
    unit = Unit("chain", "chain", {}, ports, (monitor,))
    hdl = Hdl((*sources.sources, Source("chain.sv", text)))
    x = np.arange(240).reshape(4, 60)
    simulation = build_simulation(hdl, [unit], cache=cache)
    run = simulation.run({"chain": {"x": x}}, frames_out={"chain": {"y": 60}})["chain"]
    assert np.array_equal(run.outputs["y"], x)
    assert np.array_equal(np.diff(run.timing["y"].last), [90, 90, 90])
    assert run.monitors["mid"].beats == 240
    assert 85 <= run.monitors["mid"].stalled <= 95
    assert run.monitors["mid"].starved <= 1
    assert run.timing["x"].stalled > 0


def test_waves_are_written_when_asked_for(cache: BuildCache, dot, tmp_path: Path) -> None:
    case = dot()
    seen: list[tuple[int, int, int]] = []
    simulation = build_simulation(case.hdl, [case.unit], cache=cache, wave=True)
    simulation.run(
        {"dot": {"x": case.inputs(2)}},
        frames_out={"dot": {"y": 1}},
        wave=tmp_path / "dot.fst",
        progress=lambda *told: seen.append(told),
    )
    assert seen[-1][:2] == (2, 2)
    rising = changes_of("clk", tmp_path / "dot.fst").count("1")
    assert rising >= 16  # eight beats a frame
    assert len(set(changes_of("sum_q", tmp_path / "dot.fst"))) > 2


def changes_of(name: str, wave: Path) -> list[str]:
    """All values of the first signal of this name, read by another program than wrote them."""
    pylibfst = pytest.importorskip("pylibfst")

    reader = pylibfst.lib.fstReaderOpen(str(wave).encode())
    assert reader != pylibfst.ffi.NULL
    _, signals = pylibfst.get_scopes_signals2(reader)
    path = min(path for path in signals.by_name if path.rpartition(".")[2].split(" ")[0] == name)
    handle = signals.by_name[path].handle
    values: list[str] = []
    pylibfst.lib.fstReaderSetFacProcessMaskAll(reader)

    def note(_: object, time: int, facility: int, value: object) -> None:
        if facility == handle:
            values.append(pylibfst.helpers.string(value))

    pylibfst.fstReaderIterBlocks(reader, note)
    pylibfst.lib.fstReaderClose(reader)
    return values


def test_inputs_that_do_not_belong_to_the_units(cache: BuildCache, dot) -> None:
    case = dot()
    simulation = build_simulation(case.hdl, [case.unit], cache=cache)
    x = case.inputs(2)
    with pytest.raises(ToolError, match="unit 'dto' does not exist"):
        simulation.run({"dto": {"x": x}}, frames_out={})
    with pytest.raises(ToolError, match="did you mean 'x'"):
        simulation.run({"dot": {"xx": x}}, frames_out={"dot": {"y": 1}})
    with pytest.raises(ToolError, match="nothing is given for dot: output 'y'"):
        simulation.run({"dot": {"x": x}}, frames_out={"dot": {}})
    with pytest.raises(ToolError, match="do not fill beats of 4"):
        simulation.run({"dot": {"x": x[:, :31]}}, frames_out={"dot": {"y": 1}})
    with pytest.raises(ToolError, match="built without waves"):
        simulation.run({"dot": {"x": x}}, frames_out={"dot": {"y": 1}}, wave=Path("w.vcd"))


def test_sources_that_do_not_compile(cache: BuildCache, dot) -> None:
    hdl = Hdl((Source("bad.sv", "module test_dot; nonsense endmodule"),))
    with pytest.raises(ToolError, match=r"bad\.sv:1"):
        build_simulation(hdl, [dot().unit], cache=cache)


def test_without_a_compiler(
    cache: BuildCache, dot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(ToolError, match=r"no C\+\+ compiler") as caught:
        build_simulation(dot().hdl, [dot().unit], cache=cache)
    assert "apt install g++" in str(caught.value)
