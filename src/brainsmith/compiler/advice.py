"""What makes a design smaller: other parameters and narrower foldings, layer by layer.

The search is greedy: of all single changes of one layer it takes the one that leaves least above
what the device has, until nothing is left or no change helps.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from brainsmith.api import KernelConfig
from brainsmith.compiler.design import Instance
from brainsmith.compiler.folding import estimate
from brainsmith.errors import BrainsmithError

# Of one layer; what a kernel's models are asked for at once.
_MOST_OPTIONS = 4096
_MOST_ROUNDS = 24


@dataclass(frozen=True)
class Advice:
    """A folding that is estimated to fit.

    Attributes:
        folding: what to change, by layer: the content of a folding file.
        slower: whether a frame takes more cycles.
    """

    folding: Mapping[str, Mapping[str, int | str]]
    slower: bool

    def __str__(self) -> str:
        said = f"--folding FILE with {json.dumps(self.folding)} is estimated to fit"
        return f"{said}, at fewer frames a second" if self.slower else said


@dataclass(frozen=True)
class _Option:
    """A layer as it could be."""

    config: KernelConfig
    interval: int
    needs: Mapping[str, float]


def smaller(
    layers: Sequence[Instance],
    needed: Mapping[str, float],
    there: Mapping[str, int],
    limit: int | None,
) -> Advice | None:
    """Other parameters and foldings with which a design is estimated to fit.

    Args:
        layers: the layers as they are.
        needed: the resources of the whole design.
        there: those of the device.
        limit: cycles a frame that must not be exceeded, or None.
    """
    now = [_estimated(layer, [layer.config])[0] for layer in layers]
    options = [_options(layer) for layer in layers]
    slowest = max(option.interval for option in now)
    for most in (slowest, None) if limit is None else (max(slowest, limit),):
        found = _search(now, options, needed, there, most)
        if found is not None:
            slower = max(option.interval for option in found) > slowest
            pairs = ((old.config, new.config) for old, new in zip(now, found, strict=True))
            return Advice(_differences(pairs), slower)
    return None


def _search(
    now: Sequence[_Option],
    options: Sequence[Sequence[_Option]],
    needed: Mapping[str, float],
    there: Mapping[str, int],
    most: int | None,
) -> list[_Option] | None:
    current, used = list(now), dict(needed)
    for _ in range(_MOST_ROUNDS):
        over = _excess(used, there)
        if not over:
            return current
        changes = (
            (_score(_after(used, current[i], option), there), i, j)
            for i, layer in enumerate(options)
            for j, option in enumerate(layer)
            if most is None or option.interval <= most
        )
        score, i, j = min(changes, default=((over, 0.0), 0, 0))
        if score[0] >= over:
            return None
        used = _after(used, current[i], options[i][j])
        current[i] = options[i][j]
    return None


def _after(used: Mapping[str, float], old: _Option, new: _Option) -> dict[str, float]:
    return {name: count + new.needs[name] - old.needs[name] for name, count in used.items()}


def _excess(used: Mapping[str, float], there: Mapping[str, int]) -> float:
    """How far above the device the resources are, as shares of it, summed up."""
    return sum(max(0.0, used[name] / max(1, most) - 1) for name, most in there.items())


def _score(used: Mapping[str, float], there: Mapping[str, int]) -> tuple[float, float]:
    """Least is best: what is left above the device, then the sum of all shares."""
    return _excess(used, there), sum(used[name] / max(1, most) for name, most in there.items())


def _options(layer: Instance) -> list[_Option]:
    """The configurations of a layer that are not wider than it is."""
    configs = list(itertools.islice(_configs(layer), _MOST_OPTIONS))
    try:
        return _estimated(layer, configs)
    except BrainsmithError:  # some choice is none on this device: each by itself
        found = []
        for config in configs:
            with contextlib.suppress(BrainsmithError):
                found += _estimated(layer, [config])
        return found


def _estimated(layer: Instance, configs: Sequence[KernelConfig]) -> list[_Option]:
    intervals, resources = estimate(layer.kernel, configs)
    return [
        _Option(config, interval, needs.as_dict())
        for config, interval, needs in zip(configs, intervals, resources, strict=True)
    ]


def _configs(layer: Instance) -> Iterator[KernelConfig]:
    config = layer.config
    choices = {name: p.choices or (p.default,) for name, p in layer.candidate.info.params.items()}
    legal = {
        name: [value for value in values if value <= config.folding.get(name, 1)]
        for name, values in config.nest.legal(config.dims).items()
    }
    for values in itertools.product(*choices.values()):
        params = {**config.params, **dict(zip(choices, values, strict=True))}
        for folds in itertools.product(*legal.values()):
            folding = dict(zip(legal, folds, strict=True))
            yield dataclasses.replace(config, params=params, folding=folding)


def _differences(
    pairs: Iterable[tuple[KernelConfig, KernelConfig]],
) -> dict[str, dict[str, int | str]]:
    """A folding file's content: a change of the folding is given whole."""
    found: dict[str, dict[str, int | str]] = {}
    for old, new in pairs:
        changed: dict[str, int | str] = {}
        if dict(old.folding) != dict(new.folding):
            changed |= new.folding
        changed |= {k: v for k, v in new.params.items() if old.params.get(k) != v}
        if changed:
            found[old.node] = changed
    return found
