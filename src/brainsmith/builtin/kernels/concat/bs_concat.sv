// Beats of two streams in turn, A_BEATS of a and B_BEATS of b, each in the datatype of y.
//
// The stream whose turn it is is taken while there is room in the output's register, the other one
// waits. A beat a cycle. `m_axis_y_tvalid` is a register; all stands still while it is set and
// `m_axis_y_tready` is not, and both `tready` of the inputs depend on no `tvalid` of theirs.
module bs_concat #(
  parameter int LANES     = 1,
  parameter int A_BEATS   = 2,
  parameter int B_BEATS   = 3,
  parameter int A_BITS    = 8,
  parameter bit A_SIGNED  = 0,
  parameter bit A_BIPOLAR = 0,
  parameter int B_BITS    = 8,
  parameter bit B_SIGNED  = 0,
  parameter bit B_BIPOLAR = 0,
  parameter int Y_BITS    = 8,
  parameter bit Y_BIPOLAR = 0
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
  logic [LANES*Y_BITS-1:0] a, b;
  logic enable, second, valid;

  bs_cast #(
    .ELEMENTS (LANES),
    .X_BITS   (A_BITS),
    .X_SIGNED (A_SIGNED),
    .X_BIPOLAR(A_BIPOLAR),
    .Y_BITS   (Y_BITS),
    .Y_BIPOLAR(Y_BIPOLAR)
  ) cast_a (.x(s_axis_a_tdata), .y(a));

  bs_cast #(
    .ELEMENTS (LANES),
    .X_BITS   (B_BITS),
    .X_SIGNED (B_SIGNED),
    .X_BIPOLAR(B_BIPOLAR),
    .Y_BITS   (Y_BITS),
    .Y_BIPOLAR(Y_BIPOLAR)
  ) cast_b (.x(s_axis_b_tdata), .y(b));

  bs_turns #(.FIRST(A_BEATS), .SECOND(B_BEATS)) turns (
    .clk, .rst_n, .step(enable && valid), .second
  );

  assign enable          = m_axis_y_tready || !m_axis_y_tvalid;
  assign valid           = second ? s_axis_b_tvalid : s_axis_a_tvalid;
  assign s_axis_a_tready = enable && !second;
  assign s_axis_b_tready = enable && second;

  always_ff @(posedge clk) begin
    if (enable) m_axis_y_tdata <= second ? b : a;
    if (!rst_n) m_axis_y_tvalid <= 1'b0;
    else if (enable) m_axis_y_tvalid <= valid;
  end
endmodule
