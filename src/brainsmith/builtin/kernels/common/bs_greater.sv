// a > b, combinational, as a tree of logic.
//
// Each bit says whether a is greater there and whether the two are equal; neighbours join, the
// upper one decides unless it is equal. log2(BITS) levels. On devices whose carry chains want an
// inverter for each bit of a subtrahend (ECP5) this takes little more than half of the LUTs.
module bs_greater #(
  parameter int BITS   = 8,
  parameter bit SIGNED = 0
) (
  input  logic [BITS-1:0] a,
  input  logic [BITS-1:0] b,
  output logic            y
);
  logic [BITS-1:0] greater, equal;

  always_comb begin
    greater = a & ~b;
    equal   = ~(a ^ b);
    if (SIGNED) greater[BITS-1] = !a[BITS-1] && b[BITS-1];
    for (int span = 1; span < BITS; span = 2 * span)
      for (int i = 0; i + span < BITS; i = i + 2 * span) begin
        greater[i] = greater[i+span] || (equal[i+span] && greater[i]);
        equal[i]   = equal[i+span] && equal[i];
      end
    y = greater[0];
  end
endmodule
