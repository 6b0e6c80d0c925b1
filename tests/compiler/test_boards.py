"""Boards: what can be put on one, what their record says, and clocks that are not reached."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brainsmith.board.shell import Stream
from brainsmith.compiler.boards import check_timing
from brainsmith.compiler.deployment import Deployment, Port, check_board
from brainsmith.compiler.design import Design, HostStep, Partition, PartitionPort
from brainsmith.compiler.on_board import packed, unpacked
from brainsmith.compiler.targets import get_target
from brainsmith.errors import ConfigurationError, PluginError, TargetError
from brainsmith.plugins import PluginRegistry
from brainsmith.toolchains.hdl import StreamPort
from brainsmith.toolchains.nextpnr import Placement


def port(name: str) -> PartitionPort:
    return PartitionPort(name, name, 2, 8, 4, signed=False, bipolar=False)


def partition(name: str, inputs: int = 1) -> Partition:
    ports = tuple(port(f"x{index}") for index in range(inputs))
    return Partition(name, (), (), ports, (port("y0"),))


def test_a_design_in_several_parts_is_refused_with_the_nodes_between_them() -> None:
    target = get_target("ulx3s-85f", PluginRegistry())
    parts = (partition("p0"), HostStep(("Softmax_3",)), partition("p1"))
    with pytest.raises(ConfigurationError, match="Softmax_3"):
        check_board(Design("net", parts), target)
    check_board(Design("net", parts), get_target("ecp5-85k", PluginRegistry()))
    check_board(Design("net", (HostStep(("Cast_0",)), partition("p"))), target)


def test_a_design_with_two_inputs_is_refused() -> None:
    target = get_target("ulx3s-85f", PluginRegistry())
    with pytest.raises(ConfigurationError, match="has 2 and 1"):
        check_board(Design("net", (partition("p", inputs=2),)), target)


def test_a_clock_that_is_not_reached_says_by_how_much_and_where() -> None:
    placed = Placement("ulx3s-85f", 80.0, {}, (), ("Gemm_1",), seed=1)
    check_timing(placed, 80.0)
    with pytest.raises(TargetError) as caught:
        check_timing(placed, 100.0)
    assert "80.0 MHz of 100 MHz" in caught.value.what
    assert "through Gemm_1, is 2.50 ns too long" in caught.value.what
    assert "--clock-mhz 80" in (caught.value.hint or "")


RECORD = Deployment(
    target="ulx3s-85f", family="ecp5", loader="ulx3s", module="net", clock_hz=100_000_000,
    baud=3_000_000, digest="ab" * 16, source=Port.of(port("x")), sink=Port.of(port("y")),
    steps=(("Cast_0",), None), alias={"a": "b"}, confined="L0",
)  # fmt: skip


def test_the_record_comes_back_with_its_design(tmp_path: Path) -> None:
    RECORD.save(tmp_path)
    loaded = Deployment.load(tmp_path)
    assert loaded == RECORD
    first, second = loaded.design.steps
    assert first == HostStep(("Cast_0",))
    assert isinstance(second, Partition) and second.inputs == (port("x"),)
    assert loaded.shell.parameters["IN_BEATS"] == "4"


@pytest.mark.parametrize("damage", ["{", '{"format": 2}'])
def test_a_damaged_record_is_an_error(tmp_path: Path, damage: str) -> None:
    (tmp_path / "board.json").write_text(damage)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Deployment.load(tmp_path)


def test_frames_too_large_for_a_board() -> None:
    large = RECORD.source.model_copy(update={"size": 200_000})
    with pytest.raises(ConfigurationError, match="100000 bytes"):
        _ = RECORD.model_copy(update={"source": large}).shell


@given(st.integers(1, 4), st.integers(1, 9), st.integers(2, 17), st.booleans(), st.data())
def test_frames_survive_packing(
    elements: int, beats: int, bits: int, signed: bool, data: st.DataObject
) -> None:
    stream = Stream(StreamPort("x", "in", elements, bits, signed=signed), elements * beats)
    lo, hi = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    seed = data.draw(st.integers(0, 1000))
    frames = np.random.default_rng(seed).integers(lo, hi, (3, stream.size), endpoint=True)
    payloads = packed(frames, stream)
    assert {len(payload) for payload in payloads} == {stream.octets}
    np.testing.assert_array_equal(unpacked(payloads, stream), frames)


BOARD = """\
name: mine
family: ecp5
clock_mhz: 50
resources: {LUT: 100}
place: {device: 25k, package: CABGA256}
board: {oscillator_mhz: 25, baud: 1000000, constraints: "", BROKEN}
"""


@pytest.mark.parametrize("broken", ["drive: {'x = 1; //': 1}", "loader: --help", "led: maybe"])
def test_words_of_a_board_are_checked(tmp_path: Path, broken: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "mine.yaml").write_text(BOARD.replace("BROKEN", broken))
    (tmp_path / "mine" / "brainsmith.yaml").write_text(
        "name: mine\nversion: 1.0.0\ntargets: [{name: mine, file: mine.yaml}]\n"
    )
    registry = PluginRegistry([tmp_path], distributions=False, cached=False)
    with pytest.raises(PluginError, match=broken.split(":")[0]):
        get_target("mine", registry)
