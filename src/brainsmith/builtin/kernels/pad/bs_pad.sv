// A constant around an image, LANES channels a beat.
//
//   OUT_ROWS rows of OUT_BEATS beats; in them, from row TOP and beat LEFT on, ROWS rows of BEATS
//   beats that come from the input:
//
//     v v v v v v     v: VALUE in all lanes
//     v v x x x v
//     v v x x x v     TOP = 1, LEFT = 2, BEATS = 3, ROWS = 2
//     v v v v v v
//
// A beat of x waits in a register until its place comes. The padding before an image begins when
// the image's first beat is in the register, so that none is offered after the last image; all
// other padding waits for nothing. A beat of x can be taken in the cycle in which the one before
// leaves, which is why `s_axis_x_tready` depends on `m_axis_y_tready`. Latency: 1 cycle from the
// first beat taken to the first beat on offer.
module bs_pad #(
  parameter int LANES     = 1,
  parameter int OUT_ROWS  = 4,
  parameter int OUT_BEATS = 6,
  parameter int ROWS      = 2,
  parameter int BEATS     = 3,
  parameter int TOP       = 1,
  parameter int LEFT      = 2,
  parameter int X_BITS    = 8,
  parameter bit X_SIGNED  = 0,
  parameter bit X_BIPOLAR = 0,
  parameter int Y_BITS    = 8,
  parameter bit Y_BIPOLAR = 0,
  parameter bit [Y_BITS-1:0] VALUE = '0
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
  localparam int RowBits  = OUT_ROWS > 1 ? $clog2(OUT_ROWS) : 1;
  localparam int BeatBits = OUT_BEATS > 1 ? $clog2(OUT_BEATS) : 1;

  logic [LANES*X_BITS-1:0] x_q;
  logic valid_q;
  logic [RowBits-1:0] row_q;
  logic [BeatBits-1:0] beat_q;
  logic start_q;              // at the first beat of an image
  logic down_q, across_q;     // in the rows, and the beats, of the image
  logic image, step, last_beat, last_row;
  logic [LANES*Y_BITS-1:0] x;

  bs_cast #(
    .ELEMENTS (LANES),
    .X_BITS   (X_BITS),
    .X_SIGNED (X_SIGNED),
    .X_BIPOLAR(X_BIPOLAR),
    .Y_BITS   (Y_BITS),
    .Y_BIPOLAR(Y_BIPOLAR)
  ) cast (.x(x_q), .y(x));

  assign image     = down_q && across_q;
  assign last_beat = beat_q == BeatBits'(OUT_BEATS - 1);
  assign last_row  = row_q == RowBits'(OUT_ROWS - 1);
  assign step      = m_axis_y_tvalid && m_axis_y_tready;

  assign m_axis_y_tvalid = valid_q || !(image || start_q);
  assign m_axis_y_tdata  = image ? x : {LANES{VALUE}};
  assign s_axis_x_tready = !valid_q || (image && m_axis_y_tready);

  always_ff @(posedge clk) begin
    if (s_axis_x_tready) x_q <= s_axis_x_tdata;

    if (!rst_n) begin
      valid_q  <= 1'b0;
      row_q    <= '0;
      beat_q   <= '0;
      start_q  <= 1'b1;
      down_q   <= TOP == 0;
      across_q <= LEFT == 0;
    end else begin
      if (s_axis_x_tready) valid_q <= s_axis_x_tvalid;
      if (step) begin
        beat_q  <= last_beat ? '0 : beat_q + 1'b1;
        start_q <= last_beat && last_row;
        // Where the image is as wide as the output, the two coincide: it never ends.
        if (beat_q == BeatBits'(LEFT + BEATS - 1)) across_q <= 1'b0;
        if (beat_q == BeatBits'((LEFT + OUT_BEATS - 1) % OUT_BEATS)) across_q <= 1'b1;
      end
      if (step && last_beat) begin
        row_q <= last_row ? '0 : row_q + 1'b1;
        if (row_q == RowBits'(TOP + ROWS - 1)) down_q <= 1'b0;
        if (row_q == RowBits'((TOP + OUT_ROWS - 1) % OUT_ROWS)) down_q <= 1'b1;
      end
    end
  end
endmodule
