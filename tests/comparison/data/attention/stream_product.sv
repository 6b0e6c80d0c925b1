// y = a * b for one pair of matrices after the other. b is kept whole, then a row of a, then the
// products of the row are summed up, one pair a cycle. y is registered.
module stream_product #(
  parameter int N = 1, M = 1, K = 1, A_BITS = 4, B_BITS = 4, Y_BITS = 8
) (
  input  logic              clk,
  input  logic              rst_n,
  input  logic [A_BITS-1:0] s_axis_a_tdata,
  input  logic              s_axis_a_tvalid,
  output logic              s_axis_a_tready,
  input  logic [B_BITS-1:0] s_axis_b_tdata,
  input  logic              s_axis_b_tvalid,
  output logic              s_axis_b_tready,
  output logic [Y_BITS-1:0] m_axis_y_tdata,
  output logic              m_axis_y_tvalid,
  input  logic              m_axis_y_tready
);
  localparam logic [1:0] KEEP_B = 0, KEEP_A = 1, MULTIPLY = 2;

  logic [B_BITS-1:0] b_kept [K*M];
  logic [A_BITS-1:0] a_kept [K];
  logic [1:0] state_q;
  int unsigned i_q, m_q, n_q;
  logic signed [Y_BITS-1:0] acc_q, sum;
  logic last, step;

  assign s_axis_b_tready = state_q == KEEP_B;
  assign s_axis_a_tready = state_q == KEEP_A;
  assign last = i_q == (state_q == KEEP_B ? K * M : K) - 1;
  assign sum  = (i_q == 0 ? '0 : acc_q)
              + Y_BITS'($signed(a_kept[i_q])) * Y_BITS'($signed(b_kept[i_q * M + m_q]));

  always_comb begin
    step = !last || !m_axis_y_tvalid || m_axis_y_tready;
    if (state_q == KEEP_B) step = s_axis_b_tvalid;
    if (state_q == KEEP_A) step = s_axis_a_tvalid;
  end

  always_ff @(posedge clk) begin
    if (state_q == KEEP_B && step) b_kept[i_q] <= s_axis_b_tdata;
    if (state_q == KEEP_A && step) a_kept[i_q] <= s_axis_a_tdata;
    if (state_q == MULTIPLY && step) acc_q <= sum;
    if (state_q == MULTIPLY && step && last) m_axis_y_tdata <= sum;
    if (!rst_n) begin
      state_q <= KEEP_B;
      {i_q, m_q, n_q} <= '0;
      m_axis_y_tvalid <= 1'b0;
    end else begin
      if (m_axis_y_tready) m_axis_y_tvalid <= 1'b0;
      if (step) i_q <= last ? 0 : i_q + 1;
      if (step && last) begin
        if (state_q == KEEP_B) state_q <= KEEP_A;
        if (state_q == KEEP_A) state_q <= MULTIPLY;
        if (state_q == MULTIPLY) begin
          m_axis_y_tvalid <= 1'b1;
          m_q <= m_q == M - 1 ? 0 : m_q + 1;
          if (m_q == M - 1) begin
            n_q <= n_q == N - 1 ? 0 : n_q + 1;
            state_q <= n_q == N - 1 ? KEEP_B : KEEP_A;
          end
        end
      end
    end
  end
endmodule
