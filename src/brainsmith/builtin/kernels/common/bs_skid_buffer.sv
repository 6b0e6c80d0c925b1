// A register slice: cuts the paths of valid, data and ready between two kernels.
//
// Two entries, so that it keeps a beat a cycle although `s_ready` is a register. A beat that is
// taken in cycle t is on offer in cycle t+1. `m_valid` does not depend on `m_ready`, `s_ready`
// does not depend on `s_valid`, and `m_data` is stable until it is taken.
module bs_skid_buffer #(
  parameter int WIDTH = 8
) (
  input  logic             clk,
  input  logic             rst_n,
  input  logic [WIDTH-1:0] s_data,
  input  logic             s_valid,
  output logic             s_ready,
  output logic [WIDTH-1:0] m_data,
  output logic             m_valid,
  input  logic             m_ready
);
  // The second entry holds the beat that came in the cycle in which the first was not taken.
  logic [WIDTH-1:0] first_q, second_q;
  logic             first_valid_q, second_valid_q;

  assign m_data  = first_q;
  assign m_valid = first_valid_q;
  assign s_ready = !second_valid_q;

  always_ff @(posedge clk) begin
    if (m_ready || !first_valid_q) first_q <= second_valid_q ? second_q : s_data;
    if (s_ready) second_q <= s_data;

    if (!rst_n) begin
      first_valid_q  <= 1'b0;
      second_valid_q <= 1'b0;
    end else if (m_ready || !first_valid_q) begin
      first_valid_q  <= second_valid_q || s_valid;
      second_valid_q <= 1'b0;
    end else if (s_valid) begin
      second_valid_q <= 1'b1;
    end
  end
endmodule
