// Sum of LANES lane products, modulo 2**SUM_BITS, combinational.
//
// LANES is greater than one only where one LUT sees all operand bits of the lanes: the products are
// then added by plain logic, which synthesis folds with the products into a LUT for each bit of the
// sum, instead of carry chains. SUM_BITS may be less than the operands' types suggest, where the
// ranges of their values are smaller.
module bs_matmul_group #(
    parameter int unsigned LANES      = 1,
    parameter int unsigned X_BITS     = 4,
    parameter bit          X_SIGNED   = 1,
    parameter bit          X_BIPOLAR  = 0,
    parameter int unsigned W_BITS     = 4,
    parameter bit          W_SIGNED   = 1,
    parameter bit          W_BIPOLAR  = 0,
    parameter int unsigned SUM_BITS   = 8,
    parameter bit          DSP        = 0,
    parameter int unsigned LUT_INPUTS = 4
) (
    input  logic [LANES*X_BITS-1:0] x,
    input  logic [LANES*W_BITS-1:0] w,
    output logic [    SUM_BITS-1:0] sum
);
  // Bipolar operands become two's complement: 0 is -1 = 11, 1 is 01.
  localparam int unsigned X_WIDE = X_BIPOLAR ? 2 : X_BITS;
  localparam int unsigned W_WIDE = W_BIPOLAR ? 2 : W_BITS;
  // The wider operand comes first: it is the one that is cut into the larger digits.
  localparam bit SWAP = W_WIDE > X_WIDE;
  localparam int unsigned A_BITS = SWAP ? W_WIDE : X_WIDE;
  localparam int unsigned B_BITS = SWAP ? X_WIDE : W_WIDE;

  logic [LANES*SUM_BITS-1:0] products;

  for (genvar i = 0; i < LANES; i++) begin : gen_lane
    logic [X_WIDE-1:0] x_wide;
    logic [W_WIDE-1:0] w_wide;
    assign x_wide = X_BIPOLAR ? X_WIDE'({~x[i*X_BITS], 1'b1}) : X_WIDE'(x[i*X_BITS+:X_BITS]);
    assign w_wide = W_BIPOLAR ? W_WIDE'({~w[i*W_BITS], 1'b1}) : W_WIDE'(w[i*W_BITS+:W_BITS]);
    bs_matmul_product #(
        .A_BITS(A_BITS),
        .A_SIGNED(SWAP ? W_SIGNED : X_SIGNED),
        .B_BITS(B_BITS),
        .B_SIGNED(SWAP ? X_SIGNED : W_SIGNED),
        .P_BITS(SUM_BITS),
        .DSP(DSP),
        .LUT_INPUTS(LUT_INPUTS)
    ) product (
        .a(A_BITS'(SWAP ? w_wide : x_wide)),
        .b(B_BITS'(SWAP ? x_wide : w_wide)),
        .p(products[i*SUM_BITS+:SUM_BITS])
    );
  end

  logic [SUM_BITS-1:0] sums[0:LANES];
  assign sums[0] = '0;
  for (genvar i = 0; i < LANES; i++) begin : gen_sum
    bs_matmul_adder #(
        .WIDTH(SUM_BITS),
        .PLAIN(1)
    ) adder (
        .a  (sums[i]),
        .b  (products[i*SUM_BITS+:SUM_BITS]),
        .sum(sums[i+1])
    );
  end
  assign sum = sums[LANES];
endmodule
