// y = -x in each lane, in the same cycle.
module sign_flip #(
  parameter int LANES    = 1,
  parameter int X_BITS   = 4,
  parameter bit X_SIGNED = 1,
  parameter int Y_BITS   = 5
) (
  input  logic                    clk,
  input  logic                    rst_n,
  input  logic [LANES*X_BITS-1:0] s_axis_x_tdata,
  input  logic                    s_axis_x_tvalid,
  output logic                    s_axis_x_tready,
  output logic [LANES*Y_BITS-1:0] m_axis_y_tdata,
  output logic                    m_axis_y_tvalid,
  input  logic                    m_axis_y_tready
);
  assign m_axis_y_tvalid = s_axis_x_tvalid;
  assign s_axis_x_tready = m_axis_y_tready;

  for (genvar l = 0; l < LANES; l++) begin : g_lane
    logic signed [X_BITS:0] value;
    assign value = {X_SIGNED && s_axis_x_tdata[l*X_BITS+X_BITS-1], s_axis_x_tdata[l*X_BITS+:X_BITS]};
    assign m_axis_y_tdata[l*Y_BITS+:Y_BITS] = Y_BITS'(-value);
  end
endmodule
