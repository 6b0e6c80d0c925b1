// Weighted sums of COUNT elements of each channel, LANES channels a beat.
//
//   x --> [ times its weights ] -- products --> [ accumulators ] --> y
//
// Elements come as COUNT pixels of FOLDS beats, each with its row of LANES weights; the last
// pixel's beats give the results. A beat a cycle. The product takes two cycles
// (`bs_elementwise_constant`, with ROWS rows of weights: COUNT * FOLDS, or one where all are
// alike), the sum one where FOLDS = 1 and two where not (`bs_accumulators`).
//
// Products are exact in T_BITS, sums modulo 2**Y_BITS. A bipolar element is one bit, 0 for -1 and
// 1 for +1.
module bs_depthwise #(
  parameter int LANES      = 1,
  parameter int FOLDS      = 1,
  parameter int COUNT      = 4,
  parameter int ROWS       = 4,
  parameter int X_BITS     = 8,
  parameter bit X_SIGNED   = 0,
  parameter bit X_BIPOLAR  = 0,
  parameter int W_BITS     = 8,
  parameter bit W_SIGNED   = 0,
  parameter int T_BITS     = 16,
  parameter bit T_SIGNED   = 0,
  parameter int Y_BITS     = 18,
  parameter bit BLOCKS     = 0,      // multiply in multiplier blocks, else in LUTs
  parameter int LUT_INPUTS = 4,
  parameter bit BLOCK      = 0,      // weights in block RAM
  parameter     RAM_STYLE  = "auto", // of the accumulators
  parameter     WEIGHTS    = ""
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
  logic [LANES*T_BITS-1:0] products;
  logic products_valid, products_ready;

  bs_elementwise_constant #(
    .MULTIPLY  (1),
    .BLOCKS    (BLOCKS),
    .LUT_INPUTS(LUT_INPUTS),
    .LANES     (LANES),
    .FOLDS     (ROWS),
    .A_BITS    (X_BITS),
    .A_SIGNED  (X_SIGNED),
    .A_BIPOLAR (X_BIPOLAR),
    .B_BITS    (W_BITS),
    .B_SIGNED  (W_SIGNED),
    .Y_BITS    (T_BITS),
    .OPERANDS  (1),
    .BLOCK     (BLOCK),
    .MEMORY    (WEIGHTS)
  ) product (
    .clk,
    .rst_n,
    .s_axis_a_tdata (s_axis_x_tdata),
    .s_axis_a_tvalid(s_axis_x_tvalid),
    .s_axis_a_tready(s_axis_x_tready),
    .m_axis_y_tdata (products),
    .m_axis_y_tvalid(products_valid),
    .m_axis_y_tready(products_ready)
  );

  bs_accumulators #(
    .LANES    (LANES),
    .FOLDS    (FOLDS),
    .COUNT    (COUNT),
    .T_BITS   (T_BITS),
    .T_SIGNED (T_SIGNED),
    .A_BITS   (Y_BITS),
    .RAM_STYLE(RAM_STYLE)
  ) sum (
    .clk,
    .rst_n,
    .s_data (products),
    .s_valid(products_valid),
    .s_ready(products_ready),
    .m_data (m_axis_y_tdata),
    .m_valid(m_axis_y_tvalid),
    .m_ready(m_axis_y_tready)
  );
endmodule
