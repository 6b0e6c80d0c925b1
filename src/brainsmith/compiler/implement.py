"""Implementations: what the backends return, resolved to sources, parameters and files."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from brainsmith.api import Composition, RTLOp
from brainsmith.compiler.design import Instance, Partition
from brainsmith.compiler.rtl_contract import check_rtl_op
from brainsmith.compiler.sources import read_sources
from brainsmith.errors import PluginError
from brainsmith.plugins.code import Call
from brainsmith.toolchains.hdl import Source, StreamPort, Unit


@dataclass(frozen=True)
class Module:
    """An instance as SystemVerilog.

    Attributes:
        instance: what it implements.
        top: the name of its module.
        parameters: those of the module; a memory's parameter names its file.
        sources: texts in the order of compilation, each with a name unique in the project.
        files: contents of the memory files by name.
    """

    instance: Instance
    top: str
    parameters: Mapping[str, int | str]
    sources: tuple[Source, ...]
    files: Mapping[str, bytes]

    @property
    def unit(self) -> Unit:
        """The instance alone, as the tools see it."""
        config = self.instance.config
        ports = []
        for port in config.nest.ports:
            if not config.is_stream(port.name):
                continue
            stream, dtype = config.stream(port.name), config.dtypes[port.name]
            ports.append(
                StreamPort(
                    port.name,
                    port.direction,
                    stream.elements,
                    stream.bits,
                    signed=dtype.signed,
                    bipolar=dtype.bipolar,
                )
            )
        return Unit(self.instance.name, self.top, self.parameters, tuple(ports))


def implemented(partitions: Iterable[Partition]) -> list[tuple[Partition, list[Module]]]:
    """The modules of the instances of each partition; see `implement`."""
    all_ = list(partitions)
    modules = iter(implement([i for partition in all_ for i in partition.instances]))
    return [(p, list(itertools.islice(modules, len(p.instances)))) for p in all_]


def implement(instances: Sequence[Instance]) -> list[Module]:
    """The module of each instance, from its backend method; each kernel is asked once for all.

    Raises:
        PluginError: the backend did not return an implementation that can be built here, or
            names a source that is missing.
        PluginSecurityError: it names a source outside the plugin, or what it returned or a source
            of a plugin that is not built in could do more than describe hardware.
    """
    of_kernel: dict[str, list[int]] = {}
    for index, instance in enumerate(instances):
        of_kernel.setdefault(instance.candidate.kernel.full_name, []).append(index)
    modules: dict[int, Module] = {}
    for indices in of_kernel.values():
        group = [instances[index] for index in indices]
        results = group[0].candidate.kernel.code.calls([_call(instance) for instance in group])
        for index, instance, result in zip(indices, group, results, strict=True):
            modules[index] = _module(instance, result)
    return [modules[index] for index in range(len(instances))]


def _call(instance: Instance) -> Call:
    candidate = instance.candidate
    return candidate.info.backends[candidate.backend], (instance.config,)


def _module(instance: Instance, result: object) -> Module:
    candidate = instance.candidate
    where = f"{candidate.kernel.full_name}, backend {candidate.backend}"
    if isinstance(result, Composition):
        raise PluginError("a composition must be expanded before it is implemented", where=where)
    if not isinstance(result, RTLOp):
        raise PluginError(
            f"the backend returned {type(result).__name__}, which this release does not build",
            where=where,
            hint="choose the backend 'rtl'",
        )
    check_rtl_op(result, where)
    names = {param: f"{instance.name}_{param.lower()}.mem" for param in result.memories}
    return Module(
        instance=instance,
        top=result.top,
        parameters={**result.parameters, **names},
        sources=read_sources(candidate.kernel, result, where),
        files={names[param]: memory_image(array) for param, array in result.memories.items()},
    )


def memory_image(words: np.ndarray) -> bytes:
    """A `$readmemh` file of an array of shape (depth, bits), least significant bit first."""
    depth, bits = words.shape
    padded = np.zeros((depth, -(-bits // 4) * 4), dtype=np.uint8)
    padded[:, :bits] = words
    nibbles = padded.reshape(depth, -1, 4) @ np.array([1, 2, 4, 8], dtype=np.uint8)
    digits = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)[nibbles[:, ::-1]]
    lines = np.concatenate([digits, np.full((depth, 1), ord("\n"), dtype=np.uint8)], axis=1)
    return lines.tobytes()
