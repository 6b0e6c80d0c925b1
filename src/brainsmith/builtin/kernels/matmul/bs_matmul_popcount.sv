// Count of the ones among the bit products of LANES lanes, combinational.
//
// The product of two bits is their XNOR where they are bipolar, else their AND. The compressors are
// those that waste no LUT, written as plain logic, because small carry chains cost more:
//
//    LUT_INPUTS >= 6, up to 18 lanes: one LUT each sees 3 lanes and gives a bit of their count;
//      the 6 ones, and the 6 twos, are counted in 3 LUTs each, and the two counts added in 4.
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
  logic [LANES-1:0] products;
  assign products = XNOR ? x ~^ w : x & w;

  // A full adder.
  function automatic logic [1:0] count3(input logic [2:0] bits);
    return {(bits[0] & bits[1]) | (bits[2] & (bits[0] ^ bits[1])), ^bits};
  endfunction

  // A 6:3 compressor.
  function automatic logic [2:0] count6(input logic [5:0] bits);
    logic [1:0] low, high, twos;
    low  = count3(bits[2:0]);
    high = count3(bits[5:3]);
    twos = count3({low[1], high[1], low[0] & high[0]});
    return {twos, low[0] ^ high[0]};
  endfunction

  if (LUT_INPUTS >= 6) begin : gen_lut6
    logic [17:0] padded;
    logic [5:0] ones, twos;
    logic [2:0] count_ones, count_twos;
    logic [1:0] middle, high;
    logic [4:0] total;
    assign padded = 18'(products);
    for (genvar i = 0; i < 6; i++) begin : gen_three
      assign {twos[i], ones[i]} = count3(padded[3*i+:3]);
    end
    assign count_ones = count6(ones);
    assign count_twos = count6(twos);
    // count_ones + 2 * count_twos
    assign middle = {count_ones[1] & count_twos[0], count_ones[1] ^ count_twos[0]};
    assign high = count3({count_ones[2], count_twos[1], middle[1]});
    assign total = {count_twos[2] & high[1], count_twos[2] ^ high[1], high[0], middle[0],
                    count_ones[0]};
    assign count = COUNT_BITS'(total);
  end else begin : gen_lut4
    logic [6:0] padded;
    logic [1:0] low, high, ones, twos;
    assign padded = 7'(products);
    assign low = count3(padded[2:0]);
    assign high = count3(padded[5:3]);
    assign ones = count3({low[0], high[0], padded[6]});
    assign twos = count3({low[1], high[1], ones[1]});
    assign count = COUNT_BITS'({twos, ones[0]});
  end
endmodule
