"""Code that runs in this process: the built-in plugin's, and what the user trusts by name."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from brainsmith.api import KernelConfig
from brainsmith.errors import BrainsmithError, PluginError
from brainsmith.model.model import Model
from brainsmith.model.views import NodeView
from brainsmith.plugins.applying import apply
from brainsmith.plugins.code import Call, Matcher, Use
from brainsmith.plugins.description import Description, describe
from brainsmith.plugins.loading import load

if TYPE_CHECKING:
    from brainsmith.plugins.contracts import Info
    from brainsmith.plugins.plugin import Component


class Local:
    """The class of a component, imported at its first use."""

    def __init__(self, component: Component) -> None:
        self._component = component

    @property
    def place(self) -> None:
        return None

    @property
    def cls(self) -> type:
        return self._loaded[0]

    @cached_property
    def description(self) -> Description:
        return describe(*self._loaded, self._component.kind, self._component.full_name)

    @cached_property
    def instance(self) -> Any:
        return self.cls()

    def calls(self, calls: Sequence[Call]) -> list[Any]:
        return [getattr(self.instance, method)(*arguments) for method, arguments in calls]

    def prepare(self, batches: Sequence[Sequence[KernelConfig]]) -> None:
        """Nothing: a call costs nothing here."""

    def matcher(self, model: Model) -> Matcher:
        match = self.instance.match
        return lambda node: match(NodeView(model, node))

    def apply(self, model: Model, uses: Sequence[Use]) -> Model:
        for use in uses:
            code = use.component.code
            try:
                model = apply(code.cls, code.description, use.config, model, use.name)
            except BrainsmithError:
                raise
            except Exception as error:
                if use.component.plugin.origin == "built-in":
                    raise  # a defect of ours, not of a plugin
                what = f"{type(error).__name__}: {error}"
                raise PluginError(what, where=use.name) from error
        return model

    @cached_property
    def _loaded(self) -> tuple[type, Info]:
        component = self._component
        component.check_requirements()
        own = component.plugin.own_packages
        # Last of all: what the environment has stays what all others import. Where that does not
        # fit the plugin, the check of its requirements says so.
        if own is not None and str(own) not in sys.path:
            sys.path.append(str(own))
        found, info = load(component)
        component.check_told_requirements(info.requires)
        return found, info
