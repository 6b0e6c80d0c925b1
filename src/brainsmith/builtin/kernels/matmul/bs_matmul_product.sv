// p = a * b modulo 2**P_BITS, combinational, a at least as wide as b.
//
// With DSP a plain product, for synthesis to place in a DSP block. Else schoolbook
// multiplication with digits whose product is a table of LUT_INPUTS inputs: a in digits of
// LUT_INPUTS - 2 bits, b in digits of 2 bits; only the highest digit of a signed operand is signed.
// The digit products are plain logic (one LUT for each of their bits), their sums carry chains:
//
//    row[j] = sum over i of a_digit[i] * b_digit[j] << (i * A_DIGIT)
//    p      = sum over j of row[j] << (j * B_DIGIT)
module bs_matmul_product #(
    parameter int unsigned A_BITS     = 4,
    parameter bit          A_SIGNED   = 1,
    parameter int unsigned B_BITS     = 4,
    parameter bit          B_SIGNED   = 1,
    parameter int unsigned P_BITS     = 8,
    parameter bit          DSP        = 0,
    parameter int unsigned LUT_INPUTS = 4
) (
    input  logic [A_BITS-1:0] a,
    input  logic [B_BITS-1:0] b,
    output logic [P_BITS-1:0] p
);
  if (DSP) begin : gen_dsp
    logic signed [A_BITS:0] a_extended;
    logic signed [B_BITS:0] b_extended;
    (* use_dsp = "yes" *) logic signed [A_BITS+B_BITS+1:0] full;
    assign a_extended = {A_SIGNED & a[A_BITS-1], a};
    assign b_extended = {B_SIGNED & b[B_BITS-1], b};
    assign full = a_extended * b_extended;
    assign p = P_BITS'(full);
  end else begin : gen_lut
    localparam int unsigned A_DIGIT = LUT_INPUTS - 2;
    localparam int unsigned B_DIGIT = 2;
    localparam int unsigned A_DIGITS = (A_BITS + A_DIGIT - 1) / A_DIGIT;
    localparam int unsigned B_DIGITS = (B_BITS + B_DIGIT - 1) / B_DIGIT;
    localparam int unsigned D_BITS = A_DIGIT + B_DIGIT;

    // Product of two digits in plain logic, modulo 2**D_BITS: exact, and signed if a digit is.
    function automatic logic [D_BITS-1:0] digit_product(
        input logic [A_DIGIT-1:0] u, input logic u_signed, input logic [B_DIGIT-1:0] v,
        input logic v_signed);
      logic [D_BITS-1:0] term, total;
      logic negate, carry;
      total = '0;
      for (int j = 0; j < B_DIGIT; j++) begin
        // The highest bit of a signed digit counts negative: subtract by adding ~term + 1.
        negate = v_signed && j == B_DIGIT - 1;
        for (int i = 0; i < D_BITS; i++) begin
          if (i < j) term[i] = 1'b0;
          else if (i - j < A_DIGIT) term[i] = u[i-j] & v[j];
          else term[i] = u_signed & u[A_DIGIT-1] & v[j];
        end
        carry = negate;
        for (int i = 0; i < D_BITS; i++) begin
          logic addend, augend;
          augend   = total[i];
          addend   = term[i] ^ negate;
          total[i] = augend ^ addend ^ carry;
          carry    = (augend & addend) | (carry & (augend ^ addend));
        end
      end
      return total;
    endfunction

    logic signed [A_DIGITS*A_DIGIT:0] a_padded;
    logic signed [B_DIGITS*B_DIGIT:0] b_padded;
    assign a_padded = $signed({A_SIGNED & a[A_BITS-1], a});
    assign b_padded = $signed({B_SIGNED & b[B_BITS-1], b});

    // Horner's scheme from the highest digit down, for rows and for the product.
    logic [P_BITS-1:0] row;
    logic [D_BITS-1:0] digits;
    always_comb begin
      p = '0;
      for (int j = B_DIGITS - 1; j >= 0; j--) begin
        row = '0;
        for (int i = A_DIGITS - 1; i >= 0; i--) begin
          digits = digit_product(
              a_padded[i*A_DIGIT+:A_DIGIT], A_SIGNED && i == A_DIGITS - 1,
              b_padded[j*B_DIGIT+:B_DIGIT], B_SIGNED && j == B_DIGITS - 1);
          row = (row << A_DIGIT) + P_BITS'($signed({digit_sign(i, j) & digits[D_BITS-1], digits}));
        end
        p = (p << B_DIGIT) + row;
      end
    end

    function automatic logic digit_sign(input int i, input int j);
      return (A_SIGNED && i == A_DIGITS - 1) || (B_SIGNED && j == B_DIGITS - 1);
    endfunction
  end
endmodule
