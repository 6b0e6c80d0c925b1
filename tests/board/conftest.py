"""A small accelerator behind the shell, and its board in simulation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from brainsmith.board.line import Line, open_port
from brainsmith.board.shell import Shell, Stream, digest_of
from brainsmith.board.simulated import SimulatedBoard, board_program, simulated_board
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.hdl import Hdl, Source, StreamPort

# Adds one to each element of three bits, four a beat in and two a beat out.
ADDER = """
module adder (
  input  logic clk, rst_n,
  input  logic [11:0] s_axis_x_tdata, input logic s_axis_x_tvalid, output logic s_axis_x_tready,
  output logic [5:0] m_axis_y_tdata, output logic m_axis_y_tvalid, input logic m_axis_y_tready
);
  logic half_q;
  logic [11:0] sum;
  assign sum = {s_axis_x_tdata[11:9] + 3'd1, s_axis_x_tdata[8:6] + 3'd1,
                s_axis_x_tdata[5:3] + 3'd1, s_axis_x_tdata[2:0] + 3'd1};
  assign m_axis_y_tdata  = half_q ? sum[11:6] : sum[5:0];
  assign m_axis_y_tvalid = s_axis_x_tvalid;
  assign s_axis_x_tready = half_q & m_axis_y_tready;
  always_ff @(posedge clk) begin
    if (!rst_n) half_q <= 1'b0;
    else if (m_axis_y_tvalid & m_axis_y_tready) half_q <= ~half_q;
  end
endmodule
"""
SIZE = 12


@pytest.fixture(scope="package")
def adder() -> tuple[Hdl, Shell]:
    """The accelerator and its shell, at eight clock cycles a bit."""
    hdl = Hdl((Source("adder.sv", ADDER),))
    source = Stream(StreamPort("x", "in", 4, 3), SIZE)
    sink = Stream(StreamPort("y", "out", 2, 3), SIZE)
    return hdl, Shell("adder", source, sink, 24_000_000, 3_000_000, digest_of(hdl))


@pytest.fixture(scope="package")
def program(adder: tuple[Hdl, Shell], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulation of its board."""
    return board_program(*adder, BuildCache(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def board(program: Path, adder: tuple[Hdl, Shell]) -> Iterator[SimulatedBoard]:
    """A board that has just been switched on."""
    with simulated_board(program, *adder) as running:
        yield running


@pytest.fixture
def line(board: SimulatedBoard) -> Iterator[Line]:
    """A host's end of its line."""
    with Line(board.port, open_port(board.port, board.shell.baud), patience=5) as one:
        yield one
