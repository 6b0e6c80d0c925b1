// One processing element: the dot product of SIMD lanes, accumulated over the beats of a pass.
//
// The lanes are taken in groups of LANES, each of which becomes one term of a pipelined adder tree.
// `y` is the accumulator plus the partial sum that leaves the tree, valid in the cycle in which
// `part_valid && part_completes`. The accumulator starts anew after each completed result through
// the reset of its flip-flops, which costs no LUT.
module bs_matmul_pe #(
    parameter int unsigned K                = 4,
    parameter int unsigned SIMD             = 1,
    parameter int unsigned X_BITS           = 4,
    parameter bit          X_SIGNED         = 1,
    parameter bit          X_BIPOLAR        = 0,
    parameter int unsigned W_BITS           = 4,
    parameter bit          W_SIGNED         = 1,
    parameter bit          W_BIPOLAR        = 0,
    parameter int unsigned Y_BITS           = 10,
    parameter bit          COUNT            = 0,
    parameter int unsigned LANES            = 1,
    parameter int unsigned TERM_BITS        = 8,
    parameter bit          TERM_SIGNED      = 1,
    parameter bit          DSP              = 0,
    parameter int unsigned LEVELS_PER_STAGE = 1,
    parameter int unsigned LUT_INPUTS       = 4
) (
    input  logic                   clk,
    input  logic                   rst_n,
    input  logic [SIMD*X_BITS-1:0] x,
    input  logic [SIMD*W_BITS-1:0] w,
    input  logic                   part_valid,
    input  logic                   part_completes,
    output logic [     Y_BITS-1:0] y
);
  localparam bit XNOR = COUNT && X_BIPOLAR;
  localparam int unsigned TERMS = (SIMD + LANES - 1) / LANES;
  localparam int unsigned ACC_BITS = XNOR ? Y_BITS - 1 : Y_BITS;

  // ---- terms: lane products, summed by group ---------------------------------------------------
  logic [TERMS*TERM_BITS-1:0] terms_q;

  for (genvar t = 0; t < TERMS; t++) begin : gen_term
    localparam int unsigned SIZE = (t + 1) * LANES <= SIMD ? LANES : SIMD - t * LANES;
    logic [TERM_BITS-1:0] term;

    if (COUNT) begin : gen_count
      logic [$clog2(SIZE+1)-1:0] count;
      bs_matmul_popcount #(
          .LANES(SIZE),
          .XNOR(XNOR),
          .LUT_INPUTS(LUT_INPUTS)
      ) popcount (
          .x(x[t*LANES+:SIZE]),
          .w(w[t*LANES+:SIZE]),
          .count
      );
      assign term = TERM_BITS'(count);
    end else begin : gen_sum
      bs_matmul_group #(
          .LANES(SIZE),
          .X_BITS(X_BITS),
          .X_SIGNED(X_SIGNED),
          .X_BIPOLAR(X_BIPOLAR),
          .W_BITS(W_BITS),
          .W_SIGNED(W_SIGNED),
          .W_BIPOLAR(W_BIPOLAR),
          .SUM_BITS(TERM_BITS),
          .DSP(DSP),
          .LUT_INPUTS(LUT_INPUTS)
      ) group (
          .x(x[t*LANES*X_BITS+:SIZE*X_BITS]),
          .w(w[t*LANES*W_BITS+:SIZE*W_BITS]),
          .sum(term)
      );
    end

    always_ff @(posedge clk) terms_q[t*TERM_BITS+:TERM_BITS] <= term;
  end

  // ---- adder tree ------------------------------------------------------------------------------
  localparam int unsigned GROWN_BITS = TERM_BITS + $clog2(TERMS);
  localparam int unsigned PART_BITS = GROWN_BITS < ACC_BITS ? GROWN_BITS : ACC_BITS;
  logic [PART_BITS-1:0] part;

  bs_matmul_adder_tree #(
      .TERMS(TERMS),
      .TERM_BITS(TERM_BITS),
      .SIGNED(TERM_SIGNED),
      .MAX_BITS(ACC_BITS),
      .LEVELS_PER_STAGE(LEVELS_PER_STAGE),
      .LUT_INPUTS(LUT_INPUTS)
  ) tree (
      .clk,
      .terms(terms_q),
      .sum  (part)
  );

  // ---- accumulator -----------------------------------------------------------------------------
  localparam logic [ACC_BITS-1:0] START = XNOR ? -ACC_BITS'((K + 1) / 2) : '0;
  logic [ACC_BITS-1:0] extended, sum;

  assign extended = TERM_SIGNED ? ACC_BITS'($signed(part)) : ACC_BITS'(part);

  if (K == SIMD) begin : gen_no_accumulator
    assign sum = extended + START;
  end else begin : gen_accumulator
    logic [ACC_BITS-1:0] acc_q;
    assign sum = acc_q + extended;
    always_ff @(posedge clk) begin
      if (!rst_n || (part_valid && part_completes)) acc_q <= START;
      else if (part_valid) acc_q <= sum;
    end
  end

  if (XNOR) begin : gen_xnor
    localparam bit ODD = K % 2 == 1;
    assign y = {sum, ODD};
  end else begin : gen_integer
    assign y = sum;
  end
endmodule
