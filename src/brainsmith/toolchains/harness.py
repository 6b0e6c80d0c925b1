"""Shift registers around a design, where a place and route tool wants a pin for every port."""

from __future__ import annotations

from dataclasses import dataclass

from brainsmith.toolchains.hdl import Source, Unit

MODULE = "brainsmith_harness"


@dataclass(frozen=True)
class Harness:
    """A top with five pins: clock, reset, data in, load and data out.

    Args:
        source: its SystemVerilog.
        inputs: bits that go into the design, each from a flip-flop of a shift register.
        outputs: bits that come out, each captured by a flip-flop with a LUT in front.
    """

    source: Source
    inputs: int
    outputs: int

    @property
    def cells(self) -> int:
        """Logic cells that the harness adds to the design."""
        return self.inputs + self.outputs


def harness(module: str, unit: Unit) -> Harness:
    """The harness of a module with the ports of `unit`."""
    ins: list[tuple[str, int]] = []
    outs: list[tuple[str, int]] = []
    for port in unit.ports:
        forth, back = (ins, outs) if port.direction == "in" else (outs, ins)
        forth += [(f"{port.prefix}_tdata", port.width), (f"{port.prefix}_tvalid", 1)]
        back.append((f"{port.prefix}_tready", 1))
    inputs, outputs = sum(width for _, width in ins), sum(width for _, width in outs)
    connections = [*_slices("to_q", ins), *_slices("from_d", outs)]
    text = f"""
module {MODULE} (
  input  logic clk,
  input  logic rst_n,
  input  logic shift_in,
  input  logic load,
  output logic shift_out
);
  logic [{inputs - 1}:0] to_q;
  logic [{outputs - 1}:0] from_d, from_q;
  always_ff @(posedge clk) begin
    to_q <= {inputs}'({{to_q, shift_in}});
    from_q <= load ? from_d : {outputs}'({{from_q, to_q[{inputs - 1}]}});
  end
  assign shift_out = from_q[{outputs - 1}];
  {module} dut (.clk, .rst_n, {", ".join(connections)});
endmodule
"""
    return Harness(Source("harness.sv", text), inputs, outputs)


def _slices(register: str, signals: list[tuple[str, int]]) -> list[str]:
    lines = []
    offset = 0
    for name, width in signals:
        lines.append(f".{name}({register}[{offset} +: {width}])")
        offset += width
    return lines
