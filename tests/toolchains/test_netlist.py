"""Simulation of netlists: the integers of the RTL, from the primitives of each family."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.hdl import Hdl, Source, StreamPort, Unit
from brainsmith.toolchains.netlist import netlist_simulation
from brainsmith.toolchains.parts import Part
from brainsmith.toolchains.yosys import Netlist, link, link_one, synthesize_all

pytestmark = pytest.mark.slow


def memory(width: int, depth: int) -> tuple[Hdl, Unit]:
    """A RAM that is written with a frame and then read: x comes out as it went in."""
    text = """
    module frame_ram #(parameter int W = 8, parameter int D = 8, parameter IMAGE = "") (
      input logic clk, input logic rst_n,
      input logic [W-1:0] s_axis_x_tdata, input logic s_axis_x_tvalid,
      output logic s_axis_x_tready,
      output logic [W-1:0] m_axis_y_tdata, output logic m_axis_y_tvalid,
      input logic m_axis_y_tready
    );
      (* ram_style = "block" *) logic [W-1:0] ram [D];
      logic [$clog2(D+1)-1:0] write_q, read_q, next;
      wire reading = write_q == D;
      wire take = s_axis_x_tvalid && s_axis_x_tready;
      wire fetch = reading && read_q != D && (!m_axis_y_tvalid || m_axis_y_tready);
      assign s_axis_x_tready = rst_n && !reading;
      always_ff @(posedge clk) if (take) ram[write_q[$clog2(D)-1:0]] <= s_axis_x_tdata;
      always_ff @(posedge clk) if (fetch) m_axis_y_tdata <= ram[read_q[$clog2(D)-1:0]];
      always_ff @(posedge clk)
        if (!rst_n) begin
          write_q <= '0; read_q <= '0; m_axis_y_tvalid <= 1'b0;
        end else begin
          if (take) write_q <= write_q + 1'b1;
          if (fetch) read_q <= read_q + 1'b1;
          if (fetch) m_axis_y_tvalid <= 1'b1;
          else if (m_axis_y_tready) m_axis_y_tvalid <= 1'b0;
          if (read_q == D && !fetch && m_axis_y_tready) begin write_q <= '0; read_q <= '0; end
        end
    endmodule
    """
    ports = (StreamPort("x", "in", 1, width), StreamPort("y", "out", 1, width))
    unit = Unit(f"ram_{width}x{depth}", "frame_ram", {"W": width, "D": depth}, ports)
    return Hdl((Source("frame_ram.sv", text),)), unit


def check(part: Part, family: str, x: np.ndarray, y: np.ndarray, cache: BuildCache) -> Netlist:
    """The netlist of `part` gives `y`, without and with stalls."""
    netlist = synthesize_all([part], family, cache=cache)[part.module]
    simulation = netlist_simulation(link_one(netlist, cache=cache), part.unit, cache=cache)
    name = part.unit.name
    for seed in (None, 1):
        run = simulation.run(
            {name: {"x": x}}, frames_out={name: {"y": y.shape[1]}}, stall_seed=seed
        )[name]
        assert np.array_equal(run.outputs["y"], y)
    return netlist


@pytest.mark.parametrize("style", ["auto", "block"])
@pytest.mark.parametrize("family", ["ecp5", "ice40", "xc7", "xcup"])
def test_a_dot_product(cache: BuildCache, dot, family: str, style: str) -> None:
    case = dot(lanes=3, beats=200 if style == "block" else 6, style=style)
    x = case.inputs(5)
    netlist = check(Part(case.hdl, case.unit), family, x, case.reference(x), cache)
    assert (netlist.resources["BRAM"] > 0) == (style == "block")


@pytest.mark.parametrize("family", ["ecp5", "xc7"])
def test_a_fifo_in_lut_ram(cache: BuildCache, sources: Hdl, fifo, family: str) -> None:
    part = Part(sources, fifo(elements=3, bits=5))
    x = np.random.default_rng(2).integers(-16, 16, (20, 30))
    check(part, family, x, x, cache)


@pytest.mark.parametrize(
    ("family", "width", "depth"),
    [
        ("ecp5", 1, 16384),
        ("ecp5", 2, 5000),
        ("ecp5", 4, 4096),
        ("ecp5", 9, 1500),
        ("ecp5", 18, 1024),
        ("ecp5", 36, 300),
        ("ice40", 8, 512),
        ("xc7", 4, 4096),
        ("xc7", 60, 300),
        ("xcup", 18, 1024),
    ],
)
def test_block_ram(cache: BuildCache, family: str, width: int, depth: int) -> None:
    hdl, unit = memory(width, depth)
    x = np.random.default_rng(width).integers(0, 1 << width, (2, depth))
    assert check(Part(hdl, unit), family, x, x, cache).resources["BRAM"] > 0


def test_a_linked_design(cache: BuildCache, chain: tuple, dot: Callable) -> None:
    parts, top, unit = chain
    netlists = synthesize_all(parts, "ecp5", cache=cache)
    linked = link(parts, netlists, top, unit, "ecp5", cache=cache)
    simulation = netlist_simulation(linked, unit, cache=cache)
    case = dot("chain_dot", lanes=3, beats=5)
    x = case.inputs(9)
    run = simulation.run({"chain": {"x": x}}, frames_out={"chain": {"y": 1}}, stall_seed=3)
    assert np.array_equal(run["chain"].outputs["y"], case.reference(x))
