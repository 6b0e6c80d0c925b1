// Regroups a stream of elements: IN elements a beat become OUT elements a beat, order kept.
//
// With g = gcd(IN, OUT), elements travel in units of g: A = IN/g units come, B = OUT/g units go.
// Units wait in a buffer of A + B - 1; a beat that goes moves the rest down by B units, a beat that
// comes is laid on top of the rest:
//
//   unit:   0 ... rest-1 | rest ... rest+A-1 | ...        rest = count - (going ? B : 0)
//           what stays   | the beat that comes
//
// Where IN divides OUT this is an OUT-wide register that fills up, where OUT divides IN an IN-wide
// shift register. The side with more beats a frame runs at a beat a cycle without bubbles: the
// buffer takes a beat in the cycle in which another leaves, which is why `s_axis_x_tready` depends
// on `m_axis_y_tready`. `tvalid` and `tdata` come from registers.
module bs_width_converter #(
  parameter int IN   = 4,
  parameter int OUT  = 6,
  parameter int BITS = 8
) (
  input  logic                clk,
  input  logic                rst_n,
  input  logic [IN*BITS-1:0]  s_axis_x_tdata,
  input  logic                s_axis_x_tvalid,
  output logic                s_axis_x_tready,
  output logic [OUT*BITS-1:0] m_axis_y_tdata,
  output logic                m_axis_y_tvalid,
  input  logic                m_axis_y_tready
);
  function automatic int gcd(input int a, input int b);
    int x, y, t;
    x = a;
    y = b;
    while (y != 0) begin
      t = x % y;
      x = y;
      y = t;
    end
    return x;
  endfunction

  localparam int Unit = gcd(IN, OUT);
  localparam int A = IN / Unit;
  localparam int B = OUT / Unit;
  localparam int Units = A + B - 1;
  localparam int UnitBits = Unit * BITS;
  localparam int CountBits = $clog2(Units + 1);

  logic [Units*UnitBits-1:0] units_q;
  logic [CountBits-1:0] count_q, rest;
  logic going, coming;

  assign m_axis_y_tvalid = count_q >= CountBits'(B);
  assign m_axis_y_tdata  = units_q[OUT*BITS-1:0];
  assign going  = m_axis_y_tvalid && m_axis_y_tready;
  assign rest   = going ? count_q - CountBits'(B) : count_q;
  assign s_axis_x_tready = rest <= CountBits'(B - 1);
  assign coming = s_axis_x_tvalid && s_axis_x_tready;

  for (genvar i = 0; i < Units; i++) begin : g_unit
    // The unit of the coming beat that lands here, for each height of the rest.
    logic [UnitBits-1:0] unit_d;
    logic lands;
    always_comb begin
      unit_d = i + B < Units ? units_q[((i+B)%Units)*UnitBits+:UnitBits] : 'x;
      lands  = 1'b0;
      for (int j = 0; j < B; j++)
        if (j <= i && i < j + A && coming && (B == 1 || rest == CountBits'(j))) begin
          unit_d = s_axis_x_tdata[((i-j+A*B)%A)*UnitBits+:UnitBits];
          lands  = 1'b1;
        end
    end
    always_ff @(posedge clk) if (lands || going) units_q[i*UnitBits+:UnitBits] <= unit_d;
  end

  always_ff @(posedge clk)
    if (!rst_n) count_q <= '0;
    else count_q <= coming ? rest + CountBits'(A) : rest;
endmodule
