// Counts the iterations of one loop of a nest: `last` in the last of TRIP, of which `step` ends one.
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

    // It never goes beyond TRIP - 1, so that the bits that are 1 there suffice.
    assign last = &(count_q | ~Bits'(TRIP - 1));

    always_ff @(posedge clk)
      if (!rst_n) count_q <= '0;
      else if (step) count_q <= last ? '0 : count_q + 1'b1;
  end
endmodule
