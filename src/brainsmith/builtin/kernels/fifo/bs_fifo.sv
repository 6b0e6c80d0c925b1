// A stream that holds at least DEPTH beats.
//
// DEPTH = 2: a register slice, in which a beat stays one cycle. DEPTH > 2: a memory of RAM_DEPTH
// beats and one more in the register behind it; a beat stays two cycles at least.
//
//   s_axis_x --> [ RAM_DEPTH beats, LUTs or block RAM ] --> [ register ] --> m_axis_y
//                 ^ write_q           ^ read_q
//
// One beat a cycle in and out at any filling. `tready` and `tvalid` are registers, so that no path
// crosses the FIFO. The register is the read register of the memory, and a word is read only after
// the cycle in which it was written: a block RAM needs no bypass.
//
// LIMITED = 1, for simulation: it holds exactly as many beats as LIMIT_FILE says, 3 to DEPTH.
module bs_fifo #(
  parameter int WIDTH     = 8,
  parameter int DEPTH     = 16,
  parameter     RAM_STYLE = "auto",  // auto, distributed, block, logic
  parameter bit LIMITED   = 1'b0,
  parameter     LIMIT_FILE = ""
) (
  input  logic             clk,
  input  logic             rst_n,
  input  logic [WIDTH-1:0] s_axis_x_tdata,
  input  logic             s_axis_x_tvalid,
  output logic             s_axis_x_tready,
  output logic [WIDTH-1:0] m_axis_y_tdata,
  output logic             m_axis_y_tvalid,
  input  logic             m_axis_y_tready
);
  if (DEPTH <= 2) begin : g_registers
    bs_skid_buffer #(.WIDTH(WIDTH)) slice (
      .clk    (clk),
      .rst_n  (rst_n),
      .s_data (s_axis_x_tdata),
      .s_valid(s_axis_x_tvalid),
      .s_ready(s_axis_x_tready),
      .m_data (m_axis_y_tdata),
      .m_valid(m_axis_y_tvalid),
      .m_ready(m_axis_y_tready)
    );
  end else begin : g_memory
    // A power of two wraps by itself, and up to a block RAM's rows it costs nothing.
    localparam int RamDepth = DEPTH <= 1025 ? 1 << $clog2(DEPTH - 1) : DEPTH - 1;
    localparam int AddrBits = $clog2(RamDepth);

    (* ram_style = RAM_STYLE, no_rw_check *)
    logic [WIDTH-1:0] ram [RamDepth];
    logic [WIDTH-1:0] data_q;
    logic [AddrBits-1:0] write_q, write_d, read_q, read_d;
    logic full_q, empty_q, valid_q;
    logic push, pop, limit_reached;

    assign s_axis_x_tready = !full_q && !limit_reached;
    assign m_axis_y_tvalid = valid_q;
    assign m_axis_y_tdata  = data_q;
    assign push = s_axis_x_tvalid && s_axis_x_tready;
    assign pop  = !empty_q && (!valid_q || m_axis_y_tready);

    if (LIMITED) begin : g_limit
      logic [31:0] limit [1];
      logic [31:0] count_q;  // in the memory

      initial $readmemh(LIMIT_FILE, limit);

      assign limit_reached = count_q + 1 >= limit[0];

      always_ff @(posedge clk) begin
        if (!rst_n) count_q <= '0;
        else count_q <= count_q + 32'(push) - 32'(pop);
      end
    end else begin : g_no_limit
      assign limit_reached = 1'b0;
    end

    if ((RamDepth & (RamDepth - 1)) == 0) begin : g_wrap
      assign write_d = write_q + 1'b1;
      assign read_d  = read_q + 1'b1;
    end else begin : g_compare
      assign write_d = write_q == AddrBits'(RamDepth - 1) ? '0 : write_q + 1'b1;
      assign read_d  = read_q == AddrBits'(RamDepth - 1) ? '0 : read_q + 1'b1;
    end

    always_ff @(posedge clk) begin
      if (push) ram[write_q] <= s_axis_x_tdata;
      if (pop) data_q <= ram[read_q];

      if (!rst_n) begin
        write_q <= '0;
        read_q  <= '0;
        full_q  <= 1'b0;
        empty_q <= 1'b1;
        valid_q <= 1'b0;
      end else begin
        if (push) write_q <= write_d;
        if (pop) read_q <= read_d;
        // The pointers meet when the memory has become full, or empty.
        if (push && !pop) full_q <= write_d == read_q;
        else if (pop) full_q <= 1'b0;
        if (pop && !push) empty_q <= read_d == write_q;
        else if (push) empty_q <= 1'b0;
        if (pop || m_axis_y_tready) valid_q <= pop;
      end
    end
  end
endmodule
