"""The tools: simulation, synthesis, place and route, as cached functions over plain records.

Nothing here knows of kernels, plugins or models. `hdl` holds the records, `verilator` builds
simulations, `yosys` synthesizes and links, `nextpnr` places and routes, `netlist` simulates what
was synthesized, `doctor` says which tools are there.
"""
