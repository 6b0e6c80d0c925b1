// Sum of TERMS numbers of TERM_BITS bits, pairwise, one level an instance of itself.
//
// A register follows each LEVELS_PER_STAGE levels and the last one; LEVEL counts the levels of
// logic since the last register before this tree. A term without a partner is passed on. Sums grow
// by one bit a level up to MAX_BITS and are kept modulo 2**MAX_BITS from there.
module bs_matmul_adder_tree #(
    parameter  int unsigned TERMS            = 2,
    parameter  int unsigned TERM_BITS        = 4,
    parameter  bit          SIGNED           = 1,
    parameter  int unsigned MAX_BITS         = 32,
    parameter  int unsigned LEVELS_PER_STAGE = 1,
    parameter  int unsigned LEVEL            = 0,
    parameter  int unsigned LUT_INPUTS       = 4,
    localparam int unsigned GROWN_BITS       = TERM_BITS + $clog2(TERMS),
    localparam int unsigned SUM_BITS         = GROWN_BITS < MAX_BITS ? GROWN_BITS : MAX_BITS
) (
    input  logic                       clk,
    input  logic [TERMS*TERM_BITS-1:0] terms,
    output logic [       SUM_BITS-1:0] sum
);
  if (TERMS == 1) begin : gen_leaf
    assign sum = terms;
  end else begin : gen_level
    localparam int unsigned PAIRS = (TERMS + 1) / 2;
    localparam int unsigned PAIR_BITS = TERM_BITS < MAX_BITS ? TERM_BITS + 1 : MAX_BITS;
    localparam bit REG = PAIRS == 1 || LEVEL + 1 >= LEVELS_PER_STAGE;
    logic [PAIRS*PAIR_BITS-1:0] pairs, pairs_q;

    for (genvar i = 0; i < PAIRS; i++) begin : gen_pair
      logic [TERM_BITS-1:0] a;
      logic [PAIR_BITS-1:0] a_wide;
      assign a = terms[2*i*TERM_BITS+:TERM_BITS];
      assign a_wide = PAIR_BITS'($signed({SIGNED & a[TERM_BITS-1], a}));
      if (2 * i + 1 < TERMS) begin : gen_add
        logic [TERM_BITS-1:0] b;
        assign b = terms[(2*i+1)*TERM_BITS+:TERM_BITS];
        bs_matmul_adder #(
            .WIDTH(PAIR_BITS),
            .PLAIN(LUT_INPUTS < 6 && TERM_BITS <= 6)
        ) adder (
            .a  (a_wide),
            .b  (PAIR_BITS'($signed({SIGNED & b[TERM_BITS-1], b}))),
            .sum(pairs[i*PAIR_BITS+:PAIR_BITS])
        );
      end else begin : gen_pass
        assign pairs[i*PAIR_BITS+:PAIR_BITS] = a_wide;
      end
    end

    if (REG) begin : gen_reg
      always_ff @(posedge clk) pairs_q <= pairs;
    end else begin : gen_wire
      assign pairs_q = pairs;
    end

    bs_matmul_adder_tree #(
        .TERMS(PAIRS),
        .TERM_BITS(PAIR_BITS),
        .SIGNED(SIGNED),
        .MAX_BITS(MAX_BITS),
        .LEVELS_PER_STAGE(LEVELS_PER_STAGE),
        .LEVEL(REG ? 0 : LEVEL + 1),
        .LUT_INPUTS(LUT_INPUTS)
    ) next (
        .clk,
        .terms(pairs_q),
        .sum
    );
  end
endmodule
