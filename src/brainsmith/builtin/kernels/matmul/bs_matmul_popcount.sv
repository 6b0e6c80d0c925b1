// Count of the ones among the bit products of LANES lanes, combinational.
//
// The product of two bits is their XNOR where they are bipolar, else their AND. The compressors are
// those that waste no LUT, since short carry chains cost more:
//
//    LUT_INPUTS >= 6, up to 18 lanes: one LUT each sees 3 lanes and gives a bit of their count;
//      the 6 ones, and the 6 twos, are counted in 3 LUTs each, and the two counts added in 4.
//      These LUTs are given as tables: from equations ABC shares subexpressions between them, the
//      XNORs above all, and needs half as many LUTs again.
//    else, up to 7 lanes: 7 product bits, then the 4 full adders of a 7:3 counter.
module bs_matmul_popcount #(
    parameter  int unsigned LANES      = 7,
    parameter  bit          XNOR       = 1,
    parameter  int unsigned LUT_INPUTS = 4,
    localparam int unsigned COUNT_BITS = $clog2(LANES + 1)
) (
    input  logic [     LANES-1:0] x,
    input  logic [     LANES-1:0] w,
    output logic [COUNT_BITS-1:0] count
);
  typedef logic [63:0] table_t;

  // Bit `place` of the number of ones in the index.
  function automatic table_t ones_table(input int place);
    for (int i = 0; i < 64; i++) ones_table[i] = 1'($countones(6'(i)) >> place);
  endfunction

  // Bit `place` of the count of three lanes; the index holds w above x.
  function automatic table_t lanes_table(input int place);
    logic [2:0] products;
    for (int i = 0; i < 64; i++) begin
      products = XNOR ? 3'(i >> 3) ~^ 3'(i) : 3'(i >> 3) & 3'(i);
      lanes_table[i] = 1'($countones(products) >> place);
    end
  endfunction

  localparam table_t LANES_ONE = lanes_table(0);
  localparam table_t LANES_TWO = lanes_table(1);
  localparam table_t ONES_ONE = ones_table(0);
  localparam table_t ONES_TWO = ones_table(1);
  localparam table_t ONES_FOUR = ones_table(2);

  if (LUT_INPUTS >= 6) begin : gen_lut6
    // Missing lanes have the product 0.
    logic [17:0] x_padded, w_padded;
    logic [5:0] ones, twos;
    logic [2:0] count_ones, count_twos;
    logic [4:0] total;
    assign x_padded = 18'(x);
    for (genvar i = 0; i < 18; i++) begin : gen_pad
      assign w_padded[i] = i < LANES ? w[i < LANES ? i : 0] : XNOR;
    end
    for (genvar i = 0; i < 6; i++) begin : gen_three
      assign ones[i] = LANES_ONE[{w_padded[3*i+:3], x_padded[3*i+:3]}];
      assign twos[i] = LANES_TWO[{w_padded[3*i+:3], x_padded[3*i+:3]}];
    end
    assign count_ones = {ONES_FOUR[ones], ONES_TWO[ones], ONES_ONE[ones]};
    assign count_twos = {ONES_FOUR[twos], ONES_TWO[twos], ONES_ONE[twos]};
    bs_matmul_adder #(
        .WIDTH(5),
        .PLAIN(1)
    ) adder (
        .a  ({2'b00, count_ones}),
        .b  ({1'b0, count_twos, 1'b0}),
        .sum(total)
    );
    assign count = COUNT_BITS'(total);
  end else begin : gen_lut4
    // A full adder.
    function automatic logic [1:0] count3(input logic [2:0] bits);
      return {(bits[0] & bits[1]) | (bits[2] & (bits[0] ^ bits[1])), ^bits};
    endfunction

    logic [6:0] products;
    logic [1:0] low, high, ones, twos;
    assign products = 7'({XNOR ? x ~^ w : x & w});
    assign low = count3(products[2:0]);
    assign high = count3(products[5:3]);
    assign ones = count3({low[0], high[0], products[6]});
    assign twos = count3({low[1], high[1], ones[1]});
    assign count = COUNT_BITS'({twos, ones[0]});
  end
endmodule
