// y = a + b, a - b or a * b of two streams, LANES elements a beat.
//
// The beats of `a` and `b` are taken together: each side's `tready` waits for the other's `tvalid`
// (never for its own). Latency 1 cycle, with OPERANDS = 1 it is 2. `m_axis_y_tvalid` is a register;
// the pipeline stands still while it is set and `m_axis_y_tready` is not.
module bs_elementwise #(
  parameter bit SUBTRACT   = 0,
  parameter bit MULTIPLY   = 0,
  parameter bit BLOCKS     = 0,
  parameter int LUT_INPUTS = 4,
  parameter int LANES      = 1,
  parameter int A_BITS     = 8,
  parameter bit A_SIGNED   = 0,
  parameter bit A_BIPOLAR  = 0,
  parameter int B_BITS     = 8,
  parameter bit B_SIGNED   = 0,
  parameter bit B_BIPOLAR  = 0,
  parameter int Y_BITS     = 9,
  parameter bit Y_BIPOLAR  = 0,
  parameter bit OPERANDS   = 0
) (
  input  logic                    clk,
  input  logic                    rst_n,
  input  logic [LANES*A_BITS-1:0] s_axis_a_tdata,
  input  logic                    s_axis_a_tvalid,
  output logic                    s_axis_a_tready,
  input  logic [LANES*B_BITS-1:0] s_axis_b_tdata,
  input  logic                    s_axis_b_tvalid,
  output logic                    s_axis_b_tready,
  output logic [LANES*Y_BITS-1:0] m_axis_y_tdata,
  output logic                    m_axis_y_tvalid,
  input  logic                    m_axis_y_tready
);
  logic enable;
  logic [OPERANDS:0] valid_q;

  assign enable          = m_axis_y_tready || !m_axis_y_tvalid;
  assign s_axis_a_tready = enable && s_axis_b_tvalid;
  assign s_axis_b_tready = enable && s_axis_a_tvalid;
  assign m_axis_y_tvalid = valid_q[OPERANDS];

  always_ff @(posedge clk)
    if (!rst_n) valid_q <= '0;
    else if (enable) valid_q <= (OPERANDS + 1)'({valid_q, s_axis_a_tvalid && s_axis_b_tvalid});

  for (genvar lane = 0; lane < LANES; lane++) begin : g_lane
    bs_elementwise_lane #(
      .SUBTRACT  (SUBTRACT),
      .MULTIPLY  (MULTIPLY),
      .BLOCKS    (BLOCKS),
      .LUT_INPUTS(LUT_INPUTS),
      .A_BITS    (A_BITS),
      .A_SIGNED  (A_SIGNED),
      .A_BIPOLAR (A_BIPOLAR),
      .B_BITS    (B_BITS),
      .B_SIGNED  (B_SIGNED),
      .B_BIPOLAR (B_BIPOLAR),
      .Y_BITS    (Y_BITS),
      .Y_BIPOLAR (Y_BIPOLAR),
      .OPERANDS  (OPERANDS)
    ) lane_i (
      .clk,
      .enable,
      .a_i(s_axis_a_tdata[lane*A_BITS+:A_BITS]),
      .b_i(s_axis_b_tdata[lane*B_BITS+:B_BITS]),
      .y_o(m_axis_y_tdata[lane*Y_BITS+:Y_BITS])
    );
  end
endmodule
