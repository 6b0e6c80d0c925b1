// The shell between a board's serial line and an accelerator with one stream in and one out.
//
// Two kinds of frames come in (see brainsmith_deframer):
//   01  status: no payload. Answered at once by 81.
//   02  run: a frame for the accelerator. Answered by 82 with the accelerator's frame, under the
//       same number, in the order in which the requests came.
// No more than SLOTS requests may be on their way at a time; what comes beyond them, or is of
// another kind or size, is counted and not answered. The status, lowest octet first:
//   version 1, SLOTS 1, requests on their way 1, 0, DIGEST 16, clock in Hz 4, cycles 4, requests
//   answered 2, bad frames 1, bytes without a stop bit 1, requests refused 1
// where `cycles` are those from the first beat in to the last beat out of the last frame that found
// the accelerator empty. Counters of errors stay at their highest value; answers start again at 0.
// Nothing of more than a byte changes while a status is sent.
`default_nettype none
module brainsmith_shell #(
  parameter int unsigned BIT_STEP = 1 << 17,
  parameter int unsigned CLOCK_HZ = 1,
  parameter logic [127:0] DIGEST = '0,
  parameter int unsigned IN_WIDTH = 8,
  parameter int unsigned IN_BEATS = 1,
  parameter int unsigned OUT_WIDTH = 8,
  parameter int unsigned OUT_BEATS = 1,
  parameter int unsigned SLOTS = 2  // a power of two
) (
  input  logic                 clk,
  input  logic                 rst_n,
  input  logic                 rx,
  output logic                 tx,
  output logic                 busy,  // requests are on their way
  output logic [IN_WIDTH-1:0]  m_axis_tdata,
  output logic                 m_axis_tvalid,
  input  logic                 m_axis_tready,
  input  logic [OUT_WIDTH-1:0] s_axis_tdata,
  input  logic                 s_axis_tvalid,
  output logic                 s_axis_tready
);
  localparam logic [7:0] Version = 8'd1;
  localparam logic [7:0] AskStatus = 8'h01;
  localparam logic [7:0] AskRun = 8'h02;
  localparam logic [15:0] InOctets = 16'((IN_WIDTH * IN_BEATS + 7) / 8);
  localparam logic [15:0] OutOctets = 16'((OUT_WIDTH * OUT_BEATS + 7) / 8);
  localparam int unsigned StatusOctets = 33;
  localparam int unsigned SlotBits = $clog2(SLOTS);

  logic [7:0] rx_data, tx_data;
  logic rx_valid, rx_broken, tx_valid, tx_ready;

  brainsmith_uart_rx #(.BIT_STEP(BIT_STEP)) receiver (
    .clk, .rst_n, .rx, .data(rx_data), .valid(rx_valid), .broken(rx_broken)
  );
  brainsmith_uart_tx #(.BIT_STEP(BIT_STEP)) transmitter (
    .clk, .rst_n, .data(tx_data), .valid(tx_valid), .ready(tx_ready), .tx
  );

  logic start, finish, good, octet_valid;
  logic [7:0] kind, octet;
  logic [15:0] number, length;

  brainsmith_deframer deframer (
    .clk, .rst_n, .data(rx_data), .valid(rx_valid), .broken(rx_broken),
    .start, .kind, .number, .length, .octet, .octet_valid, .finish, .good
  );

  // What a frame asks for.
  logic [SlotBits:0] flying_q;
  logic is_run, is_status, commit, answered, first, last;
  logic started_q, room_q;  // whether a frame that begins finds a free slot

  assign is_run    = (kind == AskRun) & (length == InOctets);
  assign is_status = (kind == AskStatus) & (length == '0);
  assign commit    = finish & good & is_run & room_q;
  assign busy      = flying_q != '0;

  brainsmith_requests #(.WIDTH(IN_WIDTH), .BEATS(IN_BEATS), .SLOTS(SLOTS)) requests (
    .clk, .rst_n, .start, .room(room_q), .octet, .octet_valid, .commit, .first,
    .m_axis_tdata, .m_axis_tvalid, .m_axis_tready
  );

  // Only commits take slots, so that what is free as a frame begins stays free until its end.
  always_ff @(posedge clk) begin
    started_q <= start;
    if (started_q) room_q <= flying_q != (SlotBits + 1)'(SLOTS);
    if (!rst_n) begin
      started_q <= 1'b1;
      room_q    <= 1'b0;
    end
  end

  // The numbers of the requests on their way.
  logic [15:0] numbers[SLOTS];
  logic [SlotBits-1:0] pushed_q, popped_q;
  logic [15:0] answer_number;

  always_ff @(posedge clk) begin
    if (commit) numbers[pushed_q] <= number;
  end
  assign answer_number = numbers[popped_q];

  logic open, opens_status, sending_q, status_wanted_q, status_sent_q, done;
  logic [15:0] status_number_q, sent_number_q;
  logic available, result_valid, octet_ready;
  logic [7:0] result, status_octet;

  assign opens_status = status_wanted_q;
  assign open         = ~sending_q & (status_wanted_q | available);
  assign answered     = done & ~status_sent_q;

  always_ff @(posedge clk) begin
    if (finish & good & is_status) begin
      status_wanted_q <= 1'b1;
      status_number_q <= number;
    end else if (open) begin
      status_wanted_q <= 1'b0;
    end
    if (open) begin
      sending_q     <= 1'b1;
      status_sent_q <= opens_status;
      sent_number_q <= opens_status ? status_number_q : answer_number;
      if (!opens_status) popped_q <= popped_q + SlotBits'(1);
    end
    if (done) sending_q <= 1'b0;
    if (commit) pushed_q <= pushed_q + SlotBits'(1);
    flying_q <= flying_q + (SlotBits + 1)'(commit) - (SlotBits + 1)'(answered);
    if (!rst_n) begin
      sending_q       <= 1'b0;
      status_wanted_q <= 1'b0;
      status_sent_q   <= 1'b0;
      pushed_q        <= '0;
      popped_q        <= '0;
      flying_q        <= '0;
    end
  end

  brainsmith_responses #(.WIDTH(OUT_WIDTH), .BEATS(OUT_BEATS), .SLOTS(SLOTS)) responses (
    .clk, .rst_n, .s_axis_tdata, .s_axis_tvalid, .s_axis_tready, .last, .available,
    .open(open & ~opens_status), .octet(result), .octet_valid(result_valid),
    .octet_ready(octet_ready & ~status_sent_q)
  );

  brainsmith_framer framer (
    .clk, .rst_n, .open,
    .kind(status_sent_q ? 8'h81 : 8'h82), .number(sent_number_q),
    .length(status_sent_q ? 16'(StatusOctets) : OutOctets),
    .octet(status_sent_q ? status_octet : result), .octet_valid(status_sent_q | result_valid),
    .octet_ready, .done, .data(tx_data), .valid(tx_valid), .ready(tx_ready)
  );

  // The status.
  logic [31:0] cycles_q, counter_q;
  logic [15:0] answers_q;
  logic [7:0] bad_q, broken_q, refused_q;
  logic [SlotBits:0] inside_q;  // frames in the accelerator
  logic alone, lonely_q;        // a frame finds it empty; the oldest in it did
  logic refuse, telling;
  logic [5:0] status_index_q;
  logic [8*StatusOctets-1:0] status;

  assign status = {
    refused_q, broken_q, bad_q, answers_q, cycles_q, 32'(CLOCK_HZ), DIGEST,
    8'd0, 8'(flying_q), 8'(SLOTS), Version
  };
  assign telling = sending_q & status_sent_q;
  assign alone   = first & (inside_q == '0);
  assign refuse  = finish & good & ~is_status & ~commit;

  always_ff @(posedge clk) begin
    status_octet <= status[8*status_index_q +: 8];  // an octet is asked for every nine cycles
    counter_q    <= alone ? 32'd2 : counter_q + 32'd1;
    if (last) begin
      lonely_q <= 1'b0;
      if ((lonely_q | alone) & ~telling) cycles_q <= alone ? 32'd1 : counter_q;
    end else if (alone) begin
      lonely_q <= 1'b1;
    end
    inside_q  <= inside_q + (SlotBits + 1)'(first) - (SlotBits + 1)'(last);
    answers_q <= answers_q + 16'(answered);
    if (finish & ~good & ~&bad_q) bad_q <= bad_q + 8'd1;
    if (rx_broken & ~&broken_q) broken_q <= broken_q + 8'd1;
    if (refuse & ~&refused_q) refused_q <= refused_q + 8'd1;
    if (open) status_index_q <= '0;
    else if (octet_ready) status_index_q <= status_index_q + 6'd1;
    if (!rst_n) begin
      inside_q  <= '0;
      lonely_q  <= 1'b0;
      cycles_q  <= '0;
      answers_q <= '0;
      bad_q     <= '0;
      broken_q  <= '0;
      refused_q <= '0;
    end
  end
endmodule
`default_nettype wire
