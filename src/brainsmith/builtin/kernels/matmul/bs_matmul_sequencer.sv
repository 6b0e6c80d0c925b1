// Counts the beats of a vector: SF beats a pass, NF passes. All outputs are flip-flops, except
// `beat_next`, the beat that `beat` will be in the next cycle.
//
// filling:    the beat comes from the stream (pass 0).
// completes:  the beat is the last of its pass.
// address:    of the weights, pass * SF + beat.
module bs_matmul_sequencer #(
    parameter  int unsigned SF           = 1,
    parameter  int unsigned NF           = 1,
    localparam int unsigned BEAT_BITS    = SF > 1 ? $clog2(SF) : 1,
    localparam int unsigned ADDRESS_BITS = SF * NF > 1 ? $clog2(SF * NF) : 1
) (
    input  logic                    clk,
    input  logic                    rst_n,
    input  logic                    go,
    output logic [   BEAT_BITS-1:0] beat,
    output logic [   BEAT_BITS-1:0] beat_next,
    output logic [ADDRESS_BITS-1:0] address,
    output logic                    filling,
    output logic                    completes
);
  logic vector_ends;

  // In plain logic: Yosys 0.70 maps a LUT ROM to four times its size where a carry chain shares
  // the address with it.
  function automatic logic [ADDRESS_BITS-1:0] increment(input logic [ADDRESS_BITS-1:0] value);
    logic carry;
    carry = 1'b1;
    for (int i = 0; i < ADDRESS_BITS; i++) begin
      increment[i] = value[i] ^ carry;
      carry = carry & value[i];
    end
  endfunction

  assign beat_next = !go ? beat : completes ? '0 : beat + BEAT_BITS'(1);

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      beat <= '0;
      completes <= SF == 1;
    end else begin
      beat <= beat_next;
      completes <= beat_next == BEAT_BITS'(SF - 1);
    end
  end

  assign vector_ends = address == ADDRESS_BITS'(SF * NF - 1);

  always_ff @(posedge clk) begin
    if (!rst_n) address <= '0;
    else if (go) address <= vector_ends ? '0 : increment(address);
  end

  if (NF == 1) begin : gen_one_pass
    assign filling = 1'b1;
  end else begin : gen_passes
    always_ff @(posedge clk) begin
      if (!rst_n) filling <= 1'b1;
      else if (go && completes) filling <= vector_ends;
    end
  end
endmodule
