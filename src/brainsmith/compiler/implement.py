"""Implementations: what the backends return, resolved to sources, parameters and files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from brainsmith.api import Composition, RTLOp
from brainsmith.compiler.design import Instance
from brainsmith.errors import PluginError
from brainsmith.plugins import Component
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


def implement(instance: Instance) -> Module:
    """The module of an instance, from its backend method.

    Raises:
        PluginError: the backend did not return an implementation that can be built here, or
            names a source that is missing or lies outside the plugin.
    """
    candidate = instance.candidate
    where = f"{candidate.kernel.full_name}, backend {candidate.backend}"
    method = getattr(instance.kernel, candidate.info.backends[candidate.backend])
    result = method(instance.config)
    if isinstance(result, Composition):
        raise PluginError("a composition must be expanded before it is implemented", where=where)
    if not isinstance(result, RTLOp):
        raise PluginError(
            f"the backend returned {type(result).__name__}, which this release does not build",
            where=where,
            hint="choose the backend 'rtl'",
        )
    names = {param: f"{instance.name}_{param.lower()}.mem" for param in result.memories}
    sources = [_read(candidate.kernel, name, where) for name in result.sources]
    sources += [Source(name, text) for name, text in result.generated.items()]
    return Module(
        instance=instance,
        top=result.top,
        parameters={**result.parameters, **names},
        sources=tuple(sources),
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


def _read(kernel: Component, name: str, where: str) -> Source:
    root = kernel.plugin.root.resolve()
    path = (kernel.folder / name).resolve()
    if not path.is_relative_to(root):
        raise PluginError(f"the source '{name}' lies outside the plugin", where=where)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PluginError(
            f"cannot read the source '{name}': {error.strerror}", where=where
        ) from error
    unique = f"{kernel.plugin.name}_{path.relative_to(root)}".replace("/", "_")
    return Source(unique, text)
