// The x operand of each beat: from the stream in pass 0, from a buffer of SF words in later passes.
//
// `x` follows the issue (`go`) of its beat by one cycle, two with EXTRA_REG. With one pass there is
// no buffer; with one beat a pass the operand register itself holds the vector. A word is written
// at least one cycle before it is read, so no read meets a write of the same word.
module bs_matmul_input #(
    parameter  int unsigned WIDTH     = 8,
    parameter  int unsigned SF        = 1,
    parameter  int unsigned NF        = 1,
    parameter  bit          BLOCK     = 0,
    parameter  bit          EXTRA_REG = 0,
    parameter               LUT_STYLE = "distributed",
    localparam int unsigned BEAT_BITS = SF > 1 ? $clog2(SF) : 1
) (
    input  logic                 clk,
    input  logic [    WIDTH-1:0] stream,
    input  logic                 go,
    input  logic                 filling,
    input  logic [BEAT_BITS-1:0] beat,
    input  logic [BEAT_BITS-1:0] beat_next,
    output logic [    WIDTH-1:0] x
);
  logic [WIDTH-1:0] operand_q;

  if (NF == 1) begin : gen_stream
    always_ff @(posedge clk) operand_q <= stream;
  end else if (SF == 1) begin : gen_hold
    always_ff @(posedge clk) if (filling) operand_q <= stream;
  end else if (BLOCK) begin : gen_block
    // The memory reads the word of the next beat, so that it is there when the beat is issued.
    (* ram_style = "block", no_rw_check *)
    logic [WIDTH-1:0] memory[0:SF-1];
    logic [WIDTH-1:0] replay_q;
    always_ff @(posedge clk) begin
      if (go && filling) memory[beat] <= stream;
      replay_q <= memory[beat_next];
    end
    always_ff @(posedge clk) operand_q <= filling ? stream : replay_q;
  end else begin : gen_distributed
    (* ram_style = LUT_STYLE *)
    logic [WIDTH-1:0] memory[0:SF-1];
    always_ff @(posedge clk) if (go && filling) memory[beat] <= stream;
    always_ff @(posedge clk) operand_q <= filling ? stream : memory[beat];
  end

  if (EXTRA_REG) begin : gen_extra_reg
    always_ff @(posedge clk) x <= operand_q;
  end else begin : gen_direct
    assign x = operand_q;
  end
endmodule
