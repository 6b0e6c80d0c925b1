// Thresholds per channel: y = BASE + STEP * #{i : x >= T[c][i]}, LANES channels a beat.
//
// The thresholds of a channel ascend, and there are 2^LEVELS - 1 of them (the packing in Python
// fills up with ones that are always or never reached). So the count is found by a binary search
// in LEVELS steps, each with one comparator and one memory a lane:
//
//   level 0:  x >= T[3]                        -> answer a
//   level 1:  x >= T[a ? 5 : 1]                -> answer b        here LEVELS = 3
//   level 2:  x >= T[{a,b} = 3,2,1,0 ? 6,4,2,0]  -> answer c
//   count = {a, b, c}
//
// Each level is a stage of a pipeline with a memory of its own (its layout: bs_threshold_level),
// so that a beat is taken in every cycle. From REGISTER_FROM on a level takes a cycle more to read
// its memory; from BLOCK_FROM on that is block RAM, and takes two more.
// Latency: LEVELS + max(LEVELS - REGISTER_FROM, 0) + max(LEVELS - BLOCK_FROM, 0) cycles.
//
// FOLDS beats hold all channels; FOLDS = 1 also where all beats have the same thresholds.
// `tvalid` is a register; the pipeline stands still while it is set and `m_axis_y_tready` is not,
// and `s_axis_x_tready` depends on these two alone.
module bs_thresholding #(
  parameter int LANES      = 1,
  parameter int FOLDS      = 1,
  parameter int LEVELS     = 1,
  parameter int X_BITS     = 8,
  parameter bit X_SIGNED   = 0,
  parameter int T_BITS     = 8,
  parameter int Y_BITS     = 1,
  parameter logic signed [63:0] BASE = 0,
  parameter logic signed [63:0] STEP = 1,
  parameter int REGISTER_FROM = 8,  // at most BLOCK_FROM
  parameter int BLOCK_FROM = 8,
  parameter     MEMORY_0   = "",
  parameter     MEMORY_1   = "",
  parameter     MEMORY_2   = "",
  parameter     MEMORY_3   = "",
  parameter     MEMORY_4   = "",
  parameter     MEMORY_5   = "",
  parameter     MEMORY_6   = "",
  parameter     MEMORY_7   = ""
) (
  input  logic                    clk,
  input  logic                    rst_n,
  input  logic [LANES*X_BITS-1:0] s_axis_x_tdata,
  input  logic                    s_axis_x_tvalid,
  output logic                    s_axis_x_tready,
  output logic [LANES*Y_BITS-1:0] m_axis_y_tdata,
  output logic                    m_axis_y_tvalid,
  input  logic                    m_axis_y_tready
);
  localparam int FoldBits = FOLDS > 1 ? $clog2(FOLDS) : 1;
  localparam int Reads    = (REGISTER_FROM < LEVELS ? LEVELS - REGISTER_FROM : 0) +
                            (BLOCK_FROM < LEVELS ? LEVELS - BLOCK_FROM : 0);
  localparam int Latency  = LEVELS + Reads;

  logic               enable;
  logic [Latency-1:0] valid_q;

  assign enable          = m_axis_y_tready || !m_axis_y_tvalid;
  assign s_axis_x_tready = enable;
  assign m_axis_y_tvalid = valid_q[Latency-1];

  always_ff @(posedge clk)
    if (!rst_n) valid_q <= '0;
    else if (enable) valid_q <= Latency'({valid_q, s_axis_x_tvalid});

  logic [FoldBits-1:0] fold;
  if (FOLDS > 1) begin : g_fold
    logic [FoldBits-1:0] fold_n_q;  // the complement, for the reason in bs_threshold_level
    assign fold = ~fold_n_q;
    always_ff @(posedge clk)
      if (!rst_n) fold_n_q <= '1;
      else if (s_axis_x_tvalid && enable)
        fold_n_q <= fold == FoldBits'(FOLDS - 1) ? '1 : fold_n_q - 1'b1;
  end else begin : g_no_fold
    assign fold = '0;
  end

  for (genvar l = 0; l < LEVELS; l++) begin : g_level
    localparam int PrefixBits = l > 0 ? l : 1;
    logic [FoldBits-1:0]         fold_i, fold_o;
    logic [LANES*X_BITS-1:0]     x_i, x_o;
    logic [LANES*PrefixBits-1:0] prefix_i;
    logic [LANES*(l+1)-1:0]      prefix_o;

    if (l == 0) begin : g_first
      assign fold_i   = fold;
      assign x_i      = s_axis_x_tdata;
      assign prefix_i = '0;
    end else begin : g_next
      assign fold_i   = g_level[l-1].fold_o;
      assign x_i      = g_level[l-1].x_o;
      assign prefix_i = g_level[l-1].prefix_o;
    end

    bs_threshold_level #(
      .LANES   (LANES),
      .FOLDS   (FOLDS),
      .LEVEL   (l),
      .X_BITS  (X_BITS),
      .X_SIGNED(X_SIGNED),
      .T_BITS  (T_BITS),
      .READ    (int'(l >= REGISTER_FROM) + int'(l >= BLOCK_FROM)),
      .COMPLEMENT(l + 1 < LEVELS && l + 1 < REGISTER_FROM),
      .MEMORY  (l == 0 ? MEMORY_0 : l == 1 ? MEMORY_1 : l == 2 ? MEMORY_2 : l == 3 ? MEMORY_3 :
                l == 4 ? MEMORY_4 : l == 5 ? MEMORY_5 : l == 6 ? MEMORY_6 : MEMORY_7)
    ) level (
      .clk, .enable, .fold_i, .x_i, .prefix_i, .fold_o, .x_o, .prefix_o
    );
  end

  for (genvar lane = 0; lane < LANES; lane++) begin : g_lane
    logic [LEVELS-1:0] count;
    assign count = g_level[LEVELS-1].prefix_o[lane*LEVELS+:LEVELS];
    assign m_axis_y_tdata[lane*Y_BITS+:Y_BITS] = Y_BITS'(BASE + STEP * $signed({1'b0, count}));
  end
endmodule
