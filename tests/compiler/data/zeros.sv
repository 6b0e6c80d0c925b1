// Takes every beat and gives zeros in its place.
module zeros #(
  parameter int IN  = 8,
  parameter int OUT = 8
) (
  input  logic           clk,
  input  logic           rst_n,
  input  logic [IN-1:0]  s_axis_x_tdata,
  input  logic           s_axis_x_tvalid,
  output logic           s_axis_x_tready,
  output logic [OUT-1:0] m_axis_y_tdata,
  output logic           m_axis_y_tvalid,
  input  logic           m_axis_y_tready
);
  assign m_axis_y_tdata  = '0;
  assign m_axis_y_tvalid = s_axis_x_tvalid;
  assign s_axis_x_tready = m_axis_y_tready;
endmodule
