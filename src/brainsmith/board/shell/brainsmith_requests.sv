// Frames for the accelerator: gathers beats from octets, keeps whole frames, and feeds them.
//
// What belongs to a frame is written while it comes in, and counts only once `commit` says that
// its checksum was right: the accelerator sees whole frames and nothing else, however the line
// behaves. Beats lie in memory as wide as they are, so that a frame is fed at a beat a cycle.
//
// Octets carry the bits of a frame without padding, element 0 of beat 0 lowest in the first one.
// They may come every eight cycles.
`default_nettype none
module brainsmith_requests #(
  parameter int unsigned WIDTH = 8,  // bits of a beat
  parameter int unsigned BEATS = 1,  // beats of a frame
  parameter int unsigned SLOTS = 2   // frames of memory
) (
  input  logic             clk,
  input  logic             rst_n,
  input  logic             start,   // forget what was gathered
  input  logic             room,    // there is a free slot; stable while a frame is gathered
  input  logic [7:0]       octet,
  input  logic             octet_valid,
  input  logic             commit,  // what was gathered is a frame; only if there was room
  output logic             first,   // the first beat of a frame has gone to the accelerator
  output logic [WIDTH-1:0] m_axis_tdata,
  output logic             m_axis_tvalid,
  input  logic             m_axis_tready
);
  localparam int unsigned Depth = BEATS * SLOTS;
  localparam int unsigned AddressBits = Depth > 1 ? $clog2(Depth) : 1;
  localparam int unsigned BeatBits = $clog2(BEATS + 1);
  localparam int unsigned BitBits = $clog2(WIDTH + 1);
  localparam int unsigned SlotBits = $clog2(SLOTS + 1);
  localparam logic [AddressBits-1:0] LastAddress = AddressBits'(Depth - 1);

  logic [WIDTH-1:0] memory[Depth];

  // Gathering: a bit a cycle.
  logic [7:0] octet_q;
  logic [3:0] left_q;
  logic [WIDTH-1:0] beat_q;
  logic [BitBits-1:0] bits_q;
  logic [BeatBits-1:0] written_q;
  logic [AddressBits-1:0] base_q, write_q;
  logic shift, write;

  assign shift = left_q != 4'd0;
  assign write = (bits_q == BitBits'(WIDTH)) & (written_q != BeatBits'(BEATS)) & room;

  always_ff @(posedge clk) begin
    if (write) memory[write_q] <= beat_q;
  end

  always_ff @(posedge clk) begin
    if (shift) begin
      octet_q <= {1'b0, octet_q[7:1]};
      left_q  <= left_q - 4'd1;
      beat_q  <= WIDTH'({octet_q[0], beat_q} >> 1);
      bits_q  <= bits_q + BitBits'(1);
    end
    if (bits_q == BitBits'(WIDTH)) bits_q <= BitBits'(shift);
    if (write) begin
      write_q   <= write_q == LastAddress ? '0 : write_q + AddressBits'(1);
      written_q <= written_q + BeatBits'(1);
    end
    if (octet_valid) begin
      octet_q <= octet;
      left_q  <= 4'd8;
    end
    if (commit) base_q <= write_q;
    if (start) begin
      write_q   <= commit ? write_q : base_q;
      written_q <= '0;
      bits_q    <= '0;
      left_q    <= '0;
    end
    if (!rst_n) begin
      base_q    <= '0;
      write_q   <= '0;
      written_q <= '0;
      bits_q    <= '0;
      left_q    <= '0;
    end
  end

  // Feeding.
  logic [WIDTH-1:0] ahead_q;  // the memory's output register
  logic ahead_valid_q, ahead_ready;
  logic [SlotBits-1:0] used_q;    // slots that hold frames
  logic [BeatBits-1:0] fed_q;     // beats of the frame that were read
  logic [AddressBits-1:0] read_q;
  logic advance, read, last_read, first_q;

  assign advance   = ~ahead_valid_q | ahead_ready;
  assign read      = advance & (used_q != '0);
  assign last_read = read & (fed_q == BeatBits'(BEATS - 1));

  always_ff @(posedge clk) begin
    if (read) ahead_q <= memory[read_q];
  end

  // Between them two registers, so that no path leads from the accelerator's ready into the memory.
  logic first_out;

  brainsmith_skid #(.WIDTH(WIDTH + 1)) skid (
    .clk, .rst_n,
    .s_axis_tdata({first_q, ahead_q}), .s_axis_tvalid(ahead_valid_q), .s_axis_tready(ahead_ready),
    .m_axis_tdata({first_out, m_axis_tdata}), .m_axis_tvalid, .m_axis_tready
  );

  always_ff @(posedge clk) begin
    first <= rst_n & first_out & m_axis_tvalid & m_axis_tready;
    if (advance) ahead_valid_q <= used_q != '0;
    if (advance) first_q <= fed_q == '0;
    if (read) begin
      read_q <= read_q == LastAddress ? '0 : read_q + AddressBits'(1);
      fed_q  <= last_read ? '0 : fed_q + BeatBits'(1);
    end
    used_q <= used_q + SlotBits'(commit) - SlotBits'(last_read);
    if (!rst_n) begin
      ahead_valid_q <= 1'b0;
      read_q        <= '0;
      fed_q         <= '0;
      used_q        <= '0;
    end
  end
endmodule
`default_nettype wire
