// y = x * w: in each cycle SIMD inputs times PE * SIMD weights, one word of their memory.
//
// A row's inputs are taken during the first fold of its outputs and kept for the others. A fold of
// outputs is on offer in the cycle after its last inputs; until it is taken, all stands still.
module flash_attention #(
  parameter int K_FOLDS  = 1,
  parameter int M_FOLDS  = 1,
  parameter int PE       = 1,
  parameter int SIMD     = 1,
  parameter int X_BITS   = 4,
  parameter bit X_SIGNED = 0,
  parameter int W_BITS   = 4,
  parameter int Y_BITS   = 16,
  parameter     WEIGHTS  = "weights.mem"
) (
  input  logic                   clk,
  input  logic                   rst_n,
  input  logic [SIMD*X_BITS-1:0] s_axis_x_tdata,
  input  logic                   s_axis_x_tvalid,
  output logic                   s_axis_x_tready,
  output logic [PE*Y_BITS-1:0]   m_axis_y_tdata,
  output logic                   m_axis_y_tvalid,
  input  logic                   m_axis_y_tready
);
  localparam int Words = K_FOLDS * M_FOLDS;
  localparam int KBits = K_FOLDS > 1 ? $clog2(K_FOLDS) : 1;
  localparam int MBits = M_FOLDS > 1 ? $clog2(M_FOLDS) : 1;
  localparam int WordBits = Words > 1 ? $clog2(Words) : 1;

  logic [PE*SIMD*W_BITS-1:0] weights [0:Words-1];
  initial $readmemh(WEIGHTS, weights);

  logic [SIMD*X_BITS-1:0]    kept [0:K_FOLDS-1];
  logic [KBits-1:0]          k_q;
  logic [MBits-1:0]          m_q;
  logic [WordBits-1:0]       word_q;
  logic [PE*Y_BITS-1:0]      sum_q, sum_d;
  logic [SIMD*X_BITS-1:0]    x;
  logic [PE*SIMD*W_BITS-1:0] w;
  logic enable, first, last, step;

  assign enable          = m_axis_y_tready || !m_axis_y_tvalid;
  assign first           = m_q == '0;
  assign last            = k_q == KBits'(K_FOLDS - 1);
  assign step            = enable && (!first || s_axis_x_tvalid);
  assign s_axis_x_tready = enable && first;
  assign x               = first ? s_axis_x_tdata : kept[k_q];
  assign w               = weights[word_q];

  for (genvar p = 0; p < PE; p++) begin : g_pe
    logic signed [Y_BITS-1:0] terms [0:SIMD];
    assign terms[0] = k_q == '0 ? '0 : sum_q[p*Y_BITS+:Y_BITS];
    for (genvar s = 0; s < SIMD; s++) begin : g_lane
      logic signed [X_BITS:0]   value;
      logic signed [W_BITS-1:0] weight;
      logic signed [Y_BITS-1:0] product;
      assign value      = {X_SIGNED && x[s*X_BITS+X_BITS-1], x[s*X_BITS+:X_BITS]};
      assign weight     = w[(p*SIMD+s)*W_BITS+:W_BITS];
      assign product    = value * weight;
      assign terms[s+1] = terms[s] + product;
    end
    assign sum_d[p*Y_BITS+:Y_BITS] = terms[SIMD];
  end

  always_ff @(posedge clk) begin
    if (step) begin
      if (first) kept[k_q] <= s_axis_x_tdata;
      sum_q <= sum_d;
      if (last) m_axis_y_tdata <= sum_d;
    end
    if (!rst_n) begin
      k_q             <= '0;
      m_q             <= '0;
      word_q          <= '0;
      m_axis_y_tvalid <= 1'b0;
    end else if (enable) begin
      m_axis_y_tvalid <= step && last;
      if (step) begin
        k_q    <= last ? '0 : k_q + 1'b1;
        word_q <= word_q == WordBits'(Words - 1) ? '0 : word_q + 1'b1;
        if (last) m_q <= m_q == MBits'(M_FOLDS - 1) ? '0 : m_q + 1'b1;
      end
    end
  end
endmodule
