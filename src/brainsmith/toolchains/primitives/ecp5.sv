// Block RAM and multiplier of ECP5, as far as Yosys uses them for kernels with one clock.
//
// DP16KD (FPGA-TN-02204, "sysMEM Memory"): every width, PDPW as a 36-bit port A that writes and a
// port B that reads, initial contents, byte enables, the three write modes. No output registers, no
// reset, no chip select, no inverted clock.
// MULT18X18D (FPGA-TN-02205, "sysDSP"): the product, without registers and shift chains.
//
// LUT4, CCU2C, PFUMX, L6MUX21, TRELLIS_FF (FPGA-TN-02204, "slice"): as Yosys' own models, in fewer
// terms, as a netlist has thousands of them. Flip-flops without preload.
//
// EHXPLLL: its input is taken for the clock that it makes.
//
// Anything else ends the simulation.

module LUT4 #(
    parameter [15:0] INIT = 0
) (
    input A, B, C, D,
    output Z
);
    assign Z = INIT[{D, C, B, A}];
endmodule

// Two LUTs with a carry chain: a LUT whose output is 1 propagates the carry, one whose output is 0
// generates what the LUT of A and B says.
module CCU2C #(
    parameter [15:0] INIT0 = 0, INIT1 = 0,
    parameter INJECT1_0 = "YES", INJECT1_1 = "YES"
) (
    input CIN, A0, B0, C0, D0, A1, B1, C1, D1,
    output S0, S1, COUT
);
    localparam bit OPEN_0 = INJECT1_0 != "YES";
    localparam bit OPEN_1 = INJECT1_1 != "YES";
    wire lut_0 = INIT0[{D0, C0, B0, A0}];
    wire lut_1 = INIT1[{D1, C1, B1, A1}];
    wire carry = lut_0 ? CIN : OPEN_0 & INIT0[{2'd0, B0, A0}];
    assign S0 = lut_0 ^ (OPEN_0 & CIN);
    assign S1 = lut_1 ^ (OPEN_1 & carry);
    assign COUT = lut_1 ? carry : OPEN_1 & INIT1[{2'd0, B1, A1}];
endmodule

module PFUMX (
    input ALUT, BLUT, C0,
    output Z
);
    assign Z = C0 ? ALUT : BLUT;
endmodule

module L6MUX21 (
    input D0, D1, SD,
    output Z
);
    assign Z = SD ? D1 : D0;
endmodule

module TRELLIS_FF #(
    parameter GSR = "ENABLED",
    parameter CEMUX = "1",
    parameter CLKMUX = "CLK",
    parameter LSRMUX = "LSR",
    parameter SRMODE = "LSR_OVER_CE",
    parameter REGSET = "RESET",
    parameter LSRMODE = "LSR"
) (
    input CLK, LSR, CE, DI, M,
    output reg Q
);
    localparam bit VALUE = REGSET == "SET";
    wire enable = CEMUX == "1" || (CEMUX != "0" && CE ^ (CEMUX == "INV"));
    wire reset = LSR ^ (LSRMUX == "INV");
    initial Q = VALUE;

    if (SRMODE == "ASYNC") begin : asynchronous
        always @(posedge CLK, posedge reset)
            if (reset) Q <= VALUE;
            else if (enable) Q <= DI;
    end else begin : synchronous
        always @(posedge CLK)
            if (reset) Q <= VALUE;
            else if (enable) Q <= DI;
    end

    initial if (CLKMUX != "CLK" || LSRMODE != "LSR")
        $fatal(1, "%m: inverted clocks and preload of TRELLIS_FF are not modelled");
endmodule

`define BS_ROW(H) INITVAL_``H``0 = 0, INITVAL_``H``1 = 0, INITVAL_``H``2 = 0, INITVAL_``H``3 = 0, \
    INITVAL_``H``4 = 0, INITVAL_``H``5 = 0, INITVAL_``H``6 = 0, INITVAL_``H``7 = 0, \
    INITVAL_``H``8 = 0, INITVAL_``H``9 = 0, INITVAL_``H``A = 0, INITVAL_``H``B = 0, \
    INITVAL_``H``C = 0, INITVAL_``H``D = 0, INITVAL_``H``E = 0, INITVAL_``H``F = 0
`define BS_ROW_BITS(H) INITVAL_``H``F, INITVAL_``H``E, INITVAL_``H``D, INITVAL_``H``C, \
    INITVAL_``H``B, INITVAL_``H``A, INITVAL_``H``9, INITVAL_``H``8, \
    INITVAL_``H``7, INITVAL_``H``6, INITVAL_``H``5, INITVAL_``H``4, \
    INITVAL_``H``3, INITVAL_``H``2, INITVAL_``H``1, INITVAL_``H``0
`define BS_BUS18(N) N``17, N``16, N``15, N``14, N``13, N``12, N``11, N``10, N``9, N``8, N``7, \
    N``6, N``5, N``4, N``3, N``2, N``1, N``0
`define BS_BUS14(N) N``13, N``12, N``11, N``10, N``9, N``8, N``7, N``6, N``5, N``4, N``3, N``2, \
    N``1, N``0
`define BS_BUS36(N) N``35, N``34, N``33, N``32, N``31, N``30, N``29, N``28, N``27, N``26, N``25, \
    N``24, N``23, N``22, N``21, N``20, N``19, N``18, `BS_BUS18(N)

module DP16KD #(
    parameter [319:0] `BS_ROW(0), `BS_ROW(1), `BS_ROW(2), `BS_ROW(3),
    parameter integer DATA_WIDTH_A = 18,
    parameter integer DATA_WIDTH_B = 18,
    parameter REGMODE_A = "NOREG",
    parameter REGMODE_B = "NOREG",
    parameter RESETMODE = "SYNC",
    parameter ASYNC_RESET_RELEASE = "SYNC",
    parameter CSDECODE_A = "0b000",
    parameter CSDECODE_B = "0b000",
    parameter WRITEMODE_A = "NORMAL",
    parameter WRITEMODE_B = "NORMAL",
    parameter CLKAMUX = "CLKA",
    parameter CLKBMUX = "CLKB",
    parameter GSR = "ENABLED"
) (
    input `BS_BUS18(DIA), `BS_BUS14(ADA), CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
    output `BS_BUS18(DOA),
    input `BS_BUS18(DIB), `BS_BUS14(ADB), CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output `BS_BUS18(DOB)
);
    localparam bit WIDE_IN = DATA_WIDTH_A == 36;
    localparam bit WIDE_OUT = DATA_WIDTH_B == 36;

    wire [13:0] ada = {`BS_BUS14(ADA)};
    wire [13:0] adb = {`BS_BUS14(ADB)};
    wire [35:0] in_a = {{`BS_BUS18(DIB)} & {18{WIDE_IN}}, `BS_BUS18(DIA)};
    wire [35:0] in_b = {18'd0, `BS_BUS18(DIB)};
    wire [35:0] out_a, out_b;

    // The lowest bits of the address of a wide port are its byte enables.
    wire [3:0] write_a = {4{WEA}} & (DATA_WIDTH_A >= 18 ? ada[3:0] : 4'd1);
    wire [3:0] write_b = {4{WEB}} & (DATA_WIDTH_B >= 18 ? adb[3:0] : 4'd1);

    // Words of 20 bits, of which 18 exist.
    localparam [64*320-1:0] SPACED = {
        `BS_ROW_BITS(3), `BS_ROW_BITS(2), `BS_ROW_BITS(1), `BS_ROW_BITS(0)
    };
    function automatic [1024*18-1:0] packed_words();
        for (integer i = 0; i < 1024; i++) packed_words[i*18+:18] = SPACED[i*20+:18];
    endfunction

    function automatic [87:0] mode(input [127:0] name);
        return name == "NORMAL" ? "NO_CHANGE"
            : name == "WRITETHROUGH" ? "WRITE_FIRST" : name == "READBEFOREWRITE" ? "READ_FIRST" : 0;
    endfunction

    bs_byte_ram #(
        .BYTES(2048), .LANES(4), .INIT(packed_words()), .SHARES_OLD(1'b0),
        .A_READ(WIDE_IN ? 0 : DATA_WIDTH_A), .A_WRITE(DATA_WIDTH_A), .A_MODE(mode(WRITEMODE_A)),
        .B_READ(DATA_WIDTH_B), .B_WRITE(WIDE_OUT ? 0 : DATA_WIDTH_B), .B_MODE(mode(WRITEMODE_B))
    ) ram (
        .a_clk(CLKA), .a_enable(CEA), .a_reset(1'b0), .a_address({2'd0, ada}), .a_write(write_a),
        .a_in(in_a), .a_out(out_a),
        .b_clk(CLKB), .b_enable(CEB), .b_reset(1'b0), .b_address({2'd0, adb}), .b_write(write_b),
        .b_in(in_b), .b_out(out_b)
    );

    // A 36-bit port shows its low half at A and its high half at B; the others stay where they are.
    assign {`BS_BUS18(DOA)} = WIDE_OUT ? out_b[17:0] : out_a[17:0];
    assign {`BS_BUS18(DOB)} = WIDE_OUT ? out_b[35:18] : out_b[17:0];

    initial begin
        if (REGMODE_A != "NOREG" || REGMODE_B != "NOREG")
            $fatal(1, "%m: output registers of DP16KD are not modelled");
        if (CSDECODE_A != "0b000" || CSDECODE_B != "0b000" || CLKAMUX != "CLKA" || CLKBMUX != "CLKB")
            $fatal(1, "%m: chip select and inverted clocks of DP16KD are not modelled");
        if (WIDE_OUT && !WIDE_IN)
            $fatal(1, "%m: a DP16KD with 36 bits at port B alone is not modelled");
    end
    always @(posedge CLKA, posedge CLKB)
        if (RSTA || RSTB || CSA0 || CSA1 || CSA2 || CSB0 || CSB1 || CSB2)
            $fatal(1, "%m: reset and chip select of DP16KD are not modelled");
endmodule

module MULT18X18D #(
    parameter REG_INPUTA_CLK = "NONE",
    parameter REG_INPUTB_CLK = "NONE",
    parameter REG_INPUTC_CLK = "NONE",
    parameter REG_PIPELINE_CLK = "NONE",
    parameter REG_OUTPUT_CLK = "NONE",
    parameter MULT_BYPASS = "DISABLED"
) (
    input `BS_BUS18(A), `BS_BUS18(B), `BS_BUS18(C), SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    output `BS_BUS36(P)
);
    wire signed [18:0] a = $signed({SIGNEDA & A17, `BS_BUS18(A)});
    wire signed [18:0] b = $signed({SIGNEDB & B17, `BS_BUS18(B)});
    wire signed [37:0] product = a * b;
    assign {`BS_BUS36(P)} = product[35:0];

    initial begin
        if (REG_INPUTA_CLK != "NONE" || REG_INPUTB_CLK != "NONE" || REG_INPUTC_CLK != "NONE"
            || REG_PIPELINE_CLK != "NONE" || REG_OUTPUT_CLK != "NONE" || MULT_BYPASS != "DISABLED")
            $fatal(1, "%m: registers and bypass of MULT18X18D are not modelled");
    end
    always @* if (SOURCEA || SOURCEB) $fatal(1, "%m: shift chains of MULT18X18D are not modelled");
endmodule

module EHXPLLL #(
    parameter CLKI_DIV = 1, CLKFB_DIV = 1, CLKOP_DIV = 8, CLKOP_CPHASE = 0, CLKOP_FPHASE = 0,
    parameter CLKOP_ENABLE = "ENABLED", FEEDBK_PATH = "CLKOP", OUTDIVIDER_MUXA = "DIVA",
    parameter PLLRST_ENA = "DISABLED", INTFB_WAKE = "DISABLED", STDBY_ENABLE = "DISABLED",
    parameter DPHASE_SOURCE = "DISABLED"
) (
    input CLKI, CLKFB, RST, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG,
    input PLLWAKESYNC, ENCLKOP,
    output CLKOP, LOCK
);
    assign CLKOP = CLKI;
    assign LOCK = 1'b1;
endmodule
