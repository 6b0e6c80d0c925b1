// One level of the binary search of bs_thresholding, for LANES channels at once.
//
// `prefix_i` holds, lane by lane, the LEVEL answers of the levels before (the first one highest).
// This level looks up the threshold that halves what is left, compares, and appends its answer.
//
//   memory:  row = fold * 2^LEVEL + prefix, FOLDS * 2^LEVEL rows
//            | lane LANES-1 | ... | lane 1 | lane 0 |   T_BITS each
//
// READ cycles pass until the comparison, which takes one more:
//   0  the memory is logic, read in the cycle of the comparison
//   1  the memory is logic and has many rows: the row is registered
//   2  the memory is block RAM, whose output is slow: it is registered once more
// Nothing moves while `enable` is low.
//
// COMPLEMENT = 1 keeps what addresses the next level's memory as its complement: Yosys merges a
// register that addresses a memory of logic into it, at a register for each bit that is read.
module bs_threshold_level #(
  parameter int LANES    = 1,
  parameter int FOLDS    = 1,
  parameter int LEVEL    = 0,
  parameter int X_BITS   = 8,
  parameter bit X_SIGNED = 0,
  parameter int T_BITS   = 8,
  parameter int READ     = 0,
  parameter bit COMPLEMENT = 0,
  parameter     MEMORY   = "",
  localparam int FoldBits   = FOLDS > 1 ? $clog2(FOLDS) : 1,
  localparam int PrefixBits = LEVEL > 0 ? LEVEL : 1
) (
  input  logic                        clk,
  input  logic                        enable,
  input  logic [FoldBits-1:0]         fold_i,
  input  logic [LANES*X_BITS-1:0]     x_i,
  input  logic [LANES*PrefixBits-1:0] prefix_i,
  output logic [FoldBits-1:0]         fold_o,
  output logic [LANES*X_BITS-1:0]     x_o,
  output logic [LANES*(LEVEL+1)-1:0]  prefix_o
);
  localparam int Rows     = FOLDS << LEVEL;
  localparam int AddrBits = Rows > 1 ? $clog2(Rows) : 1;

  // v >= t, decided from the lowest bit up: where t has a 1, v needs one too; where t has a 0, a 1
  // is enough. The upper half is decided for both answers of the lower one at the same time. Logic
  // takes the threshold's memory in where that has few rows; a carry chain would not: on ECP5, 16
  // lanes of 12 bits and 15 thresholds need 828 LUTs for 1623, at 147 MHz for 124.
  function automatic logic at_least(input logic [T_BITS-1:0] v, input logic [T_BITS-1:0] t);
    logic lower, if_true, if_false, flip, x, y;
    {lower, if_true, if_false} = 3'b110;
    for (int i = 0; i < T_BITS; i++) begin
      flip = X_SIGNED && i == T_BITS - 1;
      x    = v[i] ^ flip;
      y    = t[i] ^ flip;
      if (i < T_BITS / 2) begin
        lower = y ? x && lower : x || lower;
      end else begin
        if_true  = y ? x && if_true : x || if_true;
        if_false = y ? x && if_false : x || if_false;
      end
    end
    return lower ? if_true : if_false;
  endfunction

  // What stands beside the thresholds that were read.
  logic [FoldBits-1:0]         fold;
  logic [LANES*X_BITS-1:0]     x;
  logic [LANES*PrefixBits-1:0] prefix;

  if (READ == 0) begin : g_direct
    assign fold   = fold_i;
    assign x      = x_i;
    assign prefix = prefix_i;
  end else begin : g_delay
    logic [FoldBits-1:0]         fold_q   [READ];
    logic [LANES*X_BITS-1:0]     x_q      [READ];
    logic [LANES*PrefixBits-1:0] prefix_q [READ];
    always_ff @(posedge clk)
      if (enable)
        for (int i = 0; i < READ; i++) begin
          fold_q[i]   <= i == 0 ? fold_i   : fold_q[i-1];
          x_q[i]      <= i == 0 ? x_i      : x_q[i-1];
          prefix_q[i] <= i == 0 ? prefix_i : prefix_q[i-1];
        end
    assign fold   = fold_q[READ-1];
    assign x      = x_q[READ-1];
    assign prefix = prefix_q[READ-1];
  end

  for (genvar lane = 0; lane < LANES; lane++) begin : g_lane
    logic [AddrBits-1:0]   address;
    logic [T_BITS-1:0]     threshold;
    logic [PrefixBits-1:0] answers;
    logic [X_BITS-1:0]     value;
    logic                  reached;

    if (Rows == 1) begin : g_one_row
      assign address = '0;
    end else if (LEVEL == 0) begin : g_fold
      assign address = fold_i;
    end else if (FOLDS == 1) begin : g_prefix
      assign address = prefix_i[lane*PrefixBits+:PrefixBits];
    end else begin : g_both
      assign address = {fold_i, prefix_i[lane*PrefixBits+:PrefixBits]};
    end

    // A memory a lane, of which it uses its own columns: the lanes read different rows.
    if (READ == 2) begin : g_block
      (* ram_style = "block", rom_style = "block" *)
      logic [LANES*T_BITS-1:0] rows [Rows];
      logic [LANES*T_BITS-1:0] row;
      logic [T_BITS-1:0]       row_q;
      initial $readmemh(MEMORY, rows);
      always_ff @(posedge clk)
        if (enable) begin
          row   <= rows[address];
          row_q <= row[lane*T_BITS+:T_BITS];
        end
      assign threshold = row_q;
    end else begin : g_logic
      (* ram_style = "logic", rom_style = "logic" *)
      logic [LANES*T_BITS-1:0] rows [Rows];
      logic [LANES*T_BITS-1:0] row;
      initial $readmemh(MEMORY, rows);
      if (READ == 1) begin : g_registered
        always_ff @(posedge clk) if (enable) row <= rows[address];
      end else begin : g_read
        assign row = rows[address];
      end
      assign threshold = row[lane*T_BITS+:T_BITS];
    end

    assign value   = x[lane*X_BITS+:X_BITS];
    assign answers = prefix[lane*PrefixBits+:PrefixBits];
    if (T_BITS <= 24) begin : g_logic_compare
      assign reached = at_least(T_BITS'({{T_BITS{X_SIGNED && value[X_BITS-1]}}, value}), threshold);
    end else if (X_SIGNED) begin : g_signed
      assign reached = $signed(value) >= $signed(threshold);
    end else begin : g_unsigned
      assign reached = value >= threshold;
    end

    logic [LEVEL:0] answers_q;
    always_ff @(posedge clk)
      if (enable) answers_q <= {LEVEL + 1{COMPLEMENT}} ^ (LEVEL + 1)'({answers, reached});
    assign prefix_o[lane*(LEVEL+1)+:LEVEL+1] = {LEVEL + 1{COMPLEMENT}} ^ answers_q;
  end

  logic [FoldBits-1:0] fold_q;
  always_ff @(posedge clk)
    if (enable) begin
      fold_q <= {FoldBits{COMPLEMENT}} ^ fold;
      x_o    <= x;
    end
  assign fold_o = {FoldBits{COMPLEMENT}} ^ fold_q;
endmodule
