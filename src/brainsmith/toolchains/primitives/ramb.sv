// bs_ramb: RAMB18E1, RAMB36E1 (UG473) and RAMB18E2, RAMB36E2 (UG573) behind their names.
//
// Covers every width, true and simple dual port, write enables, write modes, initial contents,
// initial and reset values of the output latches. No output registers, cascades, ECC, sleep.
// A port of 36 bits of an 18 kbit block (72 of 36 kbit) takes the data pins of both ports: A reads,
// B writes.

module bs_ramb #(
    parameter integer HALF = 2,  // bytes at the pins of one port
    parameter [HALF*8192-1:0] DATA = '0,
    parameter [HALF*1024-1:0] PARITY = '0,
    parameter integer READ_A = 0,
    parameter integer READ_B = 0,
    parameter integer WRITE_A = 0,
    parameter integer WRITE_B = 0,
    parameter MODE_A = "WRITE_FIRST",
    parameter MODE_B = "WRITE_FIRST",
    parameter [HALF*9-1:0] INIT_A = '0,
    parameter [HALF*9-1:0] INIT_B = '0,
    parameter [HALF*9-1:0] SRVAL_A = '0,
    parameter [HALF*9-1:0] SRVAL_B = '0,
    parameter integer REGISTERS = 0
) (
    input clk_a,
    input en_a,
    input rst_a,
    input [15:0] addr_a,
    input [HALF*8-1:0] di_a,
    input [HALF-1:0] dip_a,
    input [HALF-1:0] we_a,
    output [HALF*8-1:0] do_a,
    output [HALF-1:0] dop_a,
    input clk_b,
    input en_b,
    input rst_b,
    input [15:0] addr_b,
    input [HALF*8-1:0] di_b,
    input [HALF-1:0] dip_b,
    input [2*HALF-1:0] we_b,
    output [HALF*8-1:0] do_b,
    output [HALF-1:0] dop_b
);
    localparam integer BYTES = HALF * 1024;
    localparam integer WIDE = HALF * 18;
    localparam bit WIDE_READ = READ_A == WIDE;
    localparam bit WIDE_WRITE = WRITE_B == WIDE;

    // Data and parity of the pins as bytes of nine bits.
    function automatic [HALF*9-1:0] join9(input [HALF*8-1:0] data, input [HALF-1:0] parity);
        for (integer i = 0; i < HALF; i++) join9[i*9+:9] = {parity[i], data[i*8+:8]};
    endfunction

    function automatic [HALF*9-1:0] latch(input [HALF*9-1:0] value);
        return join9(value[HALF*8-1:0], value[HALF*9-1-:HALF]);
    endfunction

    function automatic [BYTES*9-1:0] contents();
        for (integer i = 0; i < BYTES; i++) contents[i*9+:9] = {PARITY[i], DATA[i*8+:8]};
    endfunction

    wire [HALF*9-1:0] in_a = join9(di_a, dip_a);
    wire [HALF*9-1:0] in_b = join9(di_b, dip_b);
    wire [WIDE-1:0] out_a, out_b;

    bs_byte_ram #(
        .BYTES(BYTES), .LANES(2 * HALF), .INIT(contents()),
        .A_READ(READ_A), .A_WRITE(WRITE_A), .A_MODE(MODE_A),
        .B_READ(READ_B), .B_WRITE(WRITE_B), .B_MODE(MODE_B),
        .A_INIT({WIDE_READ ? latch(INIT_B) : (HALF*9)'(0), latch(INIT_A)}),
        .A_RESET({WIDE_READ ? latch(SRVAL_B) : (HALF*9)'(0), latch(SRVAL_A)}),
        .B_INIT({(HALF*9)'(0), latch(INIT_B)}), .B_RESET({(HALF*9)'(0), latch(SRVAL_B)})
    ) ram (
        .a_clk(clk_a), .a_enable(en_a), .a_reset(rst_a), .a_address(addr_a),
        .a_write({HALF'(0), we_a}), .a_in({(HALF*9)'(0), in_a}), .a_out(out_a),
        .b_clk(clk_b), .b_enable(en_b), .b_reset(rst_b), .b_address(addr_b),
        .b_write(we_b), .b_in(WIDE_WRITE ? {in_b, in_a} : {(HALF*9)'(0), in_b}), .b_out(out_b)
    );

    wire [HALF*9-1:0] high = WIDE_READ ? out_a[WIDE-1-:HALF*9] : out_b[HALF*9-1:0];
    for (genvar i = 0; i < HALF; i++) begin : pins
        assign {dop_a[i], do_a[i*8+:8]} = out_a[i*9+:9];
        assign {dop_b[i], do_b[i*8+:8]} = high[i*9+:9];
    end

    initial begin
        if (REGISTERS != 0) $fatal(1, "%m: output registers of block RAM are not modelled");
        if (READ_B == WIDE || WRITE_A == WIDE || (WIDE_READ && READ_B != 0)
            || (WIDE_WRITE && WRITE_A != 0))
            $fatal(1, "%m: block RAM of these widths does not exist");
    end
endmodule
