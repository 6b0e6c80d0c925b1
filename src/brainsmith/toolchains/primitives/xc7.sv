// Block RAM of the 7 series: see bs_ramb for what is covered. Cascades end the simulation.

`define BS_ROW(P) \
    P``0 = 0, P``1 = 0, P``2 = 0, P``3 = 0, P``4 = 0, P``5 = 0, P``6 = 0, P``7 = 0, P``8 = 0, \
    P``9 = 0, P``A = 0, P``B = 0, P``C = 0, P``D = 0, P``E = 0, P``F = 0
`define BS_BITS(P) \
    P``F, P``E, P``D, P``C, P``B, P``A, P``9, P``8, P``7, P``6, P``5, P``4, P``3, P``2, P``1, \
    P``0

module RAMB18E1 #(
    parameter [255:0]
        `BS_ROW(INIT_0), `BS_ROW(INIT_1), `BS_ROW(INIT_2), `BS_ROW(INIT_3),
    parameter [255:0] INITP_00 = 0, INITP_01 = 0, INITP_02 = 0, INITP_03 = 0,
    parameter [255:0] INITP_04 = 0, INITP_05 = 0, INITP_06 = 0, INITP_07 = 0,
    parameter [17:0] INIT_A = 0, INIT_B = 0, SRVAL_A = 0, SRVAL_B = 0,
    parameter integer READ_WIDTH_A = 0, READ_WIDTH_B = 0, WRITE_WIDTH_A = 0, WRITE_WIDTH_B = 0,
    parameter WRITE_MODE_A = "WRITE_FIRST",
    parameter WRITE_MODE_B = "WRITE_FIRST",
    parameter RAM_MODE = "TDP",
    parameter integer DOA_REG = 0, DOB_REG = 0
) (
    input CLKARDCLK, CLKBWRCLK, ENARDEN, ENBWREN, REGCEAREGCE, REGCEB,
    input RSTRAMARSTRAM, RSTRAMB, RSTREGARSTREG, RSTREGB,
    input [13:0] ADDRARDADDR, ADDRBWRADDR,
    input [15:0] DIADI, DIBDI,
    input [1:0] DIPADIP, DIPBDIP,
    input [1:0] WEA,
    input [3:0] WEBWE,
    output [15:0] DOADO, DOBDO,
    output [1:0] DOPADOP, DOPBDOP
);
    bs_ramb #(
        .HALF(2), .DATA({
            `BS_BITS(INIT_3), `BS_BITS(INIT_2), `BS_BITS(INIT_1), `BS_BITS(INIT_0)
        }),
        .PARITY({INITP_07, INITP_06, INITP_05, INITP_04, INITP_03, INITP_02, INITP_01, INITP_00}),
        .READ_A(READ_WIDTH_A), .READ_B(READ_WIDTH_B), .WRITE_A(WRITE_WIDTH_A), .WRITE_B(WRITE_WIDTH_B),
        .MODE_A(WRITE_MODE_A), .MODE_B(WRITE_MODE_B), .REGISTERS(DOA_REG + DOB_REG),
        .INIT_A(INIT_A), .INIT_B(INIT_B), .SRVAL_A(SRVAL_A), .SRVAL_B(SRVAL_B)
    ) ram (
        .clk_a(CLKARDCLK), .en_a(ENARDEN), .rst_a(RSTRAMARSTRAM), .addr_a({2'd0, ADDRARDADDR}),
        .di_a(DIADI), .dip_a(DIPADIP), .we_a(WEA), .do_a(DOADO), .dop_a(DOPADOP),
        .clk_b(CLKBWRCLK), .en_b(ENBWREN), .rst_b(RSTRAMB), .addr_b({2'd0, ADDRBWRADDR}),
        .di_b(DIBDI), .dip_b(DIPBDIP), .we_b(WEBWE), .do_b(DOBDO), .dop_b(DOPBDOP)
    );

    initial begin
        if ((READ_WIDTH_A == 36 || WRITE_WIDTH_B == 36) && RAM_MODE != "SDP")
            $fatal(1, "%m: 36 bits need the simple dual port mode");
    end
endmodule

module RAMB36E1 #(
    parameter [255:0]
        `BS_ROW(INIT_0), `BS_ROW(INIT_1), `BS_ROW(INIT_2), `BS_ROW(INIT_3), `BS_ROW(INIT_4),
        `BS_ROW(INIT_5), `BS_ROW(INIT_6), `BS_ROW(INIT_7),
    parameter [255:0] `BS_ROW(INITP_0),
    parameter [35:0] INIT_A = 0, INIT_B = 0, SRVAL_A = 0, SRVAL_B = 0,
    parameter integer READ_WIDTH_A = 0, READ_WIDTH_B = 0, WRITE_WIDTH_A = 0, WRITE_WIDTH_B = 0,
    parameter WRITE_MODE_A = "WRITE_FIRST",
    parameter WRITE_MODE_B = "WRITE_FIRST",
    parameter RAM_MODE = "TDP",
    parameter RAM_EXTENSION_A = "NONE",
    parameter RAM_EXTENSION_B = "NONE",
    parameter integer DOA_REG = 0, DOB_REG = 0
) (
    input CLKARDCLK, CLKBWRCLK, ENARDEN, ENBWREN, REGCEAREGCE, REGCEB,
    input RSTRAMARSTRAM, RSTRAMB, RSTREGARSTREG, RSTREGB,
    input [15:0] ADDRARDADDR, ADDRBWRADDR,
    input [31:0] DIADI, DIBDI,
    input [3:0] DIPADIP, DIPBDIP,
    input [3:0] WEA,
    input [7:0] WEBWE,
    output [31:0] DOADO, DOBDO,
    output [3:0] DOPADOP, DOPBDOP
);
    bs_ramb #(
        .HALF(4), .DATA({
            `BS_BITS(INIT_7), `BS_BITS(INIT_6), `BS_BITS(INIT_5), `BS_BITS(INIT_4),
            `BS_BITS(INIT_3), `BS_BITS(INIT_2), `BS_BITS(INIT_1), `BS_BITS(INIT_0)
        }),
        .PARITY({`BS_BITS(INITP_0)}),
        .READ_A(READ_WIDTH_A), .READ_B(READ_WIDTH_B), .WRITE_A(WRITE_WIDTH_A), .WRITE_B(WRITE_WIDTH_B),
        .MODE_A(WRITE_MODE_A), .MODE_B(WRITE_MODE_B), .REGISTERS(DOA_REG + DOB_REG),
        .INIT_A(INIT_A), .INIT_B(INIT_B), .SRVAL_A(SRVAL_A), .SRVAL_B(SRVAL_B)
    ) ram (
        .clk_a(CLKARDCLK), .en_a(ENARDEN), .rst_a(RSTRAMARSTRAM), .addr_a({1'b0, ADDRARDADDR[14:0]}),
        .di_a(DIADI), .dip_a(DIPADIP), .we_a(WEA), .do_a(DOADO), .dop_a(DOPADOP),
        .clk_b(CLKBWRCLK), .en_b(ENBWREN), .rst_b(RSTRAMB), .addr_b({1'b0, ADDRBWRADDR[14:0]}),
        .di_b(DIBDI), .dip_b(DIPBDIP), .we_b(WEBWE), .do_b(DOBDO), .dop_b(DOPBDOP)
    );

    initial begin
        if ((READ_WIDTH_A == 72 || WRITE_WIDTH_B == 72) && RAM_MODE != "SDP")
            $fatal(1, "%m: 72 bits need the simple dual port mode");
        if (RAM_EXTENSION_A != "NONE" || RAM_EXTENSION_B != "NONE")
            $fatal(1, "%m: cascaded block RAM is not modelled");
    end
endmodule
