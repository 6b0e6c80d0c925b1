// y = a + b, a - b or a * b of a stream and a constant per channel, LANES elements a beat.
//
//   memory:  row = beat of the vector, FOLDS rows (one where all beats have the same constants)
//            | lane LANES-1 | ... | lane 1 | lane 0 |   B_BITS each
//
// With BLOCK the row is read one beat ahead into a register, as block RAM needs it: the first row
// during the reset, each next one when a beat is taken. Latency 1 cycle, with OPERANDS = 1 it is 2.
// `tvalid` is a register; the pipeline stands still while it is set and `m_axis_y_tready` is not,
// and `s_axis_a_tready` depends on these two alone.
module bs_elementwise_constant #(
  parameter bit SUBTRACT   = 0,
  parameter bit MULTIPLY   = 0,
  parameter bit BLOCKS     = 0,
  parameter int LUT_INPUTS = 4,
  parameter int LANES      = 1,
  parameter int FOLDS      = 1,
  parameter int A_BITS     = 8,
  parameter bit A_SIGNED   = 0,
  parameter bit A_BIPOLAR  = 0,
  parameter int B_BITS     = 8,
  parameter bit B_SIGNED   = 0,
  parameter bit B_BIPOLAR  = 0,
  parameter int Y_BITS     = 9,
  parameter bit Y_BIPOLAR  = 0,
  parameter bit OPERANDS   = 0,
  parameter bit BLOCK      = 0,
  parameter     MEMORY     = ""
) (
  input  logic                    clk,
  input  logic                    rst_n,
  input  logic [LANES*A_BITS-1:0] s_axis_a_tdata,
  input  logic                    s_axis_a_tvalid,
  output logic                    s_axis_a_tready,
  output logic [LANES*Y_BITS-1:0] m_axis_y_tdata,
  output logic                    m_axis_y_tvalid,
  input  logic                    m_axis_y_tready
);
  localparam int FoldBits = FOLDS > 1 ? $clog2(FOLDS) : 1;

  logic enable, take;
  logic [OPERANDS:0] valid_q;
  logic [FoldBits-1:0] fold, fold_d, fold_n_q;
  logic [LANES*B_BITS-1:0] b;

  assign enable          = m_axis_y_tready || !m_axis_y_tvalid;
  assign s_axis_a_tready = enable;
  assign take            = s_axis_a_tvalid && enable;
  assign m_axis_y_tvalid = valid_q[OPERANDS];

  always_ff @(posedge clk)
    if (!rst_n) valid_q <= '0;
    else if (enable) valid_q <= (OPERANDS + 1)'({valid_q, s_axis_a_tvalid});

  always_comb begin
    fold_d = fold;
    if (!rst_n) fold_d = '0;
    else if (take) fold_d = fold == FoldBits'(FOLDS - 1) ? '0 : fold + 1'b1;
  end
  // The complement: Yosys merges a register that addresses a memory into it, which costs a
  // register for each bit that is read.
  always_ff @(posedge clk) fold_n_q <= ~fold_d;
  assign fold = ~fold_n_q;

  if (BLOCK) begin : g_block
    (* ram_style = "block", rom_style = "block" *)
    logic [LANES*B_BITS-1:0] rows [FOLDS];
    initial $readmemh(MEMORY, rows);
    always_ff @(posedge clk) if (!rst_n || take) b <= rows[fold_d];
  end else begin : g_logic
    (* syn_romstyle = "logic" *)  // else Yosys takes block RAM for many rows
    logic [LANES*B_BITS-1:0] rows [FOLDS];
    initial $readmemh(MEMORY, rows);
    assign b = rows[fold];
  end

  for (genvar lane = 0; lane < LANES; lane++) begin : g_lane
    bs_elementwise_lane #(
      .SUBTRACT  (SUBTRACT),
      .MULTIPLY  (MULTIPLY),
      .BLOCKS    (BLOCKS),
      .LUT_INPUTS(LUT_INPUTS),
      .A_BITS    (A_BITS),
      .A_SIGNED  (A_SIGNED),
      .A_BIPOLAR (A_BIPOLAR),
      .B_BITS    (B_BITS),
      .B_SIGNED  (B_SIGNED),
      .B_BIPOLAR (B_BIPOLAR),
      .Y_BITS    (Y_BITS),
      .Y_BIPOLAR (Y_BIPOLAR),
      .OPERANDS  (OPERANDS)
    ) lane_i (
      .clk,
      .enable,
      .a_i(s_axis_a_tdata[lane*A_BITS+:A_BITS]),
      .b_i(b[lane*B_BITS+:B_BITS]),
      .y_o(m_axis_y_tdata[lane*Y_BITS+:Y_BITS])
    );
  end
endmodule
