// Receiver of a serial line, 8N1.
//
// A phase accumulator of 20 bits counts bits: BIT_STEP = baud * 2^20 / clock, at most 2^17 (eight
// clock cycles a bit). It is set to one half at the falling edge of a start bit, so that it
// overflows in the middle of each bit. `valid` is up for one cycle a byte. A byte without a stop
// bit is told as `broken`, and the line must be high before the next start bit is looked for.
`default_nettype none
module brainsmith_uart_rx #(
  parameter int unsigned BIT_STEP = 1 << 17
) (
  input  logic       clk,
  input  logic       rst_n,
  input  logic       rx,
  output logic [7:0] data,
  output logic       valid,
  output logic       broken
);
  localparam logic [20:0] Step = 21'(BIT_STEP);
  localparam logic [20:0] Half = 21'(1 << 19);

  logic [2:0] line_q;  // two against metastability
  logic [20:0] phase_q;
  logic [3:0] bits_q;  // received bits: 0 is the start bit, 9 the stop bit
  logic active_q, stuck_q;
  logic [7:0] data_q;
  logic line, sample;

  assign line   = line_q[2];
  assign sample = active_q & phase_q[20];
  assign data   = data_q;

  always_ff @(posedge clk) begin
    line_q <= {line_q[1:0], rx};
    valid  <= 1'b0;
    broken <= 1'b0;
    if (!active_q) begin
      phase_q  <= Half + Step;
      bits_q   <= '0;
      active_q <= ~line & ~stuck_q;
      stuck_q  <= stuck_q & ~line;
    end else begin
      phase_q <= {1'b0, phase_q[19:0]} + Step;
      if (sample) begin
        bits_q <= bits_q + 4'd1;
        data_q <= {line, data_q[7:1]};
        if (bits_q == 4'd0) begin
          active_q <= ~line;  // else it was no start bit
        end else if (bits_q == 4'd9) begin
          active_q <= 1'b0;
          data_q   <= data_q;
          valid    <= line;
          broken   <= ~line;
          stuck_q  <= ~line;
        end
      end
    end
    if (!rst_n) begin
      line_q   <= '1;
      active_q <= 1'b0;
      stuck_q  <= 1'b1;
      valid    <= 1'b0;
      broken   <= 1'b0;
    end
  end
endmodule
`default_nettype wire
