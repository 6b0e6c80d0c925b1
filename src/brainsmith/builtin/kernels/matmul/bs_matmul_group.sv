// Sum of SIZE lane products, modulo 2**SUM_BITS, combinational.
//
// SIZE is greater than one only where a few LUTs see all operand bits of the lanes: the products
// are then added by plain logic, which ABC and Vivado fold with the products into those LUTs,
// instead of carry chains.
module bs_matmul_group #(
    parameter int unsigned SIZE       = 1,
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
    input  logic [SIZE*X_BITS-1:0] x,
    input  logic [SIZE*W_BITS-1:0] w,
    output logic [   SUM_BITS-1:0] sum
);
  logic [SIZE*SUM_BITS-1:0] products;

  for (genvar i = 0; i < SIZE; i++) begin : gen_lane
    if (X_BIPOLAR && W_BIPOLAR) begin : gen_xnor
      assign products[i*SUM_BITS+:SUM_BITS] = SUM_BITS'({x[i] ~^ w[i]});
    end else begin : gen_product
      // Bipolar operands become two's complement: 0 is -1 = 11, 1 is 01.
      localparam int unsigned A_BITS = X_BIPOLAR ? 2 : X_BITS;
      localparam int unsigned B_BITS = W_BIPOLAR ? 2 : W_BITS;
      logic [A_BITS-1:0] a;
      logic [B_BITS-1:0] b;
      assign a = X_BIPOLAR ? A_BITS'({~x[i*X_BITS], 1'b1}) : A_BITS'(x[i*X_BITS+:X_BITS]);
      assign b = W_BIPOLAR ? B_BITS'({~w[i*W_BITS], 1'b1}) : B_BITS'(w[i*W_BITS+:W_BITS]);
      // The wider operand comes first: it is the one that is cut into the larger digits.
      if (A_BITS >= B_BITS) begin : gen_x_first
        bs_matmul_product #(
            .A_BITS(A_BITS),
            .A_SIGNED(X_SIGNED),
            .B_BITS(B_BITS),
            .B_SIGNED(W_SIGNED),
            .P_BITS(SUM_BITS),
            .DSP(DSP),
            .LUT_INPUTS(LUT_INPUTS)
        ) product (
            .a,
            .b,
            .p(products[i*SUM_BITS+:SUM_BITS])
        );
      end else begin : gen_w_first
        bs_matmul_product #(
            .A_BITS(B_BITS),
            .A_SIGNED(W_SIGNED),
            .B_BITS(A_BITS),
            .B_SIGNED(X_SIGNED),
            .P_BITS(SUM_BITS),
            .DSP(DSP),
            .LUT_INPUTS(LUT_INPUTS)
        ) product (
            .a(b),
            .b(a),
            .p(products[i*SUM_BITS+:SUM_BITS])
        );
      end
    end
  end

  // A ripple adder in plain logic.
  function automatic logic [SUM_BITS-1:0] add(input logic [SUM_BITS-1:0] a,
                                              input logic [SUM_BITS-1:0] b);
    logic carry;
    carry = 1'b0;
    for (int i = 0; i < SUM_BITS; i++) begin
      add[i] = a[i] ^ b[i] ^ carry;
      carry  = (a[i] & b[i]) | (carry & (a[i] ^ b[i]));
    end
  endfunction

  always_comb begin
    sum = products[SUM_BITS-1:0];
    for (int i = 1; i < SIZE; i++) sum = add(sum, products[i*SUM_BITS+:SUM_BITS]);
  end
endmodule
