"""The class of a component, imported into this very process: the worker's, or a trusted one's."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import ModuleType

from brainsmith.errors import PluginError, PluginValidationError, nearest
from brainsmith.plugins.contracts import Info, checked_info
from brainsmith.plugins.places import FILE_NAME
from brainsmith.plugins.plugin import Component


def load(component: Component) -> tuple[type, Info]:
    """The class of a component, and what its decorator recorded.

    Raises:
        PluginValidationError: the class is not there, or breaks its contract.
    """
    module, name = _import(component), component.record["class"]
    try:
        found = getattr(module, name)
    except AttributeError as error:
        raise _not_there(component, module) from error
    return found, checked_info(found, component.kind, component.record, component.full_name)


def _import(component: Component) -> ModuleType:
    name = component.record["module"]
    load_module: Callable[[str], ModuleType] = component.plugin.module
    try:
        return load_module(name)
    except PluginError as error:  # a decorator's complaint, which knows no plugin
        raise PluginValidationError(
            error.what, where=f"{component.full_name} in module {name}", hint=error.hint
        ) from error
    except (Exception, SystemExit) as error:
        # Whatever a plugin's code raises is the plugin's mistake; the cause is kept.
        reason = f"{type(error).__name__}: {_public(str(error))}"
        raise PluginValidationError(
            f"cannot import the module '{name}': {reason}",
            where=f"{component.full_name} ({component.plugin.path})",
            hint=f"the manifest is {FILE_NAME}; --debug shows where the module fails",
        ) from error


def _not_there(component: Component, module: ModuleType) -> PluginValidationError:
    classes = [name for name, value in vars(module).items() if isinstance(value, type)]
    name = component.record["class"]
    return PluginValidationError(
        f"the module '{component.record['module']}' has no class '{name}'",
        where=f"{component.full_name} ({component.plugin.path})",
        hint=nearest(name, classes),
    )


def _public(text: str) -> str:
    """A message without the private name under which a plugin's modules are imported."""
    return re.sub(r"_brainsmith_plugins\.p[0-9a-f]+\.?", "", text)
