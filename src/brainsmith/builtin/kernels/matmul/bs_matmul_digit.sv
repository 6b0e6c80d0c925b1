// p = u * v of a digit of 4 bits and one of 2, as two's complement, in plain logic: 6 inputs.
//
//    p = v[0] * u + v[1] * 2u, where the second term counts negative if v is signed
//
// Synthesis takes the bits as they are written; a simulation of them takes seven times as much C++
// as one of the product, so it multiplies.
module bs_matmul_digit #(
    parameter bit U_SIGNED = 1,
    parameter bit V_SIGNED = 1
) (
    input  logic [3:0] u,
    input  logic [1:0] v,
    output logic [6:0] p
);
`ifdef SYNTHESIS
  logic [6:0] u_wide, term;
  logic carry;

  always_comb begin
    u_wide = {{3{U_SIGNED & u[3]}}, u};
    // -2u * v[1] = ~(2u * v[1]) + 1
    term = {7{v[1]}} & {u_wide[5:0], 1'b0} ^ {7{V_SIGNED}};
    carry = V_SIGNED;
    for (int i = 0; i < 7; i++) begin
      p[i]  = (u_wide[i] & v[0]) ^ term[i] ^ carry;
      carry = (u_wide[i] & v[0] & term[i]) | (carry & ((u_wide[i] & v[0]) ^ term[i]));
    end
  end
`else
  logic signed [4:0] u_wide;
  logic signed [2:0] v_wide;
  assign u_wide = {U_SIGNED & u[3], u};
  assign v_wide = {V_SIGNED & v[1], v};
  assign p = 7'(u_wide * v_wide);
`endif
endmodule
