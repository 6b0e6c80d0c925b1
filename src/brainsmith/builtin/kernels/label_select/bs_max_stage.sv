// One level of a tree of maxima: COUNT values become (COUNT + 1) / 2 in one cycle.
//
// `index_i` holds for each value the LEVEL answers of the levels before; the answer of this level
// (1: the upper of the pair is greater) goes on top of the winner's. At the end of the tree the
// answers are the position of the greatest value, the lowest one on a tie.
module bs_max_stage #(
  parameter int COUNT  = 2,
  parameter int LEVEL  = 0,
  parameter int BITS   = 8,
  parameter bit SIGNED = 0,
  localparam int Pairs     = (COUNT + 1) / 2,
  localparam int IndexBits = LEVEL > 0 ? LEVEL : 1
) (
  input  logic                       clk,
  input  logic                       enable,
  input  logic [COUNT*BITS-1:0]      value_i,
  input  logic [COUNT*IndexBits-1:0] index_i,
  output logic [Pairs*BITS-1:0]      value_o,
  output logic [Pairs*(LEVEL+1)-1:0] index_o
);
  for (genvar p = 0; p < Pairs; p++) begin : g_pair
    logic [BITS-1:0] low, value;
    logic [LEVEL:0]  low_index, index;

    assign low       = value_i[2*p*BITS+:BITS];
    assign low_index = LEVEL > 0 ? (LEVEL + 1)'(index_i[2*p*IndexBits+:IndexBits]) : '0;

    if (2 * p + 1 < COUNT) begin : g_two
      logic [BITS-1:0] high;
      logic [LEVEL:0]  high_index;
      logic            upper;
      assign high       = value_i[(2*p+1)*BITS+:BITS];
      assign high_index = LEVEL > 0
          ? (LEVEL + 1)'({1'b1, index_i[(2*p+1)*IndexBits+:IndexBits]}) : (LEVEL + 1)'(1);
      bs_greater #(.BITS(BITS), .SIGNED(SIGNED)) greater_i (.a(high), .b(low), .y(upper));
      assign value = upper ? high : low;
      assign index = upper ? high_index : low_index;
    end else begin : g_one
      assign value = low;
      assign index = low_index;
    end

    always_ff @(posedge clk)
      if (enable) begin
        value_o[p*BITS+:BITS]           <= value;
        index_o[p*(LEVEL+1)+:(LEVEL+1)] <= index;
      end
  end
endmodule
