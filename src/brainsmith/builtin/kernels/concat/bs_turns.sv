// Whose turn it is: the first's for FIRST steps, the second's for SECOND, and again. Registers.
module bs_turns #(
  parameter int FIRST  = 2,
  parameter int SECOND = 3
) (
  input  logic clk,
  input  logic rst_n,
  input  logic step,
  output logic second
);
  localparam int Bits = $clog2(FIRST + SECOND);

  logic [Bits-1:0] place_q;
  logic last;

  assign last = place_q == Bits'(FIRST + SECOND - 1);

  always_ff @(posedge clk)
    if (!rst_n) begin
      place_q <= '0;
      second  <= 1'b0;
    end else if (step) begin
      place_q <= last ? '0 : place_q + 1'b1;
      if (last) second <= 1'b0;
      else if (place_q == Bits'(FIRST - 1)) second <= 1'b1;
    end
endmodule
