"""The folding file: for each node its folding and the parameters of its kernel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brainsmith.errors import ConfigurationError, PluginError
from brainsmith.plugins.safe_yaml import parse_yaml

FoldingFile = Mapping[str, Mapping[str, int | str]]


def read_folding(path: Path) -> FoldingFile:
    """The folding in a JSON or YAML file; whether its names are right is for others to say.

    Raises:
        ConfigurationError: the file cannot be read, a key is no name or is there twice, or it is
            no mapping of nodes to parameters.
    """
    data = _load(path)
    if not isinstance(data, dict) or not all(isinstance(v, dict) for v in data.values()):
        raise ConfigurationError(
            "a folding file maps each node to its parameters",
            where=str(path),
            hint='such as {"MatMul_0": {"PE": 4, "SIMD": 8}}',
        )
    return data


def _load(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"cannot read the folding file: {error.strerror}", where=str(path)
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            "the folding file is not UTF-8", where=str(path), hint="save the file as UTF-8"
        ) from error
    try:
        if path.suffix == ".json":
            return json.loads(text, object_pairs_hook=lambda pairs: _distinct(pairs, path))
        return parse_yaml(text, str(path)).data
    except PluginError as error:
        raise ConfigurationError(error.what, where=error.where, hint=error.hint) from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"the folding file is not readable: {error}", where=str(path)
        ) from error


def _distinct(pairs: list[tuple[str, Any]], path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ConfigurationError(f"the key '{key}' is there twice", where=str(path))
        found[key] = value
    return found
