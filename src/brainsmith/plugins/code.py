"""The code of a component: what the compiler uses without asking where it runs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from brainsmith.api import KernelConfig, Match, NoMatch, TransformConfig

if TYPE_CHECKING:
    import onnx_ir as ir

    from brainsmith.model.model import Model
    from brainsmith.plugins.description import Description
    from brainsmith.plugins.plugin import Component

Call = tuple[str, tuple[Any, ...]]
"""A method's name and its arguments."""
Matcher = Callable[["ir.Node"], Match | NoMatch]


class Code(Protocol):
    """The class of a component."""

    @property
    def place(self) -> Hashable:
        """Where it runs: None for this process; transforms of one other place run in one call."""

    @property
    def cls(self) -> type:
        """The class; PluginError where it is not for this process."""

    @property
    def description(self) -> Description: ...

    @property
    def instance(self) -> Any:
        """An instance, or what has its methods."""

    def calls(self, calls: Sequence[Call]) -> list[Any]:
        """What methods of an instance return, in one go."""

    def prepare(self, batches: Sequence[Sequence[KernelConfig]]) -> None:
        """Says that a kernel's cost models are about to be asked for these, a batch a node."""

    def matcher(self, model: Model) -> Matcher:
        """What an operation says of each node of a model that does not change meanwhile."""

    def apply(self, model: Model, uses: Sequence[Use]) -> Model:
        """The model after transforms of this place, of which this is the first."""


@dataclass(frozen=True)
class Use:
    """A transform and how it is applied. `name` is what the strategy calls it."""

    component: Component
    config: TransformConfig
    name: str
