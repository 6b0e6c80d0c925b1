// Matrix-vector unit: y[m] = sum over k of x[k] * w[k, m], all integers, weights constant.
//
// Algorithm. PE dot products of SIMD lanes run at once. A vector x of K elements arrives in
// SF = K/SIMD beats and meets the weights of PE outputs; NF = M/PE such passes make the M outputs.
// Pass 0 takes x from the stream and keeps it in a buffer, from which the later passes replay it.
// One beat a cycle is issued into a pipeline that never stops: weights, lane products, adder tree,
// accumulator. With bipolar x and w the product of two lanes is the XNOR of their bits, the tree
// counts ones, and y = 2 * count - K is had by starting the accumulator at -ceil(K/2) and
// appending the lowest bit of K.
//
// Handshake. Results wait in an output buffer of SLOTS beats. The issue of the beat that completes
// a result takes one of SLOTS credits and waits for it if there is none; taking a result from the
// output gives it back. So back-pressure reaches one flip-flop (`room_q`), never the pipeline, and
// no path leads from m_axis_y_tready to s_axis_x_tready or from s_axis_x_tvalid to any output.
// m_axis_y_tvalid does not wait for m_axis_y_tready; m_axis_y_tdata is stable until taken.
// SLOTS covers the round trip of a credit: with ports that never wait, a vector takes exactly
// SF * NF cycles, without a gap to the next.
//
// Weight memory, a word for each cycle of a vector (pass p = 0..NF-1, beat s = 0..SF-1):
//
//    address      PE-1, lane SIMD-1 | ... | PE-1, lane 0 | ... | 0, lane SIMD-1 | ... | 0, lane 0
//    p*SF + s  =  w[s*SIMD+SIMD-1, p*PE+PE-1]       ...                       w[s*SIMD, p*PE]
//
// Widths. Y_BITS must hold every result; sums are kept modulo 2**Y_BITS on the way, so that neither
// the tree nor the accumulator is wider than the result.
module bs_matmul #(
    parameter int unsigned K                = 4,
    parameter int unsigned M                = 4,
    parameter int unsigned PE               = 1,
    parameter int unsigned SIMD             = 1,
    parameter int unsigned X_BITS           = 4,
    parameter bit          X_SIGNED         = 1,
    parameter bit          X_BIPOLAR        = 0,
    parameter int unsigned W_BITS           = 4,
    parameter bit          W_SIGNED         = 1,
    parameter bit          W_BIPOLAR        = 0,
    parameter int unsigned Y_BITS           = 10,
    parameter              WEIGHTS          = "weights.mem",
    parameter bit          WEIGHTS_BLOCK    = 0,  // weights in block RAM, with one more register
    parameter bit          BUFFER_BLOCK     = 0,  // input buffer in block RAM
    parameter              LUT_STYLE        = "distributed",  // "auto" where LUTs are no memory
    parameter bit          COUNT            = 0,  // lane products are bits, and are counted
    parameter int unsigned LANES            = 1,  // whose products make one term of the tree
    parameter int unsigned TERM_BITS        = 8,  // of a term, at most those of the accumulator
    parameter bit          TERM_SIGNED      = 1,
    parameter bit          DSP              = 0,  // multiply in DSP blocks
    parameter int unsigned LEVELS_PER_STAGE = 1,  // levels of adders between two registers
    parameter int unsigned LUT_INPUTS       = 4   // of the device: shapes the lane products
) (
    input  logic                   clk,
    input  logic                   rst_n,
    input  logic [SIMD*X_BITS-1:0] s_axis_x_tdata,
    input  logic                   s_axis_x_tvalid,
    output logic                   s_axis_x_tready,
    output logic [  PE*Y_BITS-1:0] m_axis_y_tdata,
    output logic                   m_axis_y_tvalid,
    input  logic                   m_axis_y_tready
);
  localparam int unsigned SF = K / SIMD;
  localparam int unsigned NF = M / PE;

  // Cycles from the issue of a beat to the cycle in which its partial sum is accumulated: operands,
  // terms, and the stages of the adder tree.
  localparam int unsigned LEVELS = $clog2((SIMD + LANES - 1) / LANES);
  localparam int unsigned TREE_STAGES = (LEVELS + LEVELS_PER_STAGE - 1) / LEVELS_PER_STAGE;
  localparam int unsigned STAGES = 2 + (WEIGHTS_BLOCK ? 1 : 0) + TREE_STAGES;
  // A credit comes back STAGES + 2 cycles after it was taken.
  localparam int unsigned SLOTS_NEEDED = (STAGES + 2 + SF - 1) / SF;
  localparam int unsigned SLOTS = 1 << $clog2(SLOTS_NEEDED);

  // ---- issue: one beat a cycle -----------------------------------------------------------------
  logic go, filling, completes, room_q;
  logic [(SF > 1 ? $clog2(SF) : 1)-1:0] beat, beat_next;
  logic [(SF*NF > 1 ? $clog2(SF*NF) : 1)-1:0] address;

  assign s_axis_x_tready = filling && (!completes || room_q);
  assign go = (s_axis_x_tvalid || !filling) && (!completes || room_q);

  bs_matmul_sequencer #(
      .SF(SF),
      .NF(NF)
  ) sequencer (
      .clk,
      .rst_n,
      .go,
      .beat,
      .beat_next,
      .address,
      .filling,
      .completes
  );

  // ---- operands: x and w of the beat, one cycle (two with block RAM) after its issue -----------
  logic [SIMD*X_BITS-1:0] x;
  logic [PE*SIMD*W_BITS-1:0] w;

  bs_matmul_input #(
      .WIDTH(SIMD * X_BITS),
      .SF(SF),
      .NF(NF),
      .BLOCK(BUFFER_BLOCK),
      .EXTRA_REG(WEIGHTS_BLOCK),
      .LUT_STYLE(LUT_STYLE)
  ) input_buffer (
      .clk,
      .stream(s_axis_x_tdata),
      .go,
      .filling,
      .beat,
      .beat_next,
      .x
  );

  bs_matmul_weights #(
      .WIDTH(PE * SIMD * W_BITS),
      .DEPTH(SF * NF),
      .FILE (WEIGHTS),
      .BLOCK(WEIGHTS_BLOCK)
  ) weights (
      .clk,
      .address,
      .word(w)
  );

  // ---- what travels beside the data: the beat is there, and completes a result -----------------
  logic [STAGES-1:0] valid_q, completes_q;

  always_ff @(posedge clk) begin
    valid_q <= rst_n ? STAGES'({valid_q, go}) : '0;
    completes_q <= STAGES'({completes_q, completes});
  end

  wire part_valid = valid_q[STAGES-1];
  wire part_completes = completes_q[STAGES-1];

  // ---- processing elements ---------------------------------------------------------------------
  logic [PE*Y_BITS-1:0] y;

  for (genvar p = 0; p < PE; p++) begin : gen_pe
    bs_matmul_pe #(
        .K(K),
        .SIMD(SIMD),
        .X_BITS(X_BITS),
        .X_SIGNED(X_SIGNED),
        .X_BIPOLAR(X_BIPOLAR),
        .W_BITS(W_BITS),
        .W_SIGNED(W_SIGNED),
        .W_BIPOLAR(W_BIPOLAR),
        .Y_BITS(Y_BITS),
        .COUNT(COUNT),
        .LANES(LANES),
        .TERM_BITS(TERM_BITS),
        .TERM_SIGNED(TERM_SIGNED),
        .DSP(DSP),
        .LEVELS_PER_STAGE(LEVELS_PER_STAGE),
        .LUT_INPUTS(LUT_INPUTS)
    ) pe (
        .clk,
        .rst_n,
        .x,
        .w(w[p*SIMD*W_BITS+:SIMD*W_BITS]),
        .part_valid,
        .part_completes,
        .y(y[p*Y_BITS+:Y_BITS])
    );
  end

  // ---- output buffer and credits ---------------------------------------------------------------
  bs_matmul_output #(
      .WIDTH(PE * Y_BITS),
      .SLOTS(SLOTS),
      .LUT_STYLE(LUT_STYLE)
  ) output_buffer (
      .clk,
      .rst_n,
      .reserve(go && completes),
      .room(room_q),
      .push(part_valid && part_completes),
      .data(y),
      .tdata(m_axis_y_tdata),
      .tvalid(m_axis_y_tvalid),
      .tready(m_axis_y_tready)
  );
endmodule
