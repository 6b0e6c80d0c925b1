// The dot product of a frame with weights from a ROM, LANES elements per cycle:
// y = sum over BEATS beats and LANES lanes of x[i] * w[i], all signed.
module test_dot #(
  parameter int LANES = 4,
  parameter int BEATS = 8,
  parameter int X_BITS = 4,
  parameter int W_BITS = 4,
  parameter int Y_BITS = 16,
  parameter     WEIGHTS = "",
  parameter     STYLE = "auto"
) (
  input  logic                    clk,
  input  logic                    rst_n,
  input  logic [LANES*X_BITS-1:0] s_axis_x_tdata,
  input  logic                    s_axis_x_tvalid,
  output logic                    s_axis_x_tready,
  output logic [Y_BITS-1:0]       m_axis_y_tdata,
  output logic                    m_axis_y_tvalid,
  input  logic                    m_axis_y_tready
);
  (* rom_style = STYLE *) logic [LANES*W_BITS-1:0] rom [BEATS];
  initial $readmemh(WEIGHTS, rom);

  logic [$clog2(BEATS+1)-1:0] beat_q, next_beat;
  logic [LANES*W_BITS-1:0] weights_q;
  logic [LANES*X_BITS-1:0] x_q;
  logic valid_q, last_q, first_q;
  logic signed [Y_BITS-1:0] sum_q, partial;

  wire advance = !m_axis_y_tvalid || m_axis_y_tready;
  wire take = s_axis_x_tvalid && s_axis_x_tready;
  assign s_axis_x_tready = rst_n && advance;
  assign next_beat = beat_q == ($clog2(BEATS + 1))'(BEATS - 1) ? '0 : beat_q + 1'b1;

  always_comb begin
    partial = '0;
    for (int i = 0; i < LANES; i++)
      partial += Y_BITS'(signed'(x_q[i*X_BITS+:X_BITS])) * Y_BITS'(signed'(weights_q[i*W_BITS+:W_BITS]));
  end

  // The read port of the ROM has an enable of its own and no reset, so that it can be a block RAM.
  always_ff @(posedge clk) if (advance) weights_q <= rom[beat_q];

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      beat_q <= '0;
      valid_q <= 1'b0;
      m_axis_y_tvalid <= 1'b0;
    end else if (advance) begin
      if (take) beat_q <= next_beat;
      valid_q <= take;
      m_axis_y_tvalid <= valid_q && last_q;
    end
    if (advance) begin
      x_q <= s_axis_x_tdata;
      first_q <= beat_q == '0;
      last_q <= next_beat == '0;
      if (valid_q) sum_q <= first_q ? partial : sum_q + partial;
      if (valid_q) m_axis_y_tdata <= first_q ? partial : sum_q + partial;
    end
  end
endmodule
