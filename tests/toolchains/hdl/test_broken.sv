// One stage that passes x on and breaks the wire contract in the way FAULT says.
module test_broken #(
  parameter FAULT = "none"
) (
  input  logic       clk,
  input  logic       rst_n,
  input  logic [7:0] s_axis_x_tdata,
  input  logic       s_axis_x_tvalid,
  output logic       s_axis_x_tready,
  output logic [7:0] m_axis_y_tdata,
  output logic       m_axis_y_tvalid,
  input  logic       m_axis_y_tready
);
  logic [7:0] data_q;
  logic full_q, seen_ready_q, surplus_q;
  logic [3:0] age_q;
  wire leaves = m_axis_y_tvalid && m_axis_y_tready;

  assign s_axis_x_tready = rst_n && (!full_q || leaves);
  assign m_axis_y_tdata = FAULT == "changes" ? data_q + 8'(age_q == 4'd3) : data_q;
  always_comb begin
    m_axis_y_tvalid = full_q;
    if (FAULT == "drops") m_axis_y_tvalid = full_q && age_q != 4'd2;
    if (FAULT == "looks") m_axis_y_tvalid = full_q && m_axis_y_tready;
    if (FAULT == "waits") m_axis_y_tvalid = full_q && seen_ready_q;
    if (FAULT == "surplus") m_axis_y_tvalid = full_q || surplus_q;
    if (FAULT == "deaf") m_axis_y_tvalid = full_q && data_q != 8'd3;
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      full_q <= 1'b0;
      seen_ready_q <= 1'b0;
      surplus_q <= 1'b0;
    end else begin
      if (s_axis_x_tready) full_q <= s_axis_x_tvalid;
      if (leaves && data_q == 8'd7) surplus_q <= 1'b1;
      if (leaves) seen_ready_q <= 1'b0;
      else if (m_axis_y_tready) seen_ready_q <= 1'b1;
    end
    if (s_axis_x_tvalid && s_axis_x_tready) begin
      data_q <= s_axis_x_tdata;
      age_q <= '0;
    end else if (age_q != 4'hf) age_q <= age_q + 1'b1;
  end

  if (FAULT == "asserts") begin : gen_assert
    always_ff @(posedge clk) if (rst_n && full_q) assert (data_q != 8'd5) else $error("five");
  end
endmodule
