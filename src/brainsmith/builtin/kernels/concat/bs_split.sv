// Beats of a stream to two in turn, FIRST to y0 and SECOND to y1, each in its datatype.
//
// Both share the register of a beat, which is on offer where its turn is; while it waits there, x
// waits too. A beat a cycle. `s_axis_x_tready` depends on the `tready` of whoever has the beat.
module bs_split #(
  parameter int LANES      = 1,
  parameter int FIRST      = 2,
  parameter int SECOND     = 3,
  parameter int X_BITS     = 8,
  parameter bit X_SIGNED   = 0,
  parameter bit X_BIPOLAR  = 0,
  parameter int Y0_BITS    = 8,
  parameter bit Y0_BIPOLAR = 0,
  parameter int Y1_BITS    = 8,
  parameter bit Y1_BIPOLAR = 0
) (
  input  logic                     clk,
  input  logic                     rst_n,
  input  logic [LANES*X_BITS-1:0]  s_axis_x_tdata,
  input  logic                     s_axis_x_tvalid,
  output logic                     s_axis_x_tready,
  output logic [LANES*Y0_BITS-1:0] m_axis_y0_tdata,
  output logic                     m_axis_y0_tvalid,
  input  logic                     m_axis_y0_tready,
  output logic [LANES*Y1_BITS-1:0] m_axis_y1_tdata,
  output logic                     m_axis_y1_tvalid,
  input  logic                     m_axis_y1_tready
);
  logic [LANES*X_BITS-1:0] x_q;
  logic valid_q, going, second;  // `second`: the beat in the register is one for y1

  bs_turns #(.FIRST(FIRST), .SECOND(SECOND)) turns (.clk, .rst_n, .step(valid_q && going), .second);

  assign going            = second ? m_axis_y1_tready : m_axis_y0_tready;
  assign s_axis_x_tready  = !valid_q || going;
  assign m_axis_y0_tvalid = valid_q && !second;
  assign m_axis_y1_tvalid = valid_q && second;

  always_ff @(posedge clk) begin
    if (s_axis_x_tready) x_q <= s_axis_x_tdata;
    if (!rst_n) valid_q <= 1'b0;
    else if (s_axis_x_tready) valid_q <= s_axis_x_tvalid;
  end

  bs_cast #(
    .ELEMENTS (LANES),
    .X_BITS   (X_BITS),
    .X_SIGNED (X_SIGNED),
    .X_BIPOLAR(X_BIPOLAR),
    .Y_BITS   (Y0_BITS),
    .Y_BIPOLAR(Y0_BIPOLAR)
  ) cast_0 (.x(x_q), .y(m_axis_y0_tdata));

  bs_cast #(
    .ELEMENTS (LANES),
    .X_BITS   (X_BITS),
    .X_SIGNED (X_SIGNED),
    .X_BIPOLAR(X_BIPOLAR),
    .Y_BITS   (Y1_BITS),
    .Y_BIPOLAR(Y1_BIPOLAR)
  ) cast_1 (.x(x_q), .y(m_axis_y1_tdata));
endmodule
