"""Code generation: a partition's structural top level in SystemVerilog, and its file list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from brainsmith.compiler.design import End, Partition, PartitionPort, StreamEdge
from brainsmith.compiler.identifiers import identifier
from brainsmith.compiler.implement import Module
from brainsmith.errors import PluginError
from brainsmith.toolchains.hdl import Hdl, Source, StreamPort, Unit, literal
from brainsmith.toolchains.hdl_check import declared_names


@dataclass(frozen=True)
class Rtl:
    """A partition as SystemVerilog: its instances, its top level, and all as one project."""

    partition: Partition
    modules: tuple[Module, ...]
    top: Source

    @property
    def hdl(self) -> Hdl:
        """Every source once, in an order of compilation, and every memory file."""
        parts = project(self.modules)
        return Hdl((*parts.sources, self.top), parts.files)

    @property
    def unit(self) -> Unit:
        """The whole partition as the simulator drives it."""
        ports = [_stream_port(p, "in") for p in self.partition.inputs]
        ports += [_stream_port(p, "out") for p in self.partition.outputs]
        return Unit(self.partition.name, self.partition.name, {}, tuple(ports))


def project(modules: Sequence[Module]) -> Hdl:
    """The sources and memory files of some modules together, each source once.

    Raises:
        PluginError: two sources of one name differ, or two declare a module of one name.
    """
    _check_declared(modules, {})
    sources: dict[str, Source] = {}
    for module in modules:
        for source in module.sources:
            if sources.setdefault(source.name, source) != source:
                raise PluginError(
                    f"two sources are called '{source.name}' and differ",
                    where=module.instance.candidate.kernel.full_name,
                    hint="what a backend generates for one node needs the node's name in the "
                    "names of its file and of its module",
                )
    files = {name: data for module in modules for name, data in module.files.items()}
    return Hdl(tuple(sources.values()), files)


def _check_declared(modules: Sequence[Module], taken: Mapping[str, Source]) -> None:
    """No source of a plugin takes the place of another's module."""
    if all(module.instance.candidate.kernel.plugin.origin == "built-in" for module in modules):
        return
    owners = dict(taken)
    for module in modules:
        for source in module.sources:
            for name in declared_names(source):
                if owners.setdefault(name, source).text != source.text:
                    raise PluginError(
                        f"'{owners[name].name}' and '{source.name}' both declare '{name}'",
                        where=module.instance.candidate.kernel.full_name,
                        hint="put the plugin's name into the names of its modules",
                    )


def generate(partition: Partition, modules: Sequence[Module]) -> Rtl:
    """A partition as SystemVerilog: its modules under a top level.

    Raises:
        PluginError: a source declares a module that another one, or the top level, is called.
    """
    top = _top(partition, modules, {})
    _check_declared(modules, {partition.name: top})
    return Rtl(partition, tuple(modules), top)


def linked_top(rtl: Rtl, names: Mapping[str, str]) -> Source:
    """The top level over modules that were synthesised with their parameters.

    Args:
        rtl: the partition.
        names: the name of each instance's module.
    """
    return _top(rtl.partition, rtl.modules, names)


def _top(partition: Partition, modules: Sequence[Module], names: Mapping[str, str]) -> Source:
    """The top level: AXI4-Stream ports padded to bytes, wires, instances."""
    wires = {edge: f"s{i}" for i, edge in enumerate(partition.edges)}
    at = {end: wires[edge] for edge in partition.edges for end in (edge.source, edge.sink)}
    text = "\n".join(
        [
            *_header(partition),
            *(line for edge, wire in wires.items() for line in _wire(edge, wire)),
            *(line for port in partition.inputs for line in _entry(port, at)),
            *(line for port in partition.outputs for line in _exit(port, at)),
            *(line for module in modules for line in _instance(module, at, names)),
            "endmodule",
            "",
        ]
    )
    return Source(f"{partition.name}.sv", text)


def _stream_port(port: PartitionPort, direction: Literal["in", "out"]) -> StreamPort:
    return StreamPort(
        port.name, direction, port.elements, port.bits, signed=port.signed, bipolar=port.bipolar
    )


def _bytes(port: PartitionPort) -> int:
    return -(-port.elements * port.bits // 8)


def _header(partition: Partition) -> list[str]:
    ports = ["  input  logic clk", "  input  logic rst_n"]
    for port in partition.inputs:
        ports += _axis(f"s_axis_{port.name}", _bytes(port) * 8, "input ", "output")
    for port in partition.outputs:
        ports += _axis(f"m_axis_{port.name}", _bytes(port) * 8, "output", "input ")
    return [
        f"// {partition.name}: {len(partition.layers)} layers, generated by Brainsmith.",
        "// AXI4-Stream: element 0 in the lowest bits, elements without padding, tdata padded to",
        "// bytes. Synchronous, active-low reset.",
        *(f"//   {p.name}: {p.size} elements a frame, {p.elements} a beat, {p.bits} bits each"
          for p in (*partition.inputs, *partition.outputs)),
        "`default_nettype none",
        f"module {partition.name} (",
        ",\n".join(ports),
        ");",
    ]  # fmt: skip


def _axis(name: str, width: int, forward: str, backward: str) -> list[str]:
    return [
        f"  {forward} logic [{width - 1}:0] {name}_tdata",
        f"  {forward} logic {name}_tvalid",
        f"  {backward} logic {name}_tready",
    ]


def _wire(edge: StreamEdge, wire: str) -> list[str]:
    return [
        f"  logic [{edge.width - 1}:0] {wire}_tdata;  // {identifier(edge.value)}",
        f"  logic {wire}_tvalid, {wire}_tready;",
    ]


def _entry(port: PartitionPort, at: Mapping[End, str]) -> list[str]:
    wire = at[End("", port.name)]
    return [
        f"  assign {wire}_tdata = s_axis_{port.name}_tdata[{port.elements * port.bits - 1}:0];",
        f"  assign {wire}_tvalid = s_axis_{port.name}_tvalid;",
        f"  assign s_axis_{port.name}_tready = {wire}_tready;",
    ]


def _exit(port: PartitionPort, at: Mapping[End, str]) -> list[str]:
    wire = at[End("", port.name)]
    padding = _bytes(port) * 8 - port.elements * port.bits
    data = f"{{{padding}'d0, {wire}_tdata}}" if padding else f"{wire}_tdata"
    return [
        f"  assign m_axis_{port.name}_tdata = {data};",
        f"  assign m_axis_{port.name}_tvalid = {wire}_tvalid;",
        f"  assign {wire}_tready = m_axis_{port.name}_tready;",
    ]


def _instance(module: Module, at: Mapping[End, str], names: Mapping[str, str]) -> list[str]:
    name = module.instance.name
    values = ",\n".join(f"    .{k}({literal(v)})" for k, v in module.parameters.items())
    head = f"  {module.top} #(\n{values}\n  ) {name} (" if values else f"  {module.top} {name} ("
    lines = [f"  {names[name]} {name} (" if name in names else head]
    pins = ["    .clk(clk)", "    .rst_n(rst_n)"]
    for port in module.unit.ports:
        prefix = "s_axis" if port.direction == "in" else "m_axis"
        wire = at[End(name, port.name)]
        for signal in ("tdata", "tvalid", "tready"):
            pins.append(f"    .{prefix}_{port.name}_{signal}({wire}_{signal})")
    return [*lines, ",\n".join(pins), "  );"]
