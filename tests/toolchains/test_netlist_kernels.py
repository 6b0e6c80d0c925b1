"""Netlists of the built-in kernels give the integers of the reference, and faults are found."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from brainsmith.api import IntType, KernelConfig
from brainsmith.compiler.design import Instance
from brainsmith.compiler.implement import Module, implement
from brainsmith.compiler.mapping import Candidate
from brainsmith.errors import ToolError, VerificationError
from brainsmith.plugins import PluginRegistry
from brainsmith.toolchains.cache import BuildCache
from brainsmith.toolchains.flat import flat_verilog
from brainsmith.toolchains.hdl import Hdl, Source, StreamPort, Unit
from brainsmith.toolchains.netlist import netlist_simulation, primitives
from brainsmith.toolchains.parts import Part
from brainsmith.toolchains.yosys import LinkedNetlist, link_one, synthesize_all

RNG = np.random.default_rng(5)
WEIGHTS = RNG.integers(-128, 128, (16, 16))
THRESHOLDS = np.sort(RNG.integers(-256, 256, (16, 7)), axis=1)


def module(kernel: str, family: str, **config: object) -> Module:
    """An instance of a built-in kernel for a device family."""
    registry = PluginRegistry()
    component = registry.get("kernels", kernel)
    operation = registry.get("operations", component.info.operation_type)
    params = {name: param.default for name, param in component.info.params.items()}
    candidate = Candidate(component, operation, component.info.default_backend, params)
    dtypes = {port: IntType.parse(name) for port, name in config.pop("dtypes").items()}
    values = {"statics": {}, "attributes": {}, "folding": {}, **config}
    full = KernelConfig(
        node=kernel.lower(),
        nest=operation.info.nest,
        dtypes=dtypes,
        ranges={port: (dtype.min, dtype.max) for port, dtype in dtypes.items()},
        family=family,
        **{**values, "params": {**params, **values.pop("params")}},
    )
    return implement([Instance(full.node, candidate, full)])[0]


def matmul(family: str, ram_style: str, multiplier: str) -> Module:
    return module(
        "MatMul",
        family,
        dims={"N": 1, "K": 16, "M": 16},
        dtypes={"x": "INT8", "w": "INT8", "y": "INT20"},
        folding={"PE": 2, "SIMD": 2},
        statics={"w": WEIGHTS},
        params={"ram_style": ram_style, "multiplier": multiplier},
    )


def thresholding(family: str) -> Module:
    return module(
        "Thresholding",
        family,
        dims={"N": 1, "C": 16},
        dtypes={"x": "INT9", "thresholds": "INT9", "y": "UINT3"},
        folding={"PE": 1},
        statics={"thresholds": THRESHOLDS},
        attributes={"base": 0, "step": 1},
        params={"ram_style": "block"},
    )


def fifo(family: str, ram_style: str) -> Module:
    return module(
        "FIFO",
        family,
        dims={"N": 1, "C": 8},
        dtypes={"x": "INT11", "y": "INT11"},
        folding={"PE": 2},
        params={"depth": 300, "ram_style": ram_style},
    )


def linked(made: Module, family: str, cache: BuildCache) -> LinkedNetlist:
    part = Part(Hdl(made.sources, made.files), made.unit)
    return link_one(synthesize_all([part], family, cache=cache)[part.module], cache=cache)


def wrong(made: Module, netlist: LinkedNetlist, cache: BuildCache) -> int:
    """Elements that differ from the reference, over four frames, without and with stalls."""
    config, name = made.instance.config, made.instance.name
    shape = [config.dims[dim] for dim in config.nest.port("x").dims]
    dtype = config.dtypes["x"]
    x = np.random.default_rng(1).integers(dtype.min, dtype.max, (4, *shape), endpoint=True)
    expected = made.instance.operation.reference(config, {"x": x})["y"].reshape(4, -1)
    simulation = netlist_simulation(netlist, made.unit, cache=cache)
    inputs, sizes = {name: {"x": x.reshape(4, -1)}}, {name: {"y": expected.shape[1]}}
    runs = [simulation.run(inputs, frames_out=sizes, stall_seed=seed) for seed in (None, 1)]
    return sum(int((run[name].outputs["y"] != expected).sum()) for run in runs)


CASES: dict[str, tuple[Callable[..., Module], tuple[str, ...], str]] = {
    "matmul-ecp5": (matmul, ("ecp5", "block", "dsp"), "MULT18X18D"),
    "matmul-ice40": (matmul, ("ice40", "block", "lut"), "SB_RAM40_4K"),
    "matmul-xc7": (matmul, ("xc7", "block", "dsp"), "DSP48E1"),
    "matmul-xcup": (matmul, ("xcup", "block", "dsp"), "DSP48E2"),
    "matmul-xc7-luts": (matmul, ("xc7", "distributed", "lut"), "CARRY4"),
    "thresholding-ecp5": (thresholding, ("ecp5",), "DP16KD"),
    "thresholding-ice40": (thresholding, ("ice40",), "SB_RAM40_4K"),
    "thresholding-xcup": (thresholding, ("xcup",), "RAMB18E2"),
    "fifo-ecp5": (fifo, ("ecp5", "distributed"), "TRELLIS_DPR16X4"),
    "fifo-ice40": (fifo, ("ice40", "block"), "SB_RAM40_4K"),
    "fifo-xc7": (fifo, ("xc7", "block"), "RAMB18E1"),
    "fifo-xcup": (fifo, ("xcup", "distributed"), "RAM64M8"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("make", "arguments", "primitive"), CASES.values(), ids=CASES)
def test_the_netlist_of_a_kernel_gives_the_reference(
    cache: BuildCache, make: Callable[..., Module], arguments: tuple[str, ...], primitive: str
) -> None:
    made = make(*arguments)
    netlist = linked(made, arguments[0], cache)
    assert netlist.cells[primitive] > 0
    assert wrong(made, netlist, cache) == 0


def changed(netlist: LinkedNetlist, folder: Path, change: Callable[[dict], None]) -> LinkedNetlist:
    """A copy of a netlist in which `change` was made to the record of its cells."""
    content = json.loads(netlist.json.read_bytes())
    change(content["modules"][netlist.module]["cells"])
    path = folder / "changed.json"
    path.write_text(json.dumps(content))
    return dataclasses.replace(netlist, json=path)


def of_type(cells: dict, kind: str) -> list[dict]:
    return [cell for cell in cells.values() if cell["type"] == kind]


def flip_weight(cells: dict) -> None:
    """Flips the lowest bit of the first word of the weights."""
    (ram,) = of_type(cells, "DP16KD")
    word = ram["parameters"]["INITVAL_00"]
    ram["parameters"]["INITVAL_00"] = word[:-1] + str(1 - int(word[-1]))


@pytest.mark.slow
def test_one_wrong_bit_of_a_netlist_is_found(cache: BuildCache, tmp_path: Path) -> None:
    made = matmul("ecp5", "block", "dsp")
    netlist = changed(linked(made, "ecp5", cache), tmp_path, flip_weight)
    assert 0 < wrong(made, netlist, cache) <= 2 * 4


@pytest.mark.slow
def test_what_no_model_covers_is_refused(cache: BuildCache, tmp_path: Path) -> None:
    def register(cells: dict) -> None:
        (ram,) = of_type(cells, "DP16KD")
        ram["parameters"]["REGMODE_B"] = "OUTREG"

    made = thresholding("ecp5")
    netlist = changed(linked(made, "ecp5", cache), tmp_path, register)
    with pytest.raises(VerificationError, match="output registers of DP16KD"):
        wrong(made, netlist, cache)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["ecp5", "ice40", "xc7", "xcup"])
def test_flip_flops_start_at_their_initial_values(cache: BuildCache, family: str) -> None:
    """The first beat sees registers that no reset ever set."""
    text = """
    module initial_values (
      input logic clk, input logic rst_n,
      input logic [7:0] s_axis_x_tdata, input logic s_axis_x_tvalid,
      output logic s_axis_x_tready,
      output logic [7:0] m_axis_y_tdata, output logic m_axis_y_tvalid,
      input logic m_axis_y_tready
    );
      logic [7:0] last = START;
      assign s_axis_x_tready = m_axis_y_tready && rst_n;
      assign m_axis_y_tvalid = s_axis_x_tvalid && rst_n;
      assign m_axis_y_tdata = last;
      always_ff @(posedge clk) if (s_axis_x_tready && s_axis_x_tvalid) last <= s_axis_x_tdata;
    endmodule
    """.replace("START", "8'h5a" if family != "ice40" else "8'h00")
    ports = (StreamPort("x", "in", 1, 8), StreamPort("y", "out", 1, 8))
    unit = Unit("start", "initial_values", {}, ports)
    part = Part(Hdl((Source("initial_values.sv", text),)), unit)
    netlist = link_one(synthesize_all([part], family, cache=cache)[part.module], cache=cache)
    x = np.array([[1, 2, 3, 4]])
    run = netlist_simulation(netlist, unit, cache=cache).run(
        {"start": {"x": x}}, frames_out={"start": {"y": 4}}
    )
    first = 0 if family == "ice40" else 0x5A
    assert run["start"].outputs["y"].tolist() == [[first, 1, 2, 3]]


def test_a_primitive_without_a_model_is_named() -> None:
    with pytest.raises(ToolError, match="no simulation model of the primitive DCUA"):
        primitives("ecp5", {"LUT4": 3, "DCUA": 1})


def test_models_are_those_that_are_used_and_what_they_hold() -> None:
    text = primitives("xc7", {"RAMB18E1": 1, "FDRE": 4}).text
    for name in ("RAMB18E1", "bs_ramb", "bs_byte_ram", "FDRE"):
        assert text.count(f"module {name}") == 1
    assert "module DSP48E1" not in text


def test_nets_are_bits_and_parameters_keep_their_kind(tmp_path: Path) -> None:
    cell = {
        "type": "CELL",
        "parameters": {"INIT": "0110", "MODE": "FAST", "DIGITS": "01 ", "ANY": "1x"},
        "connections": {"A": [2, "0"], "Y": [3]},
    }
    ports = {"a": {"direction": "input", "bits": [2]}, "y": {"direction": "output", "bits": [3, 2]}}
    path = tmp_path / "netlist.json"
    path.write_text(json.dumps({"modules": {"top": {"ports": ports, "cells": {"c": cell}}}}))
    assert flat_verilog(path, "top").splitlines() == [
        "module top (a, y);",
        "  input [0:0] a;",
        "  output [1:0] y;",
        "  wire n2, n3;",
        "  assign n2 = a;",
        "  assign y = {n2, n3};",
        '  CELL #(.INIT(4\'h6), .MODE("FAST"), .DIGITS("01"), .ANY(2\'b1x)) c0 '
        "(.A({1'b0, n2}), .Y(n3));",
        "endmodule",
    ]
    with pytest.raises(ToolError, match="no such module"):
        flat_verilog(path, "bottom")
