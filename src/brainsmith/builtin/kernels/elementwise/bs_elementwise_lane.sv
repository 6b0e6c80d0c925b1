// One lane of an elementwise operation: y = a + b, a - b or a * b, on integers of any kind.
//
// OPERANDS = 1 puts a register before the operation (the input registers of a multiplier block);
// there is always one behind it. The result is exact and cut to Y_BITS, which the caller chooses
// wide enough. A bipolar operand or result is one bit, 0 for -1 and 1 for +1.
// Nothing moves while `enable` is low.
module bs_elementwise_lane #(
  parameter bit SUBTRACT   = 0,
  parameter bit MULTIPLY   = 0,
  parameter bit BLOCKS     = 0,  // multiply in a multiplier block, else in LUTs
  parameter int LUT_INPUTS = 4,
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
  input  logic              clk,
  input  logic              enable,
  input  logic [A_BITS-1:0] a_i,
  input  logic [B_BITS-1:0] b_i,
  output logic [Y_BITS-1:0] y_o
);
  // Two's complement of a width that holds any operand of its kind.
  localparam int AWide = A_BIPOLAR ? 2 : A_SIGNED ? A_BITS : A_BITS + 1;
  localparam int BWide = B_BIPOLAR ? 2 : B_SIGNED ? B_BITS : B_BITS + 1;
  localparam int Wider = AWide > BWide ? AWide : BWide;
  localparam int Wide  = MULTIPLY ? AWide + BWide : Wider + 1;

  logic [A_BITS-1:0] a;
  logic [B_BITS-1:0] b;
  logic signed [AWide-1:0] a_wide;
  logic signed [BWide-1:0] b_wide;
  logic signed [Wide-1:0]  y;

  if (OPERANDS) begin : g_operands
    always_ff @(posedge clk)
      if (enable) begin
        a <= a_i;
        b <= b_i;
      end
  end else begin : g_direct
    assign a = a_i;
    assign b = b_i;
  end

  if (A_BIPOLAR) begin : g_a_bipolar
    assign a_wide = {!a, 1'b1};
  end else begin : g_a
    assign a_wide = AWide'({A_SIGNED && a[A_BITS-1], a});
  end
  if (B_BIPOLAR) begin : g_b_bipolar
    assign b_wide = {!b, 1'b1};
  end else begin : g_b
    assign b_wide = BWide'({B_SIGNED && b[B_BITS-1], b});
  end

  if (MULTIPLY) begin : g_multiply
    localparam bit Swap = BWide > AWide;  // the product wants its wider operand first
    logic [Wide-1:0] product;
    bs_matmul_product #(
      .A_BITS    (Swap ? BWide : AWide),
      .A_SIGNED  (1),
      .B_BITS    (Swap ? AWide : BWide),
      .B_SIGNED  (1),
      .P_BITS    (Wide),
      .DSP       (BLOCKS),
      .LUT_INPUTS(LUT_INPUTS)
    ) product_i (
      .a(Swap ? b_wide : a_wide),
      .b(Swap ? a_wide : b_wide),
      .p(product)
    );
    assign y = $signed(product);
  end else if (SUBTRACT) begin : g_subtract
    assign y = Wide'(a_wide) - Wide'(b_wide);
  end else begin : g_add
    assign y = Wide'(a_wide) + Wide'(b_wide);
  end

  always_ff @(posedge clk)
    if (enable) y_o <= Y_BIPOLAR ? Y_BITS'(!y[Wide-1]) : Y_BITS'(y);
endmodule
