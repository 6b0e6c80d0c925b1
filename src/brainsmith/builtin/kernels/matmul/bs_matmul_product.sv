// p = a * b modulo 2**P_BITS, combinational, a at least as wide as b.
//
// With DSP a plain product, for synthesis to place in a DSP block. Else schoolbook multiplication
// with a in digits of 4 bits and b in digits of 2, so that each bit of a digit product is a table
// of 6 inputs; only the highest digit of a signed operand is signed. By Horner's scheme:
//
//    row[j] = sum over i of a_digit[i] * b_digit[j] << 4i
//    p      = sum over j of row[j] << 2j
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
    (* use_dsp = "yes" *)
    logic signed [A_BITS+B_BITS+1:0] full;
    assign a_extended = {A_SIGNED & a[A_BITS-1], a};
    assign b_extended = {B_SIGNED & b[B_BITS-1], b};
    assign full = a_extended * b_extended;
    assign p = P_BITS'(full);
  end else begin : gen_lut
    localparam int unsigned A_DIGITS = (A_BITS + 3) / 4;
    localparam int unsigned B_DIGITS = (B_BITS + 1) / 2;
    localparam bit PLAIN = LUT_INPUTS < 6 && P_BITS <= 10;

    logic signed [4*A_DIGITS:0] a_padded;
    logic signed [2*B_DIGITS:0] b_padded;
    assign a_padded = $signed({A_SIGNED & a[A_BITS-1], a});
    assign b_padded = $signed({B_SIGNED & b[B_BITS-1], b});

    // Partial results of Horner's scheme, the highest digit first; index 0 is the result.
    logic [P_BITS-1:0] partial[0:B_DIGITS];
    assign partial[B_DIGITS] = '0;

    for (genvar j = 0; j < B_DIGITS; j++) begin : gen_row
      logic [P_BITS-1:0] row[0:A_DIGITS];
      assign row[A_DIGITS] = '0;
      for (genvar i = 0; i < A_DIGITS; i++) begin : gen_digit
        logic [6:0] digit;
        bs_matmul_digit #(
            .U_SIGNED(A_SIGNED && i == A_DIGITS - 1),
            .V_SIGNED(B_SIGNED && j == B_DIGITS - 1)
        ) digit_product (
            .u(a_padded[4*i+:4]),
            .v(b_padded[2*j+:2]),
            .p(digit)
        );
        bs_matmul_adder #(
            .WIDTH(P_BITS),
            .PLAIN(PLAIN)
        ) adder (
            .a  (row[i+1] << 4),
            .b  (P_BITS'($signed(digit))),
            .sum(row[i])
        );
      end
      bs_matmul_adder #(
          .WIDTH(P_BITS),
          .PLAIN(PLAIN)
      ) adder (
          .a  (partial[j+1] << 2),
          .b  (row[0]),
          .sum(partial[j])
      );
    end
    assign p = partial[0];
  end
endmodule
