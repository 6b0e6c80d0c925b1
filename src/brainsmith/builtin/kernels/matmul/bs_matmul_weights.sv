// Constant weights: `word` follows `address` by one cycle, or by two with BLOCK, where the second
// register hides the long access time of a block RAM. With one word synthesis folds all of it away.
module bs_matmul_weights #(
    parameter  int unsigned WIDTH        = 8,
    parameter  int unsigned DEPTH        = 1,
    parameter               FILE         = "weights.mem",
    parameter  bit          BLOCK        = 0,
    localparam int unsigned ADDRESS_BITS = DEPTH > 1 ? $clog2(DEPTH) : 1
) (
    input  logic                    clk,
    input  logic [ADDRESS_BITS-1:0] address,
    output logic [       WIDTH-1:0] word
);
  if (BLOCK) begin : gen_block
    (* rom_style = "block" *)
    logic [WIDTH-1:0] memory[0:DEPTH-1];
    logic [WIDTH-1:0] word_q;
    initial $readmemh(FILE, memory);
    always_ff @(posedge clk) begin
      word_q <= memory[address];
      word   <= word_q;
    end
  end else begin : gen_distributed
    (* syn_romstyle = "logic" *)  // Yosys takes "distributed" for writable memories only
    logic [WIDTH-1:0] memory[0:DEPTH-1];
    initial $readmemh(FILE, memory);
    always_ff @(posedge clk) word <= memory[address];
  end
endmodule
