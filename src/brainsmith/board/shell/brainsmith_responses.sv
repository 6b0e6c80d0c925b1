// Frames from the accelerator: keeps them, and hands them out as octets.
//
// The octets carry the bits of a frame without padding, element 0 of beat 0 lowest in the first
// one; what is left of the last octet is 0. `open` takes the next frame, of which `octet_valid`
// then offers one octet after the other. Whoever feeds the accelerator keeps no more than SLOTS
// frames on their way, so that it never has to wait for room here.
`default_nettype none
module brainsmith_responses #(
  parameter int unsigned WIDTH = 8,
  parameter int unsigned BEATS = 1,
  parameter int unsigned SLOTS = 2
) (
  input  logic             clk,
  input  logic             rst_n,
  input  logic [WIDTH-1:0] s_axis_tdata,
  input  logic             s_axis_tvalid,
  output logic             s_axis_tready,
  output logic             last,       // the last beat of a frame has come from the accelerator
  output logic             available,  // a whole frame is there
  input  logic             open,
  output logic [7:0]       octet,
  output logic             octet_valid,
  input  logic             octet_ready
);
  localparam int unsigned Depth = BEATS * SLOTS;
  localparam int unsigned AddressBits = Depth > 1 ? $clog2(Depth) : 1;
  localparam int unsigned BeatBits = $clog2(BEATS + 1);
  localparam int unsigned BitBits = $clog2(WIDTH + 1);
  localparam int unsigned SlotBits = $clog2(SLOTS + 1);
  localparam logic [AddressBits-1:0] LastAddress = AddressBits'(Depth - 1);

  logic [WIDTH-1:0] memory[Depth];

  logic [AddressBits-1:0] write_q, read_q;
  logic [BeatBits-1:0] taken_q;   // beats of the frame that comes in
  logic [SlotBits-1:0] whole_q;   // whole frames that nobody has opened
  logic [SlotBits-1:0] used_q;    // slots that are not free
  logic taken, ends, closed, freed_q;

  assign s_axis_tready = used_q != SlotBits'(SLOTS);
  assign taken         = s_axis_tvalid & s_axis_tready;
  assign ends          = taken & (taken_q == BeatBits'(BEATS - 1));
  assign available     = whole_q != '0;

  always_ff @(posedge clk) begin
    if (taken) memory[write_q] <= s_axis_tdata;
  end

  always_ff @(posedge clk) begin
    if (taken) begin
      write_q <= write_q == LastAddress ? '0 : write_q + AddressBits'(1);
      taken_q <= ends ? '0 : taken_q + BeatBits'(1);
    end
    whole_q <= whole_q + SlotBits'(ends) - SlotBits'(open);
    last    <= rst_n & ends;
    freed_q <= closed;
    used_q  <= used_q + SlotBits'(ends) - SlotBits'(freed_q);
    if (!rst_n) begin
      write_q <= '0;
      taken_q <= '0;
      freed_q <= 1'b0;
      whole_q <= '0;
      used_q  <= '0;
    end
  end

  // A bit a cycle, from the beat that was read to the octet.
  logic [WIDTH-1:0] read_data_q, beat_q;
  logic [BeatBits-1:0] ahead_q;  // beats of the opened frame that are not yet read
  logic [BitBits-1:0] bits_q;    // bits of the beat that are left
  logic [3:0] filled_q;          // bits of the octet; 8 offers it
  logic loaded_q, active_q;      // loaded: memory's output holds the next beat
  logic load, move, pad;

  assign octet_valid = filled_q == 4'd8;
  assign load        = loaded_q & (bits_q == '0);
  assign move        = (bits_q != '0) & ~octet_valid;
  // Behind the last bit of a frame.
  assign pad    = active_q & (ahead_q == '0) & ~loaded_q & (bits_q == '0) & ~octet_valid;
  assign closed = active_q & (ahead_q == '0) & ~loaded_q & (bits_q == '0)
                & (filled_q == 4'd0 | (octet_valid & octet_ready));

  always_ff @(posedge clk) begin
    if (active_q & (ahead_q != '0) & ~loaded_q) read_data_q <= memory[read_q];
  end

  always_ff @(posedge clk) begin
    if (open) begin
      active_q <= 1'b1;
      ahead_q  <= BeatBits'(BEATS);
    end else if (active_q & (ahead_q != '0) & ~loaded_q) begin
      loaded_q <= 1'b1;
      ahead_q  <= ahead_q - BeatBits'(1);
      read_q   <= read_q == LastAddress ? '0 : read_q + AddressBits'(1);
    end
    if (load) begin
      loaded_q <= 1'b0;
      beat_q   <= read_data_q;
      bits_q   <= BitBits'(WIDTH);
    end
    if (move) begin
      octet    <= {beat_q[0], octet[7:1]};
      beat_q   <= beat_q >> 1;
      bits_q   <= bits_q - BitBits'(1);
      filled_q <= filled_q + 4'd1;
    end else if (pad && filled_q != 4'd0) begin
      octet    <= {1'b0, octet[7:1]};
      filled_q <= filled_q + 4'd1;
    end
    if (octet_valid & octet_ready) filled_q <= '0;
    if (closed) active_q <= 1'b0;
    if (!rst_n) begin
      active_q <= 1'b0;
      loaded_q <= 1'b0;
      ahead_q  <= '0;
      read_q   <= '0;
      bits_q   <= '0;
      filled_q <= '0;
    end
  end
endmodule
`default_nettype wire
