// One processing element: the dot product of SIMD lanes, accumulated over the beats of a pass.
//
// The lanes are taken in groups of LANES (more than one where the operands have so few bits that
// one LUT sees them all), the groups are added in a pipelined tree. `y` is the accumulator plus the
// partial sum that leaves the tree, valid in the cycle in which `part_valid && part_completes`.
// The accumulator starts anew after each completed result through the flip-flops' own reset.
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
    parameter bit          XNOR             = 0,
    parameter int unsigned LANES            = 1,
    parameter bit          PRODUCT_REG      = 1,
    parameter bit          DSP              = 0,
    parameter int unsigned LEVELS_PER_STAGE = 2,
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
  localparam int unsigned GROUPS = (SIMD + LANES - 1) / LANES;
  localparam bit SIGNED = !XNOR && (X_SIGNED || W_SIGNED);
  // Two's complement of a bipolar operand takes 2 bits.
  localparam int unsigned PRODUCT_BITS =
      XNOR ? 1 : (X_BIPOLAR ? 1 : X_BITS) + (W_BIPOLAR ? 1 : W_BITS);
  localparam int unsigned FULL_BITS = PRODUCT_BITS + $clog2(LANES);
  localparam int unsigned ACC_BITS = XNOR ? Y_BITS - 1 : Y_BITS;
  localparam int unsigned GROUP_BITS = FULL_BITS < ACC_BITS ? FULL_BITS : ACC_BITS;

  // ---- lane products, summed by group ----------------------------------------------------------
  logic [GROUPS*GROUP_BITS-1:0] groups, groups_q;

  for (genvar g = 0; g < GROUPS; g++) begin : gen_group
    localparam int unsigned SIZE = (g + 1) * LANES <= SIMD ? LANES : SIMD - g * LANES;
    bs_matmul_group #(
        .SIZE(SIZE),
        .X_BITS(X_BITS),
        .X_SIGNED(X_SIGNED),
        .X_BIPOLAR(X_BIPOLAR),
        .W_BITS(W_BITS),
        .W_SIGNED(W_SIGNED),
        .W_BIPOLAR(W_BIPOLAR),
        .SUM_BITS(GROUP_BITS),
        .DSP(DSP),
        .LUT_INPUTS(LUT_INPUTS)
    ) group (
        .x  (x[g*LANES*X_BITS+:SIZE*X_BITS]),
        .w  (w[g*LANES*W_BITS+:SIZE*W_BITS]),
        .sum(groups[g*GROUP_BITS+:GROUP_BITS])
    );
  end

  if (PRODUCT_REG) begin : gen_product_reg
    always_ff @(posedge clk) groups_q <= groups;
  end else begin : gen_no_product_reg
    assign groups_q = groups;
  end

  // ---- adder tree ------------------------------------------------------------------------------
  localparam int unsigned GROWN_BITS = GROUP_BITS + $clog2(GROUPS);
  localparam int unsigned PART_BITS = GROWN_BITS < ACC_BITS ? GROWN_BITS : ACC_BITS;
  logic [PART_BITS-1:0] part;

  bs_matmul_adder_tree #(
      .TERMS(GROUPS),
      .TERM_BITS(GROUP_BITS),
      .SIGNED(SIGNED),
      .MAX_BITS(ACC_BITS),
      .LEVELS_PER_STAGE(LEVELS_PER_STAGE),
      .LEVEL(PRODUCT_REG ? 0 : 1)
  ) tree (
      .clk,
      .terms(groups_q),
      .sum  (part)
  );

  // ---- accumulator -----------------------------------------------------------------------------
  localparam logic [ACC_BITS-1:0] START = XNOR ? -ACC_BITS'((K + 1) / 2) : '0;
  logic [ACC_BITS-1:0] extended, sum;

  assign extended = SIGNED ? ACC_BITS'($signed(part)) : ACC_BITS'(part);

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
