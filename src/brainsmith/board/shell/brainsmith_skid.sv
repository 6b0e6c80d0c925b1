// A register slice with two places: no path through it, in neither direction, at a beat a cycle.
`default_nettype none
module brainsmith_skid #(
  parameter int unsigned WIDTH = 8
) (
  input  logic             clk,
  input  logic             rst_n,
  input  logic [WIDTH-1:0] s_axis_tdata,
  input  logic             s_axis_tvalid,
  output logic             s_axis_tready,
  output logic [WIDTH-1:0] m_axis_tdata,
  output logic             m_axis_tvalid,
  input  logic             m_axis_tready
);
  logic [WIDTH-1:0] held_q;
  logic held_valid_q, advance;

  assign s_axis_tready = ~held_valid_q;
  assign advance       = ~m_axis_tvalid | m_axis_tready;

  always_ff @(posedge clk) begin
    if (s_axis_tready) held_q <= s_axis_tdata;
    if (advance) begin
      m_axis_tdata  <= held_valid_q ? held_q : s_axis_tdata;
      m_axis_tvalid <= held_valid_q | s_axis_tvalid;
      held_valid_q  <= 1'b0;
    end else if (s_axis_tvalid & s_axis_tready) begin
      held_valid_q <= 1'b1;
    end
    if (!rst_n) begin
      m_axis_tvalid <= 1'b0;
      held_valid_q  <= 1'b0;
    end
  end
endmodule
`default_nettype wire
