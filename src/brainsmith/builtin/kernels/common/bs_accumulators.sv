// Sums or maxima of COUNT terms each: LANES accumulators a beat, FOLDS beats of them.
//
//   terms come as COUNT rounds of FOLDS beats; the beats of the last round give the results:
//
//     round:    0              1                    COUNT-1
//     beat:     0 .. FOLDS-1 | 0 .. FOLDS-1 | ... | 0 .. FOLDS-1
//                                                   results, FOLDS beats
//
// FOLDS = 1: the accumulators are registers, those of maxima the output itself; a result is on
// offer one cycle after its last term was taken. Else they lie in a memory, and it takes two
// cycles: in the first the row is read, in the second it is written anew. Rows follow each other,
// so that a row is never read in the cycle in which it is written: a block RAM needs no bypass.
//
// A term a cycle, without bubbles between rounds or results. Sums are exact modulo 2**A_BITS, from
// terms of T_BITS that are extended; maxima are of T_BITS = A_BITS. `m_valid` is a register; all
// stands still while it is set and `m_ready` is not, and `s_ready` depends on these two alone.
module bs_accumulators #(
  parameter bit MAX       = 0,
  parameter int LANES     = 1,
  parameter int FOLDS     = 1,
  parameter int COUNT     = 4,
  parameter int T_BITS    = 8,
  parameter bit T_SIGNED  = 0,
  parameter int A_BITS    = 10,
  parameter     RAM_STYLE = "auto"  // auto, distributed, block, logic
) (
  input  logic                    clk,
  input  logic                    rst_n,
  input  logic [LANES*T_BITS-1:0] s_data,
  input  logic                    s_valid,
  output logic                    s_ready,
  output logic [LANES*A_BITS-1:0] m_data,
  output logic                    m_valid,
  input  logic                    m_ready
);
  localparam int FoldBits  = FOLDS > 1 ? $clog2(FOLDS) : 1;
  localparam int CountBits = COUNT > 1 ? $clog2(COUNT) : 1;

  logic take, first_q, last, last_fold;
  logic [FoldBits-1:0] fold_q;
  logic [CountBits-1:0] round_q;

  assign s_ready   = m_ready || !m_valid;
  assign take      = s_valid && s_ready;
  assign last_fold = FOLDS == 1 || fold_q == FoldBits'(FOLDS - 1);
  assign last      = COUNT == 1 || round_q == CountBits'(COUNT - 1);

  always_ff @(posedge clk)
    if (!rst_n) begin
      fold_q  <= '0;
      round_q <= '0;
      first_q <= 1'b1;
    end else if (take) begin
      fold_q <= last_fold ? '0 : fold_q + 1'b1;
      if (last_fold) begin
        round_q <= last ? '0 : round_q + 1'b1;
        first_q <= last;
      end
    end

  // Where the terms meet the accumulators. `fresh` says that maxima hold nothing yet; sums are
  // cleared before, by the resets of registers, which cost less than a gate before an adder.
  logic [LANES*T_BITS-1:0] terms;
  logic [LANES*A_BITS-1:0] held, results;
  logic fresh;

  for (genvar lane = 0; lane < LANES; lane++) begin : g_lane
    logic [T_BITS-1:0] term;
    logic [A_BITS-1:0] stored, result;
    assign term   = terms[lane*T_BITS+:T_BITS];
    assign stored = held[lane*A_BITS+:A_BITS];
    assign results[lane*A_BITS+:A_BITS] = result;
    if (MAX) begin : g_max
      logic greater;
      bs_greater #(.BITS(T_BITS), .SIGNED(T_SIGNED)) greater_i (.a(term), .b(stored), .y(greater));
      assign result = fresh || greater ? term : stored;
    end else begin : g_sum
      logic [A_BITS-1:0] wide;
      assign wide   = T_SIGNED ? A_BITS'($signed(term)) : A_BITS'(term);
      assign result = stored + wide;
    end
  end

  if (FOLDS == 1) begin : g_registers
    assign terms = s_data;
    assign fresh = MAX && first_q;

    if (MAX) begin : g_output
      assign held = m_data;
    end else begin : g_sums
      logic [LANES*A_BITS-1:0] sums_q;
      assign held = sums_q;
      always_ff @(posedge clk)
        if (!rst_n || (take && last)) sums_q <= '0;
        else if (take) sums_q <= results;
    end

    always_ff @(posedge clk) begin
      if (take) m_data <= results;
      if (!rst_n) m_valid <= 1'b0;
      else if (s_ready) m_valid <= s_valid && last;
    end
  end else begin : g_memory
    (* ram_style = RAM_STYLE, no_rw_check *)
    logic [LANES*A_BITS-1:0] rows [FOLDS];
    logic [LANES*T_BITS-1:0] terms_q;
    logic [LANES*A_BITS-1:0] held_q;
    logic [FoldBits-1:0] row_q;
    logic valid_q, last_q, fresh_q;

    assign terms = terms_q;
    assign held  = held_q;
    assign fresh = MAX && fresh_q;

    always_ff @(posedge clk) begin
      if (take) begin
        terms_q <= s_data;
        row_q   <= fold_q;
        last_q  <= last;
        fresh_q <= first_q;
      end
      if (take) held_q <= !MAX && first_q ? '0 : rows[fold_q];
      if (valid_q && s_ready) begin
        rows[row_q] <= results;
        m_data      <= results;
      end

      if (!rst_n) begin
        valid_q <= 1'b0;
        m_valid <= 1'b0;
      end else if (s_ready) begin
        valid_q <= s_valid;
        m_valid <= valid_q && last_q;
      end
    end
  end
endmodule
