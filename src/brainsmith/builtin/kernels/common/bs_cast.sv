// Elements of one datatype as those of another that has their values: wires.
//
// Integers are extended or lose bits that only repeat the sign; a bipolar element is one bit,
// 0 for -1 and 1 for +1.
module bs_cast #(
  parameter int ELEMENTS  = 4,
  parameter int X_BITS    = 1,
  parameter bit X_SIGNED  = 0,
  parameter bit X_BIPOLAR = 1,
  parameter int Y_BITS    = 2,
  parameter bit Y_BIPOLAR = 0
) (
  input  logic [ELEMENTS*X_BITS-1:0] x,
  output logic [ELEMENTS*Y_BITS-1:0] y
);
  if (X_BIPOLAR == Y_BIPOLAR && X_BITS == Y_BITS) begin : g_same
    assign y = x;
  end else begin : g_elements
    localparam int Wide = (X_BITS > Y_BITS ? X_BITS : Y_BITS) + 1;
    for (genvar i = 0; i < ELEMENTS; i++) begin : g_element
      logic [X_BITS-1:0] element;
      logic [Wide-1:0]   wide;
      logic              negative;
      assign element  = x[i*X_BITS+:X_BITS];
      assign negative = X_BIPOLAR ? !element[0] : X_SIGNED && element[X_BITS-1];
      assign wide     = X_BIPOLAR ? {{(Wide - 1) {negative}}, 1'b1}
                                  : {{(Wide - X_BITS) {negative}}, element};
      assign y[i*Y_BITS+:Y_BITS] = Y_BIPOLAR ? Y_BITS'(!negative) : wide[Y_BITS-1:0];
    end
  end
endmodule
