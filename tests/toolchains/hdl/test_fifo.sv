// A FIFO with a registered output; DEPTH is a power of two.
module test_fifo #(
  parameter int WIDTH = 8,
  parameter int DEPTH = 16
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
  localparam int BITS = $clog2(DEPTH);
  logic [WIDTH-1:0] memory [DEPTH];
  logic [BITS:0] write_q, read_q;
  wire empty = write_q == read_q;
  wire full = write_q == {~read_q[BITS], read_q[BITS-1:0]};
  wire push = s_axis_x_tvalid && s_axis_x_tready;
  wire pop = !empty && (!m_axis_y_tvalid || m_axis_y_tready);

  assign s_axis_x_tready = !full;

  always_ff @(posedge clk) begin
    if (push) memory[write_q[BITS-1:0]] <= s_axis_x_tdata;
    if (pop) m_axis_y_tdata <= memory[read_q[BITS-1:0]];
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      write_q <= '0;
      read_q <= '0;
      m_axis_y_tvalid <= 1'b0;
    end else begin
      write_q <= write_q + (BITS + 1)'(push);
      read_q <= read_q + (BITS + 1)'(pop);
      if (pop) m_axis_y_tvalid <= 1'b1;
      else if (m_axis_y_tready) m_axis_y_tvalid <= 1'b0;
    end
  end
endmodule
