// Puts frames on the line, in the form that the deframer takes them in.
//
// `open` starts one; its header must be stable until `done`. Payload octets are taken from
// `octet` as they are needed. A byte is ready long before the line is, so that a frame has no gap.
`default_nettype none
module brainsmith_framer (
  input  logic        clk,
  input  logic        rst_n,
  input  logic        open,
  input  logic [7:0]  kind,
  input  logic [15:0] number,
  input  logic [15:0] length,
  input  logic [7:0]  octet,
  input  logic        octet_valid,
  output logic        octet_ready,
  output logic        done,
  output logic [7:0]  data,
  output logic        valid,
  input  logic        ready
);
  localparam logic [7:0] Flag = 8'h7E;
  localparam logic [7:0] Escape = 8'h7D;

  typedef enum logic [2:0] {Idle, Opening, Header, Body, Check, Closing} part_e;

  part_e part_q;
  logic [15:0] index_q;  // octet of the part
  logic [7:0] next, octet_q;
  logic fetch, crc_busy, border_q, full_q, special, special_q, escaping_q, sent;
  logic [31:0] crc, check;
  logic [39:0] head;

  assign head  = {length, number, kind};
  assign check = ~crc;

  always_comb begin
    case (part_q)
      Header:  next = head[8*index_q[2:0] +: 8];
      Body:    next = octet;
      Check:   next = check[8*index_q[1:0] +: 8];
      default: next = Flag;
    endcase
  end
  assign fetch = (part_q != Idle) & ~full_q & ~crc_busy & (part_q != Body | octet_valid);
  assign octet_ready = fetch & (part_q == Body);

  /* verilator lint_off PINCONNECTEMPTY */
  brainsmith_crc32 checksum (
    .clk, .clear(open), .octet(next), .valid(fetch & (part_q == Header | part_q == Body)),
    .busy(crc_busy), .value(crc), .residue()
  );
  /* verilator lint_on PINCONNECTEMPTY */

  always_ff @(posedge clk) begin
    done <= fetch & (part_q == Closing);
    if (fetch) begin
      octet_q  <= next;
      border_q <= part_q == Opening | part_q == Closing;
      index_q  <= index_q + 16'd1;
      case (part_q)
        Opening: begin
          part_q  <= Header;
          index_q <= '0;
        end
        Header: if (index_q[2:0] == 3'd4) begin
          part_q  <= length == '0 ? Check : Body;
          index_q <= '0;
        end
        Body: if (index_q + 16'd1 == length) begin
          part_q  <= Check;
          index_q <= '0;
        end
        Check: if (index_q[1:0] == 2'd3) part_q <= Closing;
        default: part_q <= Idle;
      endcase
    end
    if (open) part_q <= Opening;
    if (!rst_n) begin
      part_q <= Idle;
      done   <= 1'b0;
    end
  end

  // An octet that could be mistaken for a border is two bytes on the line.
  assign special = ~border_q & ~escaping_q & (octet_q == Flag | octet_q == Escape);
  assign sent    = valid & ready & ~special_q;

  always_ff @(posedge clk) begin
    // A cycle to look at the octet, then it is offered.
    valid     <= full_q & ~(valid & ready);
    special_q <= special;
    data      <= special ? Escape : escaping_q ? octet_q ^ 8'h20 : octet_q;
    if (valid & ready) escaping_q <= special_q;
    full_q <= fetch | (full_q & ~sent);
    if (!rst_n) begin
      valid      <= 1'b0;
      full_q     <= 1'b0;
      escaping_q <= 1'b0;
    end
  end
endmodule
`default_nettype wire
