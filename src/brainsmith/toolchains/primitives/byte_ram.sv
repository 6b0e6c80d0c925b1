// bs_byte_ram: the memory inside a block RAM, two ports on 9-bit bytes (a parity bit above eight).
//
// It is what DP16KD (FPGA-TN-02204) and RAMB18/36 (UG473, UG573) have in common:
//   - an address counts data bits; a port of 9, 18, 36 or 72 bits takes aligned bytes, lowest first,
//     one of 1, 2 or 4 bits a part of the eight data bits; width 0 is a direction not used
//   - reads are registered; a port that writes shows old data (READ_FIRST), new data (WRITE_FIRST)
//     or holds its output (NO_CHANGE)
//   - an enabled reset sets the output alone
//   - where one port reads what the other one writes, it sees old data if the writer is READ_FIRST
//     and SHARES_OLD, and else data that no device promises: here the complement of the old ones
// Collisions are seen at edges of one clock, as the designs have one.

module bs_byte_ram #(
    parameter integer BYTES = 2048,
    parameter integer LANES = 4,
    parameter [BYTES*9-1:0] INIT = '0,
    parameter integer A_READ = 0,
    parameter integer A_WRITE = 0,
    parameter integer B_READ = 0,
    parameter integer B_WRITE = 0,
    parameter A_MODE = "READ_FIRST",
    parameter B_MODE = "READ_FIRST",
    parameter bit SHARES_OLD = 1'b1,
    parameter [LANES*9-1:0] A_INIT = '0,
    parameter [LANES*9-1:0] B_INIT = '0,
    parameter [LANES*9-1:0] A_RESET = '0,
    parameter [LANES*9-1:0] B_RESET = '0
) (
    input a_clk,
    input a_enable,
    input a_reset,
    input [15:0] a_address,
    input [LANES-1:0] a_write,
    input [LANES*9-1:0] a_in,
    output [LANES*9-1:0] a_out,
    input b_clk,
    input b_enable,
    input b_reset,
    input [15:0] b_address,
    input [LANES-1:0] b_write,
    input [LANES*9-1:0] b_in,
    output [LANES*9-1:0] b_out
);
    localparam integer BITS = $clog2(BYTES);
    typedef bit [BITS-1:0] index_t;
    typedef bit [8:0] byte_t;

    reg [8:0] memory[0:BYTES-1];
    initial for (integer i = 0; i < BYTES; i++) memory[i] = INIT[i*9+:9];

    // Bytes that a port of a width takes, and which byte its lane `lane` is.
    function automatic integer lanes(input integer width);
        return width < 9 ? 1 : width / 9;
    endfunction

    function automatic index_t place(input [15:0] address, input integer width, input integer lane);
        return (address[3+:BITS] & ~index_t'(lanes(width) - 1)) | index_t'(lane);
    endfunction

    // The bits of a byte that a port takes, from bit `offset` on.
    function automatic bit [2:0] offset(input [15:0] address, input integer width);
        return width < 9 ? address[2:0] & ~3'(width - 1) : 3'd0;
    endfunction

    function automatic byte_t mask(input [15:0] address, input integer width);
        return byte_t'((1 << (width < 9 ? width : 9)) - 1) << offset(address, width);
    endfunction

    function automatic bit known(input integer width);
        return width inside {0, 1, 2, 4, 9, 18, 36, 72} && lanes(width) <= LANES;
    endfunction

    for (genvar p = 0; p < 2; p++) begin : port
        localparam integer READ = p == 0 ? A_READ : B_READ;
        localparam integer WRITE = p == 0 ? A_WRITE : B_WRITE;
        localparam integer OTHER = p == 0 ? B_WRITE : A_WRITE;
        localparam [95:0] MODE = p == 0 ? A_MODE : B_MODE;
        localparam [95:0] OTHER_MODE = p == 0 ? B_MODE : A_MODE;
        localparam bit CONFLICTS = OTHER != 0 && !(SHARES_OLD && OTHER_MODE == "READ_FIRST");

        wire clk = p == 0 ? a_clk : b_clk;
        wire enable = p == 0 ? a_enable : b_enable;
        wire reset = p == 0 ? a_reset : b_reset;
        wire [15:0] address = p == 0 ? a_address : b_address;
        wire [LANES-1:0] write = WRITE == 0 ? '0 : p == 0 ? a_write : b_write;
        wire [LANES*9-1:0] in = p == 0 ? a_in : b_in;
        wire other_enable = p == 0 ? b_enable : a_enable;
        wire [15:0] other_address = p == 0 ? b_address : a_address;
        wire [LANES-1:0] other_write = p == 0 ? b_write : a_write;
        reg [LANES*9-1:0] out = p == 0 ? A_INIT : B_INIT;

        function automatic byte_t written(input integer lane);
            byte_t old = memory[place(address, WRITE, lane)];
            byte_t taken = mask(address, WRITE);
            return (old & ~taken) | ((byte_t'(in[lane*9+:9]) << offset(address, WRITE)) & taken);
        endfunction

        // Bits of the byte `index` that the other port writes at the same edge.
        function automatic byte_t conflict(input index_t index);
            byte_t bits = '0;
            if (CONFLICTS && other_enable)
                for (integer lane = 0; lane < lanes(OTHER); lane++)
                    if (other_write[lane] && place(other_address, OTHER, lane) == index)
                        bits = mask(other_address, OTHER);
            return bits;
        endfunction

        function automatic byte_t seen(input integer lane);
            index_t index = place(address, READ, lane);
            byte_t data = memory[index] ^ conflict(index);
            if (MODE == "WRITE_FIRST" && write[lane]) data = written(lane);
            return (data & mask(address, READ)) >> offset(address, READ);
        endfunction

        always @(posedge clk)
            if (enable)
                for (integer lane = 0; lane < lanes(WRITE); lane++)
                    if (write[lane]) memory[place(address, WRITE, lane)] <= written(lane);

        if (READ != 0) begin : reads
            always @(posedge clk)
                if (enable && reset) out <= p == 0 ? A_RESET : B_RESET;
                else if (enable && !(MODE == "NO_CHANGE" && |write))
                    for (integer lane = 0; lane < lanes(READ); lane++)
                        out[lane*9+:9] <= seen(lane);
        end

        initial begin
            if (!known(READ) || !known(WRITE)) $fatal(1, "%m: no such width of a port");
            if (READ != 0 && WRITE != 0 && READ != WRITE && MODE != "READ_FIRST")
                $fatal(1, "%m: a port of two widths that is not READ_FIRST is not modelled");
            if (!(MODE == "READ_FIRST" || MODE == "WRITE_FIRST" || MODE == "NO_CHANGE"))
                $fatal(1, "%m: no such write mode");
        end
    end

    assign a_out = port[0].out;
    assign b_out = port[1].out;
endmodule
