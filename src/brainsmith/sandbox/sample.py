"""A transform as plugins write them, which workers load and run before their call, to be warm."""

from __future__ import annotations

from typing import Any

from brainsmith.api import transform


@transform(name="Sample", stage="graph_cleanup")
class Sample:
    """Leaves the model as it is."""

    def apply(self, model: Any, config: Any) -> Any:
        """The model."""
        return model
