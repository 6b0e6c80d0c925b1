// Block RAM and multiplier of UltraScale+, as far as Yosys uses them.
//
// Block RAM: see bs_ramb for what is covered.
// DSP48E2 (UG579): the product of A[26:0] and B, without registers, adders and cascades.
// Anything else ends the simulation.

`define BS_ROW(P) \
    P``0 = 0, P``1 = 0, P``2 = 0, P``3 = 0, P``4 = 0, P``5 = 0, P``6 = 0, P``7 = 0, P``8 = 0, \
    P``9 = 0, P``A = 0, P``B = 0, P``C = 0, P``D = 0, P``E = 0, P``F = 0
`define BS_BITS(P) \
    P``F, P``E, P``D, P``C, P``B, P``A, P``9, P``8, P``7, P``6, P``5, P``4, P``3, P``2, P``1, \
    P``0

module RAMB18E2 #(
    parameter [255:0]
        `BS_ROW(INIT_0), `BS_ROW(INIT_1), `BS_ROW(INIT_2), `BS_ROW(INIT_3),
    parameter [255:0] INITP_00 = 0, INITP_01 = 0, INITP_02 = 0, INITP_03 = 0,
    parameter [255:0] INITP_04 = 0, INITP_05 = 0, INITP_06 = 0, INITP_07 = 0,
    parameter [17:0] INIT_A = 0, INIT_B = 0, SRVAL_A = 0, SRVAL_B = 0,
    parameter integer READ_WIDTH_A = 0, READ_WIDTH_B = 0, WRITE_WIDTH_A = 0, WRITE_WIDTH_B = 0,
    parameter WRITE_MODE_A = "NO_CHANGE",
    parameter WRITE_MODE_B = "NO_CHANGE",
    parameter integer DOA_REG = 1, DOB_REG = 1
) (
    input CLKARDCLK, CLKBWRCLK, ENARDEN, ENBWREN, REGCEAREGCE, REGCEB,
    input RSTRAMARSTRAM, RSTRAMB, RSTREGARSTREG, RSTREGB, ADDRENA, ADDRENB, SLEEP,
    input [13:0] ADDRARDADDR, ADDRBWRADDR,
    input [15:0] DINADIN, DINBDIN,
    input [1:0] DINPADINP, DINPBDINP,
    input [1:0] WEA,
    input [3:0] WEBWE,
    output [15:0] DOUTADOUT, DOUTBDOUT,
    output [1:0] DOUTPADOUTP, DOUTPBDOUTP
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
        .di_a(DINADIN), .dip_a(DINPADINP), .we_a(WEA), .do_a(DOUTADOUT), .dop_a(DOUTPADOUTP),
        .clk_b(CLKBWRCLK), .en_b(ENBWREN), .rst_b(RSTRAMB), .addr_b({2'd0, ADDRBWRADDR}),
        .di_b(DINBDIN), .dip_b(DINPBDINP), .we_b(WEBWE), .do_b(DOUTBDOUT), .dop_b(DOUTPBDOUTP)
    );

    always @(posedge CLKARDCLK, posedge CLKBWRCLK)
        if (SLEEP || !ADDRENA || !ADDRENB)
            $fatal(1, "%m: sleep and address enables of block RAM are not modelled");
endmodule

module RAMB36E2 #(
    parameter [255:0]
        `BS_ROW(INIT_0), `BS_ROW(INIT_1), `BS_ROW(INIT_2), `BS_ROW(INIT_3), `BS_ROW(INIT_4),
        `BS_ROW(INIT_5), `BS_ROW(INIT_6), `BS_ROW(INIT_7),
    parameter [255:0] `BS_ROW(INITP_0),
    parameter [35:0] INIT_A = 0, INIT_B = 0, SRVAL_A = 0, SRVAL_B = 0,
    parameter integer READ_WIDTH_A = 0, READ_WIDTH_B = 0, WRITE_WIDTH_A = 0, WRITE_WIDTH_B = 0,
    parameter WRITE_MODE_A = "NO_CHANGE",
    parameter WRITE_MODE_B = "NO_CHANGE",
    parameter integer DOA_REG = 1, DOB_REG = 1
) (
    input CLKARDCLK, CLKBWRCLK, ENARDEN, ENBWREN, REGCEAREGCE, REGCEB,
    input RSTRAMARSTRAM, RSTRAMB, RSTREGARSTREG, RSTREGB, ADDRENA, ADDRENB, SLEEP,
    input [14:0] ADDRARDADDR, ADDRBWRADDR,
    input [31:0] DINADIN, DINBDIN,
    input [3:0] DINPADINP, DINPBDINP,
    input [3:0] WEA,
    input [7:0] WEBWE,
    output [31:0] DOUTADOUT, DOUTBDOUT,
    output [3:0] DOUTPADOUTP, DOUTPBDOUTP
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
        .di_a(DINADIN), .dip_a(DINPADINP), .we_a(WEA), .do_a(DOUTADOUT), .dop_a(DOUTPADOUTP),
        .clk_b(CLKBWRCLK), .en_b(ENBWREN), .rst_b(RSTRAMB), .addr_b({1'b0, ADDRBWRADDR[14:0]}),
        .di_b(DINBDIN), .dip_b(DINPBDINP), .we_b(WEBWE), .do_b(DOUTBDOUT), .dop_b(DOUTPBDOUTP)
    );

    always @(posedge CLKARDCLK, posedge CLKBWRCLK)
        if (SLEEP || !ADDRENA || !ADDRENB)
            $fatal(1, "%m: sleep and address enables of block RAM are not modelled");
endmodule

module DSP48E2 #(
    parameter integer ACASCREG = 1, ADREG = 1, ALUMODEREG = 1, AREG = 1, BCASCREG = 1, BREG = 1,
    parameter integer CARRYINREG = 1, CARRYINSELREG = 1, CREG = 1, DREG = 1, INMODEREG = 1,
    parameter integer MREG = 1, OPMODEREG = 1, PREG = 1,
    parameter A_INPUT = "DIRECT", B_INPUT = "DIRECT", AMULTSEL = "A", BMULTSEL = "B",
    parameter USE_MULT = "MULTIPLY", USE_SIMD = "ONE48"
) (
    input [29:0] A, ACIN,
    input [17:0] B, BCIN,
    input [47:0] C, PCIN,
    input [26:0] D,
    input CARRYIN,
    input [3:0] ALUMODE,
    input [4:0] INMODE,
    input [8:0] OPMODE,
    input [2:0] CARRYINSEL,
    output [47:0] P
);
    wire signed [47:0] a = 48'($signed(A[26:0]));
    wire signed [47:0] b = 48'($signed(B));
    assign P = a * b;

    initial begin
        if (ADREG != 0 || ALUMODEREG != 0 || AREG != 0 || BREG != 0 || CARRYINREG != 0
            || CARRYINSELREG != 0 || CREG != 0 || DREG != 0 || INMODEREG != 0 || MREG != 0
            || OPMODEREG != 0 || PREG != 0)
            $fatal(1, "%m: registers of DSP48E2 are not modelled");
        if (A_INPUT != "DIRECT" || B_INPUT != "DIRECT" || AMULTSEL != "A" || BMULTSEL != "B"
            || USE_MULT != "MULTIPLY" || USE_SIMD != "ONE48")
            $fatal(1, "%m: only the plain product of DSP48E2 is modelled");
    end
    // P = M, the only choice of the multiplexers that is modelled (UG579, tables 2-4 to 2-9).
    always @* if (OPMODE != 9'h005 || ALUMODE != 0 || INMODE != 0 || CARRYINSEL != 0 || CARRYIN)
        $fatal(1, "%m: only the plain product of DSP48E2 is modelled");
endmodule
