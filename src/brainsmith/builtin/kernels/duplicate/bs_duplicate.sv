// Copies a stream to two consumers.
//
// Each consumer takes each beat once, in its own cycle; the beat leaves the input when both have
// it. `tvalid` follows the input's in the same cycle and does not depend on any `tready`;
// `s_axis_x_tready` depends on those of the consumers and on no `tvalid`. No register for data.
module bs_duplicate #(
  parameter int WIDTH = 8
) (
  input  logic             clk,
  input  logic             rst_n,
  input  logic [WIDTH-1:0] s_axis_x_tdata,
  input  logic             s_axis_x_tvalid,
  output logic             s_axis_x_tready,
  output logic [WIDTH-1:0] m_axis_y0_tdata,
  output logic             m_axis_y0_tvalid,
  input  logic             m_axis_y0_tready,
  output logic [WIDTH-1:0] m_axis_y1_tdata,
  output logic             m_axis_y1_tvalid,
  input  logic             m_axis_y1_tready
);
  // Whether a consumer already has the beat that the other one still waits with.
  logic done0_q, done1_q;
  logic has0, has1;

  assign has0 = done0_q || m_axis_y0_tready;
  assign has1 = done1_q || m_axis_y1_tready;
  assign s_axis_x_tready = has0 && has1;

  assign m_axis_y0_tdata  = s_axis_x_tdata;
  assign m_axis_y1_tdata  = s_axis_x_tdata;
  assign m_axis_y0_tvalid = s_axis_x_tvalid && !done0_q;
  assign m_axis_y1_tvalid = s_axis_x_tvalid && !done1_q;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      done0_q <= 1'b0;
      done1_q <= 1'b0;
    end else if (s_axis_x_tvalid) begin
      done0_q <= has0 && !has1;
      done1_q <= has1 && !has0;
    end
  end
endmodule
