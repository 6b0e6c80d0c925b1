// sum = a + b modulo 2**WIDTH, combinational: a carry chain, or with PLAIN full adders in logic.
//
// Full adders are the better choice where synthesis can fold them with what surrounds them, and
// where entering and leaving a carry chain costs more than a few of them: on families with LUTs of
// 4 inputs up to about 6 bits, on ECP5 with its logic cells before and behind each chain.
// A simulation adds either way.
module bs_matmul_adder #(
    parameter int unsigned WIDTH = 8,
    parameter bit          PLAIN = 0
) (
    input  logic [WIDTH-1:0] a,
    input  logic [WIDTH-1:0] b,
    output logic [WIDTH-1:0] sum
);
`ifdef SYNTHESIS
  if (PLAIN) begin : gen_plain
    logic carry;
    always_comb begin
      carry = 1'b0;
      for (int i = 0; i < WIDTH; i++) begin
        sum[i] = a[i] ^ b[i] ^ carry;
        carry  = (a[i] & b[i]) | (carry & (a[i] ^ b[i]));
      end
    end
  end else begin : gen_chain
    assign sum = a + b;
  end
`else
  assign sum = a + b;
`endif
endmodule
