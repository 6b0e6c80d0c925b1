"""The model at each stage, and the kernels that are compared on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from brainsmith.compiler import stages
from brainsmith.compiler.folding_file import FoldingFile
from brainsmith.compiler.mapping import Candidate, candidate_of
from brainsmith.compiler.progress import Progress
from brainsmith.compiler.stages import Step
from brainsmith.compiler.strategy import KernelSpec, ResolvedStrategy, TransformSpec
from brainsmith.compiler.targets import Target
from brainsmith.errors import ConfigurationError, nearest
from brainsmith.model.model import Model
from brainsmith.plugins import Component, Plugin, PluginRegistry
from brainsmith.plugins.sandboxing import SandboxSettings

BUILT_IN = "built-in"


@dataclass(frozen=True)
class Setting:
    """What all parts of a comparison share.

    Attributes:
        usual: what the strategy was asked for as.
        left_out: transforms of the strategy that failed and may, with the reason.
    """

    plugin: Plugin
    registry: PluginRegistry
    path: Path
    original: Model
    target: Target
    strategy: ResolvedStrategy
    usual: str | Path
    pinned: FoldingFile
    sandbox: SandboxSettings
    progress: Progress
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, in sentences."""
        return tuple(
            f"{name} is left out, since it failed: {why}" for name, why in self.left_out.items()
        )

    def builtin(self) -> list[Candidate]:
        """The built-in kernels, with the parameters that the strategy gives them."""
        return [
            self.candidate(kernel)
            for kernel in self.registry.components("kernels")
            if kernel.plugin.origin == BUILT_IN
        ]

    def kernels(self) -> list[Candidate]:
        """The built-in kernels, then those of the plugin."""
        own = [c for c in self.plugin.components if c.kind == "kernels"]
        return [*self.builtin(), *map(self.candidate, own)]

    def candidate(
        self, kernel: Component, params: Mapping[str, int | str] | None = None
    ) -> Candidate:
        """A kernel with the backend and the parameters that the strategy gives it.

        Raises:
            ConfigurationError: a parameter has an illegal value.
            PluginError: the kernel cannot be loaded.
        """
        spec = KernelSpec(kernel.full_name)
        for one in self.strategy.kernels:
            if self.registry.get("kernels", one.name).full_name == kernel.full_name:
                spec = replace(one, name=kernel.full_name)
                break
        return candidate_of(replace(spec, params={**spec.params, **(params or {})}), self.registry)

    def steps(self, more: Sequence[TransformSpec] = ()) -> list[Step]:
        """The strategy's transforms and some more, each at its stage, after those of the strategy.

        What the strategy has of the plugin's own is left out, unless it is among `more`.
        """
        own = {c.full_name for c in self.plugin.components if c.kind == "transforms"}
        base = [s for s in self.strategy.transforms if self._full_name(s.name) not in own]
        return stages.plan([*base, *more], self.registry, self.target.family)

    def _full_name(self, transform: str) -> str:
        """The full name of a transform; that of a library is its own."""
        try:
            return self.registry.get("transforms", transform).full_name
        except ConfigurationError:
            return transform

    def run(self, model: Model, steps: Sequence[Step]) -> Model:
        """A copy of the model after some steps, nodes in topological order."""
        self.progress.step("transform", len(steps))
        staged = stages.run(model.copy(), steps, self.progress)
        self.left_out.update((one.transform, one.reason) for one in staged.skipped)
        staged.model.graph.sort()
        return staged.model


def check_params(
    plugin: Plugin, params: Mapping[str, int | str], components: Sequence[Component]
) -> None:
    """Raises ConfigurationError for a parameter that no component of the plugin has."""
    known = {
        name
        for component in components
        if not component.description.is_qonnx
        for name in getattr(component.info, "params", {})
    }
    if any(component.description.is_qonnx for component in components):
        return  # the constructor of a QONNX transformation judges
    for name in params:
        if name not in known:
            raise ConfigurationError(
                f"no component of the plugin '{plugin.name}' has the parameter '{name}'",
                where="--config",
                hint=nearest(name, known),
            )


def params_of(component: Component, params: Mapping[str, int | str]) -> dict[str, int | str]:
    """Of some parameters those that a component has; all for a QONNX transformation."""
    if component.kind == "transforms" and component.description.is_qonnx:
        known = {name for name, _ in component.description.parameters}
        return {n: v for n, v in params.items() if n in known or "**" in known}
    return {n: v for n, v in params.items() if n in component.info.params}
