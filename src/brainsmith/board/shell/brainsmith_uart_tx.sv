// Transmitter of a serial line, 8N1. BIT_STEP as in the receiver.
//
// `ready` comes with the end of a stop bit, so that bytes which wait leave without a gap.
`default_nettype none
module brainsmith_uart_tx #(
  parameter int unsigned BIT_STEP = 1 << 17
) (
  input  logic       clk,
  input  logic       rst_n,
  input  logic [7:0] data,
  input  logic       valid,
  output logic       ready,
  output logic       tx
);
  localparam logic [20:0] Step = 21'(BIT_STEP);

  logic [20:0] phase_q;
  logic [9:0] shift_q;  // what is on the line in bit 0
  logic [3:0] left_q;   // bits to send, the one on the line included
  logic last;

  assign tx    = shift_q[0];
  assign last  = (left_q == 4'd1) & phase_q[20];
  assign ready = (left_q == 4'd0) | last;

  always_ff @(posedge clk) begin
    phase_q <= {1'b0, phase_q[19:0]} + Step;
    if (ready) begin
      left_q <= valid ? 4'd10 : 4'd0;
      if (valid) shift_q <= {1'b1, data, 1'b0};
      if (left_q == 4'd0) phase_q <= Step;
    end else if (phase_q[20]) begin
      shift_q <= {1'b1, shift_q[9:1]};
      left_q  <= left_q - 4'd1;
    end
    if (!rst_n) begin
      shift_q <= '1;
      left_q  <= '0;
      phase_q <= '0;
    end
  end
endmodule
`default_nettype wire
