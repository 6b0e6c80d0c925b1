// Output buffer of SLOTS beats (a power of two) with credits instead of a ready signal.
//
// `room` is a flip-flop: a slot is free that no `reserve` has claimed. A reserved beat arrives later
// by `push`, which never has to wait. tvalid is a flip-flop and does not wait for tready; tdata is
// stable until it is taken.
module bs_matmul_output #(
    parameter int unsigned WIDTH = 8,
    parameter int unsigned SLOTS = 1,
    parameter              LUT_STYLE = "distributed"
) (
    input  logic             clk,
    input  logic             rst_n,
    input  logic             reserve,
    output logic             room,
    input  logic             push,
    input  logic [WIDTH-1:0] data,
    output logic [WIDTH-1:0] tdata,
    output logic             tvalid,
    input  logic             tready
);
  localparam int unsigned COUNT_BITS = $clog2(SLOTS + 1);
  wire pop = tvalid && tready;

  logic [COUNT_BITS-1:0] unclaimed_q, unclaimed_d;
  assign unclaimed_d = unclaimed_q + COUNT_BITS'(pop) - COUNT_BITS'(reserve);

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      unclaimed_q <= COUNT_BITS'(SLOTS);
      room <= 1'b1;
    end else begin
      unclaimed_q <= unclaimed_d;
      room <= unclaimed_d != '0;
    end
  end

  if (SLOTS == 1) begin : gen_register
    always_ff @(posedge clk) begin
      if (push) tdata <= data;
      tvalid <= rst_n && (push || (tvalid && !tready));
    end
  end else begin : gen_memory
    localparam int unsigned POINTER_BITS = $clog2(SLOTS);
    (* ram_style = LUT_STYLE *)
    logic [WIDTH-1:0] memory[0:SLOTS-1];
    logic [POINTER_BITS-1:0] write_q, read_q;
    logic [COUNT_BITS-1:0] stored_q, stored_d;
    assign stored_d = stored_q + COUNT_BITS'(push) - COUNT_BITS'(pop);

    always_ff @(posedge clk) begin
      if (!rst_n) begin
        write_q <= '0;
        read_q <= '0;
        stored_q <= '0;
        tvalid <= 1'b0;
      end else begin
        write_q <= write_q + POINTER_BITS'(push);
        read_q <= read_q + POINTER_BITS'(pop);
        stored_q <= stored_d;
        tvalid <= stored_d != '0;
      end
    end

    always_ff @(posedge clk) if (push) memory[write_q] <= data;
    assign tdata = memory[read_q];
  end
endmodule
