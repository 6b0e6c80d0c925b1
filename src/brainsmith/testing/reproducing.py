"""The call that checks one case alone, as code that runs where the check ran."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from pprint import pformat

import numpy as np

from brainsmith.plugins import Component
from brainsmith.testing.case import KernelCase
from brainsmith.toolchains.cache import BuildCache

_SHOWN = 64  # elements of a constant up to which it is printed; larger ones are saved


def as_code(
    kernel: str | type, component: Component, case: KernelCase, options: Mapping[str, object]
) -> str:
    """Imports and call.

    Args:
        kernel: as it was named for the check: its class, or its name.
        component: what that is.
        case: the configuration.
        options: further arguments of the call; a registry stands for the plugin's own folder.
    """
    before = ["from brainsmith.testing import KernelCase, check_kernel"]
    given = {name: repr(value) for name, value in options.items()}
    if isinstance(kernel, str):
        named = f'"{component.full_name}"'
        if "registry" in options:
            before.insert(0, "from brainsmith import PluginRegistry")
            before.append("registry = PluginRegistry()")
            before.append(f"registry.search_paths.insert(0, {str(component.plugin.root)!r})")
            given["registry"] = "registry"
    else:
        named = kernel.__qualname__
        before.append(f"from {kernel.__module__} import {named.partition('.')[0]}")
        given.pop("registry", None)
    fields = "".join(f"    {name}={value},\n" for name, value in _fields(case).items())
    more = "".join(f", {name}={value}" for name, value in given.items())
    if "np." in fields:
        before.insert(0, "import numpy as np")
    return "\n".join([*before, f"check_kernel({named}, [KernelCase(\n{fields})]{more})"])


def _fields(case: KernelCase) -> dict[str, str]:
    found = {
        "dims": dict(case.dims),
        "dtypes": dict(case.dtypes),
        "folding": dict(case.folding),
        "attributes": dict(case.attributes),
        "params": dict(case.params),
        "ranges": dict(case.ranges),
        "family": case.family,
    }
    code = {name: repr(value) for name, value in found.items() if value}
    if case.statics:
        arrays = ", ".join(f"{port!r}: {_array(array)}" for port, array in case.statics.items())
        code["statics"] = f"{{{arrays}}}"
    return code


def _array(array: np.ndarray) -> str:
    if array.size <= _SHOWN:
        return f"np.array({pformat(array.tolist(), width=10_000)})"
    return f"np.load({str(_saved(array))!r})"


def _saved(array: np.ndarray) -> Path:
    """The file of an array, in the cache of builds."""
    content = np.ascontiguousarray(array)
    key = {
        "what": "constant", "shape": content.shape, "dtype": str(content.dtype),
        "digest": hashlib.sha256(content.tobytes()).hexdigest(),
    }  # fmt: skip
    name = "constant.npy"
    return BuildCache().fetch(key, lambda folder: np.save(folder / name, content)).path / name
