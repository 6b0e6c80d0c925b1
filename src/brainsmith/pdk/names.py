"""The name of a new plugin, and what is called after it: a package, a class, Verilog modules."""

from __future__ import annotations

import builtins
import re
import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder
from pathlib import Path

from brainsmith import api
from brainsmith.compiler.identifiers import is_identifier as is_verilog_identifier
from brainsmith.errors import ConfigurationError
from brainsmith.plugins import PluginRegistry
from brainsmith.plugins.kinds import SINGULAR
from brainsmith.plugins.names import canonical, is_identifier, is_plugin_name

# Names of the templates' own folders and modules, and of what else is there; `null` is not text
# in YAML.
_RESERVED = frozenset(
    ("brainsmith", "build", "conftest", "dist", "docs", "examples", "null", "src", "test", "tests")
)
# Plugins of the project itself, and the modules of the built-in kernels.
_RESERVED_BEGINNINGS = ("brainsmith_", "bs_")
# Of the package `std` of SystemVerilog, which the check of sources takes for test benches.
_OF_TEST_BENCHES = frozenset(("mailbox", "process", "randomize", "semaphore", "std"))
# What the templates import beside `brainsmith.api`: a class of that name would hide it.
_IMPORTED = frozenset(
    ("ClassVar", "CompileOptions", "Compiler", "KernelCase", "Mapping", "ModelProto", "Path",
     "PluginRegistry", "Sequence", "TensorProto")
)  # fmt: skip
# The kinds of components that a plugin of each type starts with.
KINDS_OF = {
    "kernel": ("kernels",),
    "operation": ("operations", "kernels"),
    "transform": ("transforms",),
    "target": ("targets",),
    "strategy": ("strategies",),
}
# Longer ones do not fit in the lines of 100 characters in which both stand.
_MODULE_AND_CLASS = 73


def module_of(name: str) -> str:
    """The Python package of the plugin called `name`; its Verilog modules begin with it."""
    return name.replace("-", "_")


def class_of(name: str) -> str:
    """The component of the plugin called `name`: MyKernel for my-kernel."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[-_]+", name))


def check_name(name: str, *, hardware: bool = True) -> None:
    """Refuses what can be no plugin's name, or no name of what is called after it.

    Args:
        name: the new plugin's.
        hardware: whether it will have Verilog modules.

    Raises:
        ConfigurationError: why not.
    """
    module = module_of(name)
    well_formed = is_plugin_name(name) and name == name.lower() and "." not in name
    if not well_formed or not is_identifier(module):
        raise ConfigurationError(
            f"'{name}' can be no plugin's name",
            where="name",
            hint="a letter, then lower-case letters and digits, with '-' inside: my-awesome-kernel",
        )
    if len(module) + len(class_of(name)) > _MODULE_AND_CLASS:
        raise ConfigurationError(
            f"'{name}' is too long", where="name", hint=f"{_MODULE_AND_CLASS // 2} characters fit"
        )
    reason = _reserved(name, module, hardware)
    if reason:
        raise ConfigurationError(
            f"'{name}' is reserved: {reason}", where="name", hint=f"take another, such as my-{name}"
        )


def check_free(name: str, taken: Iterable[str]) -> None:
    """Refuses the name of something that is there.

    Args:
        name: the new plugin's.
        taken: names of the plugins that are there.

    Raises:
        ConfigurationError: a plugin or a Python package that is installed has it.
    """
    for other in taken:
        if canonical(other) == canonical(name):
            raise ConfigurationError(
                f"there is a plugin called '{other}'", where="name", hint="take another name"
            )
    module = module_of(name)
    if _is_installed(module):
        raise ConfigurationError(
            f"a Python package called '{module}' is installed",
            where="name",
            hint=f"take another name, such as my-{name}",
        )


def check_components(name: str, type: str, registry: PluginRegistry) -> None:
    """Refuses a name whose component would have that of a built-in one, and be taken for it.

    Args:
        name: the new plugin's.
        type: what it starts with.
        registry: where the built-in components are.

    Raises:
        ConfigurationError: a built-in component of such a kind is called so.
    """
    own = {name, module_of(name), class_of(name), f"{class_of(name)}Kernel"}
    meant = set(map(canonical, own))
    for kind in KINDS_OF[type]:
        for full_name in registry.names(kind):
            plugin, _, component = full_name.partition(":")
            if plugin == "brainsmith" and canonical(component) in meant:
                raise ConfigurationError(
                    f"there is a built-in {SINGULAR[kind]} called '{component}'",
                    where="name",
                    hint=f"take another name, such as my-{name}",
                )


def _reserved(name: str, module: str, hardware: bool) -> str | None:
    """Whose name it is, or None."""
    if module in sys.stdlib_module_names or module in _RESERVED:
        return f"the Python module '{module}' is another"
    if module.startswith(_RESERVED_BEGINNINGS):
        return "names that begin like this are Brainsmith's own"
    component = class_of(name)
    if component in _IMPORTED or component in api.__all__ or hasattr(builtins, component):
        return f"the Python class '{component}' is another"
    if not is_identifier(component):
        return f"'{component}' can be no Python class"
    if hardware and (not is_verilog_identifier(module) or module in _OF_TEST_BENCHES):
        return f"'{module}' means something in SystemVerilog"
    return None


def _is_installed(module: str) -> bool:
    """Whether Python finds a package, besides one in the folder that a command runs in."""
    here = Path.cwd()
    path = [entry for entry in sys.path if entry and Path(entry) != here]
    return any(
        (finder.find_spec(module, path) if finder is PathFinder else finder.find_spec(module, None))
        for finder in sys.meta_path
    )
