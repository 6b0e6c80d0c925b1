"""Small modules with the wire contract of a kernel, and a build cache for the session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.hdl import Hdl, Source, StreamPort, Unit
from brainsmith.toolchains.parts import Part, declarations

HDL = Path(__file__).parent / "hdl"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> BuildCache:
    """An empty cache that the tests share, so that the run-time library is built once."""
    return BuildCache(tmp_path_factory.mktemp("cache"))


def source(name: str) -> Source:
    return Source(f"{name}.sv", (HDL / f"{name}.sv").read_text())


@pytest.fixture(scope="session")
def sources() -> Hdl:
    return Hdl((source("test_fifo"), source("test_dot"), source("test_broken")))


@pytest.fixture(scope="session")
def fifo() -> Callable[..., Unit]:
    def make(name: str = "fifo", *, elements: int = 1, bits: int = 8, depth: int = 16) -> Unit:
        ports = (
            StreamPort("x", "in", elements, bits, signed=True),
            StreamPort("y", "out", elements, bits, signed=True),
        )
        return Unit(name, "test_fifo", {"WIDTH": elements * bits, "DEPTH": depth}, ports)

    return make


@pytest.fixture(scope="session")
def broken() -> Callable[[str], Unit]:
    def make(fault: str) -> Unit:
        ports = (StreamPort("x", "in", 1, 8), StreamPort("y", "out", 1, 8))
        return Unit(f"broken_{fault}", "test_broken", {"FAULT": fault}, ports)

    return make


class Dot:
    """A dot product with constant weights: its unit, its memory image and its reference."""

    def __init__(
        self,
        name: str = "dot",
        *,
        lanes: int = 4,
        beats: int = 8,
        style: str = "auto",
        seed: int = 0,
    ) -> None:
        self.weights = np.random.default_rng(seed).integers(-8, 8, lanes * beats)
        self.image = f"{name}.hex"
        parameters = {
            "LANES": lanes,
            "BEATS": beats,
            "WEIGHTS": self.image,
            "STYLE": style,
        }
        ports = (
            StreamPort("x", "in", lanes, 4, signed=True),
            StreamPort("y", "out", 1, 16, signed=True),
        )
        self.unit = Unit(name, "test_dot", parameters, ports)
        rows = self.weights.reshape(beats, lanes) & 15
        text = "".join("".join(f"{value:x}" for value in row[::-1]) + "\n" for row in rows)
        self.files = {self.image: text.encode()}

    @property
    def hdl(self) -> Hdl:
        return Hdl((source("test_dot"),), self.files)

    def reference(self, frames: np.ndarray) -> np.ndarray:
        return frames @ self.weights[:, None]

    def inputs(self, frames: int, seed: int = 1) -> np.ndarray:
        return np.random.default_rng(seed).integers(-8, 8, (frames, len(self.weights)))


@pytest.fixture(scope="session")
def dot() -> type[Dot]:
    return Dot


@pytest.fixture(scope="session")
def chain(sources: Hdl, fifo: Callable[..., Unit]) -> tuple[list[Part], Source, Unit]:
    """Two equal FIFOs and a dot product in a row: the parts, the top and its streams."""
    case = Dot("chain_dot", lanes=3, beats=5)
    small = fifo(elements=3, bits=4)
    parts = [Part(sources, small), Part(case.hdl, case.unit), Part(sources, small)]
    ports = (StreamPort("x", "in", 3, 4, signed=True), StreamPort("y", "out", 1, 16, signed=True))
    unit = Unit("chain", "chain", {}, ports)
    text = f"""
    module chain (
    {declarations(ports)}
    );
      logic [11:0] a_tdata, b_tdata; logic a_tvalid, a_tready, b_tvalid, b_tready;
      {parts[0].module} first (.clk, .rst_n, .s_axis_x_tdata, .s_axis_x_tvalid, .s_axis_x_tready,
        .m_axis_y_tdata(a_tdata), .m_axis_y_tvalid(a_tvalid), .m_axis_y_tready(a_tready));
      {parts[2].module} second (.clk, .rst_n, .s_axis_x_tdata(a_tdata),
        .s_axis_x_tvalid(a_tvalid), .s_axis_x_tready(a_tready),
        .m_axis_y_tdata(b_tdata), .m_axis_y_tvalid(b_tvalid), .m_axis_y_tready(b_tready));
      {parts[1].module} dot (.clk, .rst_n, .s_axis_x_tdata(b_tdata), .s_axis_x_tvalid(b_tvalid),
        .s_axis_x_tready(b_tready), .m_axis_y_tdata, .m_axis_y_tvalid, .m_axis_y_tready);
    endmodule
    """
    return parts, Source("chain.sv", text), unit
