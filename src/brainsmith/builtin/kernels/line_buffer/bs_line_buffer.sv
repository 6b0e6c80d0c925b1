// Gives the beats of each frame again in another order, some of them several times or never.
//
// Beats are numbered within their frame of FRAME beats. Five nested loops give, a beat a cycle,
//
//   for i0 < TRIP0, i1 < TRIP1                      a window, which begins at i0*STRIDE0 + i1*STRIDE1
//     for i2 < TRIP2, i3 < TRIP3, i4 < TRIP4        beat i2*STRIDE2 + i3*STRIDE3 + i4*STRIDE4 of it
//
// from a circular buffer of ROWS beats:
//
//   s_axis_x --> [ ... | released | window ....... | ahead ... | room ] --> [ register ] --> m_axis_y
//                                 ^ its begin      ^ Need      ^ write_q
//
// A window starts once all its Need beats are there, and when it ends, all beats before the next
// one are released, those that no window of the frame has included. `ahead_q` is the number of
// beats that came beyond those that the window needs, negative while it waits. (Beats may be
// released before they come.) Strides are not negative, so that no later window reads a beat
// before the begin of an earlier one.
//
// Between windows, rows and frames there is no bubble: the address of the next beat is that of
// the present one plus the jump of the outermost loop that goes on, and wraps as a whole. A beat
// that is taken in cycle t can be read in t+1 and is on offer in t+2 at the earliest.
// `s_axis_x_tready` and `m_axis_y_tvalid` depend on registers alone. A beat has ELEMENTS elements,
// which y may have in another datatype; those of the narrower one are kept.
module bs_line_buffer #(
  parameter int ELEMENTS  = 2,
  parameter int X_BITS    = 4,
  parameter bit X_SIGNED  = 0,
  parameter bit X_BIPOLAR = 0,
  parameter int Y_BITS    = 4,
  parameter bit Y_BIPOLAR = 0,
  parameter int ROWS      = 32,
  parameter int FRAME     = 64,
  parameter int TRIP0     = 6,
  parameter int TRIP1     = 6,
  parameter int TRIP2     = 1,
  parameter int TRIP3     = 3,
  parameter int TRIP4     = 3,
  parameter int STRIDE0   = 8,
  parameter int STRIDE1   = 1,
  parameter int STRIDE2   = 0,
  parameter int STRIDE3   = 8,
  parameter int STRIDE4   = 1,
  parameter     RAM_STYLE = "auto"  // auto, distributed, block, logic
) (
  input  logic                       clk,
  input  logic                       rst_n,
  input  logic [ELEMENTS*X_BITS-1:0] s_axis_x_tdata,
  input  logic                       s_axis_x_tvalid,
  output logic                       s_axis_x_tready,
  output logic [ELEMENTS*Y_BITS-1:0] m_axis_y_tdata,
  output logic                       m_axis_y_tvalid,
  input  logic                       m_axis_y_tready
);
  // Beats from the first to the last of the inner loops.
  localparam int Reach4 = (TRIP4 - 1) * STRIDE4;
  localparam int Reach3 = (TRIP3 - 1) * STRIDE3 + Reach4;
  localparam int Reach2 = (TRIP2 - 1) * STRIDE2 + Reach3;
  localparam int Need   = Reach2 + 1;
  // Beats from a window to the next one, in its row, in the next row, in the next frame.
  localparam int NextInRow   = STRIDE1;
  localparam int NextRow     = STRIDE0 - (TRIP1 - 1) * STRIDE1;
  localparam int NextFrame   = FRAME - (TRIP0 - 1) * STRIDE0 - (TRIP1 - 1) * STRIDE1;

  localparam int Width    = ELEMENTS * (X_BITS < Y_BITS ? X_BITS : Y_BITS);
  localparam int AddrBits = $clog2(ROWS);
  localparam int Room     = ROWS - Need;

  function automatic int larger(input int a, input int b);
    return a > b ? a : b;
  endfunction

  function automatic int wrapped(input int jump);
    return (jump % ROWS + ROWS) % ROWS;
  endfunction

  function automatic int trailing_zeros(input int n);
    int zeros;
    zeros = 0;
    while ((n >> zeros) % 2 == 0) zeros = zeros + 1;
    return zeros;
  endfunction

  localparam int Most = larger(larger(Need, Room), larger(NextInRow, larger(NextRow, NextFrame)));
  localparam int AheadBits = $clog2(Most + 1) + 1;

  (* ram_style = RAM_STYLE, no_rw_check *)
  logic [Width-1:0] ram [ROWS];
  logic [Width-1:0] data, data_q;
  logic valid_q;
  logic [AddrBits-1:0] write_q, read_q, read_d, jump;
  logic [AheadBits-1:0] ahead_q, change;
  logic full_q, enough, push, pop, last_row, last_in_row, last_2, last_3, last_4, ends, releases;

  assign enough = !ahead_q[AheadBits-1];
  assign push   = s_axis_x_tvalid && !full_q;
  assign pop    = enough && (!valid_q || m_axis_y_tready);
  assign ends   = pop && last_2 && last_3 && last_4;
  // Beats, if a window of the row may release none.
  assign releases = ends && (NextInRow > 0 || last_in_row);

  assign s_axis_x_tready = !full_q;
  assign m_axis_y_tvalid = valid_q;

  if (Y_BITS < X_BITS) begin : g_cast_in
    bs_cast #(
      .ELEMENTS(ELEMENTS), .X_BITS(X_BITS), .X_SIGNED(X_SIGNED), .X_BIPOLAR(X_BIPOLAR),
      .Y_BITS(Y_BITS), .Y_BIPOLAR(Y_BIPOLAR)
    ) cast (.x(s_axis_x_tdata), .y(data));
    assign m_axis_y_tdata = data_q;
  end else begin : g_cast_out
    bs_cast #(
      .ELEMENTS(ELEMENTS), .X_BITS(X_BITS), .X_SIGNED(X_SIGNED), .X_BIPOLAR(X_BIPOLAR),
      .Y_BITS(Y_BITS), .Y_BIPOLAR(Y_BIPOLAR)
    ) cast (.x(data_q), .y(m_axis_y_tdata));
    assign data = s_axis_x_tdata;
  end

  bs_trip_counter #(.TRIP(TRIP4)) count_4 (
    .clk, .rst_n, .step(pop), .last(last_4)
  );
  bs_trip_counter #(.TRIP(TRIP3)) count_3 (
    .clk, .rst_n, .step(pop && last_4), .last(last_3)
  );
  bs_trip_counter #(.TRIP(TRIP2)) count_2 (
    .clk, .rst_n, .step(pop && last_4 && last_3), .last(last_2)
  );
  bs_trip_counter #(.TRIP(TRIP1)) count_1 (
    .clk, .rst_n, .step(ends), .last(last_in_row)
  );
  bs_trip_counter #(.TRIP(TRIP0)) count_0 (
    .clk, .rst_n, .step(ends && last_in_row), .last(last_row)
  );

  always_comb begin
    if (!last_4) jump = AddrBits'(wrapped(STRIDE4));
    else if (!last_3) jump = AddrBits'(wrapped(STRIDE3 - Reach4));
    else if (!last_2) jump = AddrBits'(wrapped(STRIDE2 - Reach3));
    else if (!last_in_row) jump = AddrBits'(wrapped(NextInRow - Reach2));
    else if (!last_row) jump = AddrBits'(wrapped(NextRow - Reach2));
    else jump = AddrBits'(wrapped(NextFrame - Reach2));

    // What comes and what a window releases, in one sum.
    if (!ends) change = AheadBits'(push);
    else if (!last_in_row) change = push ? AheadBits'(1 - NextInRow) : AheadBits'(-NextInRow);
    else if (!last_row) change = push ? AheadBits'(1 - NextRow) : AheadBits'(-NextRow);
    else change = push ? AheadBits'(1 - NextFrame) : AheadBits'(-NextFrame);
  end

  // Both addresses wrap at ROWS = Banks * 2**LowBits.
  localparam int LowBits = trailing_zeros(ROWS);
  localparam int Banks   = ROWS >> LowBits;
  logic [AddrBits:0] sum;
  assign sum = {1'b0, read_q} + {1'b0, jump};
  if (Banks == 1) begin : g_power_of_two
    assign read_d = sum[AddrBits-1:0];
  end else begin : g_banks
    localparam int BankBits = AddrBits - LowBits;
    localparam int Sums     = 2 ** (BankBits + 1);

    // For each bank in the buffer or beyond, the one that it stands for: logic, and no chain.
    logic [Sums*BankBits-1:0] wrapped_bank;
    for (genvar i = 0; i < Sums; i++) begin : g_bank
      assign wrapped_bank[i*BankBits+:BankBits] = i < 2 * Banks ? BankBits'(i % Banks) : 'x;
    end
    assign read_d[LowBits-1:0] = sum[LowBits-1:0];
    assign read_d[AddrBits-1:LowBits] = wrapped_bank[sum[AddrBits:LowBits]*BankBits+:BankBits];
  end

  always_ff @(posedge clk) begin
    if (push) ram[write_q] <= data;
    if (pop) data_q <= ram[read_q];

    if (!rst_n) begin
      write_q <= '0;
      read_q  <= '0;
      ahead_q <= -AheadBits'(Need);
      valid_q <= 1'b0;
      full_q  <= 1'b0;
    end else begin
      if (push) write_q <= &(write_q | ~AddrBits'(ROWS - 1)) ? '0 : write_q + 1'b1;
      if (pop) read_q <= read_d;
      ahead_q <= ahead_q + change;
      if (pop || m_axis_y_tready) valid_q <= pop;
      // Of the numbers from 0 up to Room - 1, Room - 1 alone has all the bits of Room - 1.
      full_q <= !releases && (full_q || push && enough && &(ahead_q | ~AheadBits'(Room - 1)));
    end
  end
endmodule
