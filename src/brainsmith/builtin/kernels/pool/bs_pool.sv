// The greatest, or the sum, of COUNT elements of each channel, LANES channels a beat.
//
// Elements come as COUNT pixels of FOLDS beats; the last pixel's beats give the results. A pixel's
// beats go into `bs_accumulators`, which says when: a beat a cycle, and a latency of one cycle where
// FOLDS = 1, of two where not.
//
// A bipolar element is one bit, 0 for -1 and 1 for +1: maxima compare it as it is, sums add what
// it stands for.
module bs_pool #(
  parameter bit MAX       = 1,
  parameter int LANES     = 1,
  parameter int FOLDS     = 1,
  parameter int COUNT     = 4,
  parameter int X_BITS    = 8,
  parameter bit X_SIGNED  = 0,
  parameter bit X_BIPOLAR = 0,
  parameter int Y_BITS    = 8,
  parameter bit Y_BIPOLAR = 0,
  parameter     RAM_STYLE = "auto"
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
  localparam bit Unpack   = X_BIPOLAR && !MAX;
  localparam int TermBits = Unpack ? 2 : X_BITS;
  localparam int AccBits  = MAX ? X_BITS : Y_BITS;

  logic [LANES*TermBits-1:0] terms;
  logic [LANES*AccBits-1:0] results;

  bs_cast #(
    .ELEMENTS (LANES),
    .X_BITS   (X_BITS),
    .X_SIGNED (X_SIGNED),
    .X_BIPOLAR(Unpack),
    .Y_BITS   (TermBits)
  ) unpack (.x(s_axis_x_tdata), .y(terms));

  bs_accumulators #(
    .MAX      (MAX),
    .LANES    (LANES),
    .FOLDS    (FOLDS),
    .COUNT    (COUNT),
    .T_BITS   (TermBits),
    .T_SIGNED (X_SIGNED || Unpack),
    .A_BITS   (AccBits),
    .RAM_STYLE(RAM_STYLE)
  ) accumulators (
    .clk,
    .rst_n,
    .s_data (terms),
    .s_valid(s_axis_x_tvalid),
    .s_ready(s_axis_x_tready),
    .m_data (results),
    .m_valid(m_axis_y_tvalid),
    .m_ready(m_axis_y_tready)
  );

  bs_cast #(
    .ELEMENTS (LANES),
    .X_BITS   (AccBits),
    .X_SIGNED (X_SIGNED || !MAX),
    .X_BIPOLAR(X_BIPOLAR && MAX),
    .Y_BITS   (Y_BITS),
    .Y_BIPOLAR(Y_BIPOLAR)
  ) cast (.x(results), .y(m_axis_y_tdata));
endmodule
