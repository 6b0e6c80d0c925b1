// CRC-32 of IEEE 802.3 (reflected, as zlib's crc32), one bit a cycle: eight cycles an octet.
//
// `octet` is taken when `valid` is up; `busy` is up while it is worked through. `value` is the
// register before its final complement; after a whole frame with its checksum it is RESIDUE.
`default_nettype none
module brainsmith_crc32 (
  input  logic        clk,
  input  logic        clear,
  input  logic [7:0]  octet,
  input  logic        valid,
  output logic        busy,
  output logic [31:0] value,
  output logic        residue
);
  localparam logic [31:0] Polynomial = 32'hEDB8_8320;
  localparam logic [31:0] Residue = 32'hDEBB_20E3;

  logic [31:0] value_q;
  logic [7:0] octet_q;
  logic [3:0] left_q;
  logic feedback;

  assign busy     = left_q != 4'd0;
  assign value    = value_q;
  assign residue  = value_q == Residue;
  assign feedback = value_q[0] ^ octet_q[0];

  always_ff @(posedge clk) begin
    if (busy) begin
      value_q <= {1'b0, value_q[31:1]} ^ (feedback ? Polynomial : 32'd0);
      octet_q <= {1'b0, octet_q[7:1]};
      left_q  <= left_q - 4'd1;
    end
    if (valid) begin
      octet_q <= octet;
      left_q  <= 4'd8;
    end
    if (clear) begin
      value_q <= '1;
      left_q  <= '0;
    end
  end
endmodule
`default_nettype wire
