"""The accelerator as a callable: arrays in, arrays out, through the simulated hardware."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from brainsmith.compiler.codegen import Rtl
from brainsmith.compiler.design import Design, Partition
from brainsmith.compiler.host import run_design
from brainsmith.compiler.simulate import run_partition
from brainsmith.errors import ConfigurationError
from brainsmith.model.model import Model
from brainsmith.toolchains.simulation import Simulation


@dataclass(frozen=True)
class Accelerator:
    """Runs a design in RTL simulation, and what is left of the model on the host."""

    design: Design
    model: Model
    rtls: Mapping[str, Rtl]
    simulations: Mapping[str, Simulation]

    def run(
        self,
        inputs: np.ndarray | Mapping[str, np.ndarray],
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> np.ndarray | dict[str, np.ndarray]:
        """The outputs for some input frames.

        Args:
            inputs: (frames, *shape of the model's input), or such an array for each input.
            progress: called with the frames done and their number.

        Returns:
            (frames, *shape of the model's output), or such an array for each output where there
            are several.

        Raises:
            ConfigurationError: an array does not fit the model's input.
        """
        feeds = self._feeds(inputs)

        def simulate(
            partition: Partition, given: Mapping[str, np.ndarray]
        ) -> dict[str, np.ndarray]:
            rtl = self.rtls[partition.name]
            run = run_partition(
                self.simulations[partition.name], rtl, given,
                on_progress=lambda done, total, _: progress(done, total) if progress else None,
            )  # fmt: skip
            return {port.value: run.outputs[port.name] for port in partition.outputs}

        values = run_design(self.design, self.model, feeds, simulate)
        outputs = {v.name or "": values[v.name or ""] for v in self.model.graph.outputs}
        return next(iter(outputs.values())) if len(outputs) == 1 else outputs

    def _feeds(self, inputs: np.ndarray | Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        names = [value.name or "" for value in self.model.graph.inputs]
        given = dict(inputs) if isinstance(inputs, Mapping) else {names[0]: inputs}
        if set(given) != set(names):
            raise ConfigurationError(
                f"inputs for {sorted(given)}, the model has {names}", hint="an array for each input"
            )
        feeds = {}
        for name, array in given.items():
            shape = self.model.shape(self.model.value(name))
            size = int(np.prod(shape))
            if array.size == 0 or array.size % size:
                raise ConfigurationError(
                    f"an array of shape {array.shape}, whose frames have the shape {shape}",
                    where=name,
                )
            feeds[name] = np.asarray(array).reshape(-1, *shape)
        return feeds
