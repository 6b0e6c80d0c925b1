// The index of the greatest of FOLDS * LANES values, the lowest index on a tie.
//
// A tree of maxima finds the greatest value of a beat and its position in clog2(LANES) stages of a
// pipeline; a running maximum over the FOLDS beats of a vector follows. It keeps what it has unless
// the new value is greater, so the lowest index stays. A beat is taken in every cycle, and the
// index is on offer clog2(LANES) + 1 cycles after the last beat of its vector.
//
// `tvalid` is a register; all stands still while it is set and `m_axis_y_tready` is not, and
// `s_axis_x_tready` depends on these two alone.
module bs_label_select #(
  parameter int LANES  = 1,
  parameter int FOLDS  = 10,
  parameter int BITS   = 8,
  parameter bit SIGNED = 0,
  parameter int Y_BITS = 4
) (
  input  logic                  clk,
  input  logic                  rst_n,
  input  logic [LANES*BITS-1:0] s_axis_x_tdata,
  input  logic                  s_axis_x_tvalid,
  output logic                  s_axis_x_tready,
  output logic [Y_BITS-1:0]     m_axis_y_tdata,
  output logic                  m_axis_y_tvalid,
  input  logic                  m_axis_y_tready
);
  localparam int Levels = $clog2(LANES);
  localparam int IndexBits = FOLDS * LANES > 1 ? $clog2(FOLDS * LANES) : 1;
  localparam int PlaceBits = Levels > 0 ? Levels : 1;

  logic enable;
  logic valid;  // of the beat that leaves the tree
  logic [BITS-1:0] value;
  logic [PlaceBits-1:0] place;

  assign enable          = m_axis_y_tready || !m_axis_y_tvalid;
  assign s_axis_x_tready = enable;

  if (Levels == 0) begin : g_no_tree
    assign valid = s_axis_x_tvalid;
    assign value = s_axis_x_tdata;
    assign place = '0;
  end else begin : g_tree
    logic [Levels-1:0] valid_q;
    always_ff @(posedge clk)
      if (!rst_n) valid_q <= '0;
      else if (enable) valid_q <= Levels'({valid_q, s_axis_x_tvalid});

    for (genvar l = 0; l < Levels; l++) begin : g_level
      localparam int Count = (LANES + (1 << l) - 1) >> l;
      localparam int Pairs = (Count + 1) / 2;
      logic [Count*BITS-1:0]              value_i;
      logic [Count*(l > 0 ? l : 1)-1:0]   index_i;
      logic [Pairs*BITS-1:0]              value_o;
      logic [Pairs*(l+1)-1:0]             index_o;
      if (l == 0) begin : g_first
        assign value_i = s_axis_x_tdata;
        assign index_i = '0;
      end else begin : g_next
        assign value_i = g_level[l-1].value_o;
        assign index_i = g_level[l-1].index_o;
      end
      bs_max_stage #(.COUNT(Count), .LEVEL(l), .BITS(BITS), .SIGNED(SIGNED)) stage (
        .clk, .enable, .value_i, .index_i, .value_o, .index_o
      );
    end
    assign valid = valid_q[Levels-1];
    assign value = g_level[Levels-1].value_o;
    assign place = g_level[Levels-1].index_o;
  end

  // The running maximum. Its index is what the output offers.
  logic [BITS-1:0] best_q;
  logic [IndexBits-1:0] index_q, offset_q;
  logic first, last, greater;

  assign first = FOLDS == 1 || offset_q == '0;
  assign last  = FOLDS == 1 || offset_q == IndexBits'((FOLDS - 1) * LANES);
  bs_greater #(.BITS(BITS), .SIGNED(SIGNED)) greater_i (.a(value), .b(best_q), .y(greater));

  always_ff @(posedge clk) begin
    if (enable && valid && (first || greater)) begin
      best_q  <= value;
      index_q <= offset_q + IndexBits'(place);
    end
    if (!rst_n) begin
      offset_q        <= '0;
      m_axis_y_tvalid <= 1'b0;
    end else if (enable) begin
      m_axis_y_tvalid <= valid && last;
      if (valid) offset_q <= last ? '0 : offset_q + IndexBits'(LANES);
    end
  end

  assign m_axis_y_tdata = Y_BITS'(index_q);
endmodule
