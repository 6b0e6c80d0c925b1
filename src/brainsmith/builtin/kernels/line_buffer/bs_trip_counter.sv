// Counts the iterations of one loop of a nest: `last`, a register, says that it is in the last of
// TRIP iterations; `step` ends one.
module bs_trip_counter #(
  parameter int TRIP = 4
) (
  input  logic clk,
  input  logic rst_n,
  input  logic step,
  output logic last
);
  if (TRIP == 1) begin : g_once
    assign last = 1'b1;
  end else begin : g_count
    localparam int Bits = $clog2(TRIP);
    logic [Bits-1:0] count_q;
    logic last_q, last_d;

    // Of the numbers up to TRIP - 1, none but this has all the bits of TRIP - 2.
    assign last_d = &(count_q | ~Bits'(TRIP - 2)) && !last_q;
    assign last   = last_q;

    always_ff @(posedge clk)
      if (!rst_n) begin
        count_q <= '0;
        last_q  <= 1'b0;
      end else if (step) begin
        count_q <= last_q ? '0 : count_q + 1'b1;
        last_q  <= last_d;
      end
  end
endmodule
