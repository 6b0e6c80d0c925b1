"""Boards: an accelerator behind a serial line, in hardware, in simulation and from the host."""
