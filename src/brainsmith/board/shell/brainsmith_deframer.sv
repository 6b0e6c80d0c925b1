// Takes frames out of the bytes of a line, as in RFC 1662 (HDLC on asynchronous lines).
//
// A frame lies between two flags (7E); 7D and the next octet xor 20 stand for 7E and 7D inside it:
//
//   7E | kind | number, 2 octets | length, 2 octets | payload | CRC-32, 4 octets | 7E
//
// numbers with the lowest octet first. A flag can be nothing but the border of a frame, so that
// after whatever noise the next flag starts anew. `start` tells that a frame may begin, then each
// octet of the payload comes with `octet_valid`, then `finish` comes once, with `good` if the
// checksum and the length are right. Two flags in a row are no frame and tell nothing.
`default_nettype none
module brainsmith_deframer (
  input  logic        clk,
  input  logic        rst_n,
  input  logic [7:0]  data,
  input  logic        valid,
  input  logic        broken,  // a byte that could not be read
  output logic        start,
  output logic [7:0]  kind,
  output logic [15:0] number,
  output logic [15:0] length,
  output logic [7:0]  octet,
  output logic        octet_valid,
  output logic        finish,
  output logic        good
);
  localparam logic [7:0] Flag = 8'h7E;
  localparam logic [7:0] Escape = 8'h7D;
  localparam logic [16:0] Header = 17'd5;
  localparam logic [16:0] Check = 17'd4;

  logic [39:0] head_q;
  logic [16:0] count_q;  // octets of this frame
  logic escaped_q, spoilt_q, flag, taken, in_head, in_body;
  logic [7:0] plain;
  logic residue;

  assign flag    = valid & (data == Flag);
  assign taken   = valid & ~flag & (escaped_q | (data != Escape));
  assign plain   = escaped_q ? data ^ 8'h20 : data;
  assign in_head = count_q < Header;
  assign in_body = ~in_head & (count_q < Header + {1'b0, length});

  assign {length, number, kind} = head_q;

  /* verilator lint_off PINCONNECTEMPTY */
  brainsmith_crc32 crc (
    .clk, .clear(start), .octet(plain), .valid(taken), .busy(), .value(), .residue
  );
  /* verilator lint_on PINCONNECTEMPTY */

  always_ff @(posedge clk) begin
    start       <= flag;
    finish      <= flag & (count_q != '0 | spoilt_q);
    good        <= ~spoilt_q & ~escaped_q & residue & (count_q == Header + {1'b0, length} + Check);
    octet       <= plain;
    octet_valid <= taken & in_body;
    if (taken) begin
      if (in_head) head_q <= {plain, head_q[39:8]};
      escaped_q <= 1'b0;
      if (&count_q) spoilt_q <= 1'b1;
      else count_q <= count_q + 17'd1;
    end else if (valid) begin
      escaped_q <= data == Escape;
    end
    if (broken) spoilt_q <= 1'b1;
    if (flag || !rst_n) begin
      count_q   <= '0;
      escaped_q <= 1'b0;
      spoilt_q  <= 1'b0;
    end
    if (!rst_n) begin
      start       <= 1'b1;  // clears the checksum
      finish      <= 1'b0;
      octet_valid <= 1'b0;
    end
  end
endmodule
`default_nettype wire
