"""Searching components by words, and by what a machine can check.

| filter | what it keeps |
|---|---|
| `kind` | components of this kind, in the plural or the singular |
| `operation` | kernels that compute it, and the operation itself |
| `datatype` | what states this datatype, or does not restrict itself |
| `backend` | kernels whose manifest names the backend |
| `target` | what supports the target or its device family, or does not restrict itself |
| `shape` | kernels whose constraints hold for these sizes: `K=64,M=128` |
| `tags` | what has all of these tags |
| `author`, `license` | exactly these, but for case |
| `compatible_with` | plugins for this version: `2.1`, `brainsmith==2.1`, `finn==0.10` |
| `certification` | plugins that have reached this level: community, bronze, silver, gold |
| `min_downloads` | plugins with at least so many downloads |

Certification and downloads are facts of the hub: of a plugin that no hub knows they are
"community" and 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from brainsmith.errors import ConfigurationError, PluginError, nearest
from brainsmith.plugins.kinds import KINDS, SINGULAR
from brainsmith.plugins.plugin import Component, Plugin
from brainsmith.plugins.source import CERTIFICATIONS, PackageFacts
from brainsmith.plugins.text import ANY, facet, hits

if TYPE_CHECKING:
    from brainsmith.plugins.catalog import Catalog
    from brainsmith.plugins.registry import PluginRegistry

FILTERS = (
    "kind",
    "operation",
    "datatype",
    "backend",
    "target",
    "shape",
    "tags",
    "author",
    "license",
    "compatible_with",
    "certification",
    "min_downloads",
)
SORTS = ("relevance", "downloads")
_HUB = ("certification", "min_downloads")
_RULES = ("min_", "max_", "multiple_of_")
_HOSTS = ("brainsmith", "finn", "python")


class Found:
    """A component that a search found. It is looked up in the index when it is asked for.

    Attributes:
        score: how well the words fit, 0 without words; more is better.
        downloads: as the hub says, 0 for a plugin that it does not know.
        certification: as the hub says, "community" for a plugin that it does not know.
    """

    def __init__(self, catalog: Catalog, number: int, score: float) -> None:
        self._catalog = catalog
        self._number = number
        self.score = score
        self.downloads = 0
        self.certification = CERTIFICATIONS[0]

    @cached_property
    def component(self) -> Component:
        """The component itself."""
        return self._catalog.component_at(self._number)

    @property
    def name(self) -> str:
        return self.component.name

    @property
    def full_name(self) -> str:
        return self.component.full_name

    @property
    def kind(self) -> str:
        return self.component.kind

    @property
    def plugin(self) -> Plugin:
        return self.component.plugin

    @property
    def description(self) -> str:
        """What the component is; what its plugin is, where its manifest does not say it."""
        return str(self.component.record.get("description") or self.plugin.description)


def search(
    registry: PluginRegistry, query: str, filters: Mapping[str, Any], sort: str
) -> list[Found]:
    """What `PluginRegistry.search` returns."""
    given = {name: value for name, value in filters.items() if value is not None}
    for name in given:
        if name not in FILTERS:
            raise ConfigurationError(f"unknown filter '{name}'", hint=nearest(name, FILTERS))
    if sort not in SORTS:
        raise ConfigurationError(f"unknown order '{sort}'", hint=nearest(sort, SORTS))
    numbers = hits(registry.catalog.index, query, _facets(registry, given))
    found = [Found(registry.catalog, number, score) for number, score in numbers]
    for check in _checks(given):
        found = [one for one in found if check(one.component)]
    if sort == "downloads" or any(name in given for name in _HUB):
        found = _with_facts(registry, found, given)
    return sorted(found, key=lambda one: -one.downloads) if sort == "downloads" else found


def _facets(registry: PluginRegistry, given: Mapping[str, Any]) -> list[list[str]]:
    """What can be looked up in the index: of each list, one must be there."""
    facets = []
    for name in ("operation", "backend", "author", "license"):
        if name in given:
            facets.append([facet(name, _text(name, given[name]))])
    if "kind" in given:
        facets.append([facet("kind", _kind(_text("kind", given["kind"])))])
    if "datatype" in given:
        value = _text("datatype", given["datatype"])
        facets.append([facet("datatype", value), facet("datatype", ANY)])
    if "target" in given:
        names = _devices(registry, _text("target", given["target"]))
        facets.append([facet("target", name) for name in (*names, ANY)])
    tags = given.get("tags", ())
    for tag in [tags] if isinstance(tags, str) else tags:
        facets.append([facet("tag", _text("tags", tag))])
    return facets


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"the filter '{name}' is a text, not {value!r}")
    return value


def _kind(value: str) -> str:
    plural = {singular: kind for kind, singular in SINGULAR.items()} | {
        kind: kind for kind in KINDS
    }
    if value not in plural:
        raise ConfigurationError(f"unknown kind '{value}'", hint=nearest(value, plural))
    return plural[value]


def _devices(registry: PluginRegistry, name: str) -> list[str]:
    """A target's name and its device family; a family or a device that a component names."""
    targets = registry.components("targets")
    meant = [c for c in targets if name in (c.name, c.full_name)]
    if meant:
        return [name, *(c.name for c in meant), *_families(meant)]
    if hits(registry.catalog.index, "", [[facet("target", name)]]):
        return [name]
    families = _families(targets)
    if name not in families:
        known = (*families, *(c.name for c in targets))
        raise ConfigurationError(f"there is no target '{name}'", hint=nearest(name, known))
    return [name]


def _families(targets: Sequence[Component]) -> set[str]:
    """The device families of targets, as far as their files tell: nothing is imported for it."""
    found = set()
    for target in targets:
        try:
            family = target.data.get("family") if target.is_data else None
        except (PluginError, AttributeError):  # a broken one is told where targets are listed
            continue
        if isinstance(family, str):
            found.add(family)
    return found


def _checks(given: Mapping[str, Any]) -> list[Callable[[Component], bool]]:
    """What is looked at in each component."""
    checks: list[Callable[[Component], bool]] = []
    if "compatible_with" in given:
        host, version = _host(_text("compatible_with", given["compatible_with"]))
        checks.append(lambda component: _compatible(component.plugin, host, version))
    if "shape" in given:
        sizes = _sizes(given["shape"])
        checks.append(lambda component: _fits(component, sizes))
    return checks


def _host(value: str) -> tuple[str, str]:
    """What must be worked with, and its version, of a text such as `finn==0.10` or `2.1`."""
    match = re.fullmatch(r"\s*(?:([a-z]+)\s*(?:==|\s)\s*)?v?([0-9][^\s=]*)\s*", value, re.I)
    if match is None:
        raise ConfigurationError(
            f"'{value}' is no version to be compatible with", hint="such as 2.1 or finn==0.10"
        )
    host = (match[1] or "brainsmith").lower()
    if host not in _HOSTS:
        raise ConfigurationError(
            f"a manifest says nothing about '{match[1]}'", hint=nearest(host, _HOSTS)
        )
    from packaging.version import InvalidVersion, Version

    try:
        return host, str(Version(match[2]))
    except InvalidVersion as error:
        raise ConfigurationError(f"'{match[2]}' is no version", where="compatible_with") from error


def _compatible(plugin: Plugin, host: str, version: str) -> bool:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(plugin.compatibility.get(host, "")).contains(version, prereleases=True)


def _sizes(value: Any) -> dict[str, int]:
    """Sizes by name, of a mapping or of a text such as `K=64,M=128`."""
    if isinstance(value, str):
        pairs = [part.partition("=") for part in value.split(",")]
        value = {name.strip(): size for name, _, size in pairs}
    try:
        sizes = {str(name): int(size) for name, size in dict(value).items()}
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"{value!r} is no shape", hint="name the sizes, such as K=64,M=128"
        ) from error
    if not sizes or not all(sizes) or min(sizes.values()) < 1:
        raise ConfigurationError(f"{value!r} is no shape", hint="such as K=64,M=128")
    return sizes


def _fits(component: Component, sizes: Mapping[str, int]) -> bool:
    """Whether the constraints hold that speak of these sizes."""
    for key, bound in component.record.get("constraints", {}).items():
        rule = next((rule for rule in _RULES if key.startswith(rule)), None)
        size = sizes.get(key[len(rule) :]) if rule else None
        if size is None or not isinstance(bound, int):
            continue
        if not {"min_": size >= bound, "max_": size <= bound}.get(
            str(rule), bound != 0 and size % bound == 0
        ):
            return False
    return True


def _with_facts(
    registry: PluginRegistry, found: Sequence[Found], given: Mapping[str, Any]
) -> list[Found]:
    """What has enough downloads and the certification, with what the hub knows of it."""
    level = _level(given.get("certification", CERTIFICATIONS[0]))
    least = _least(given.get("min_downloads", 0))
    names = sorted({one.plugin.name for one in found})
    known = registry.source.facts(names) if registry.source is not None and names else {}
    for one in found:
        facts = known.get(one.plugin.name, PackageFacts())
        one.downloads, one.certification = facts.downloads, facts.certification
    return [one for one in found if one.downloads >= least and _level(one.certification) >= level]


def _level(name: Any) -> int:
    if name not in CERTIFICATIONS:
        raise ConfigurationError(
            f"unknown certification '{name}'", hint=nearest(str(name), CERTIFICATIONS)
        )
    return CERTIFICATIONS.index(name)


def _least(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigurationError(f"the filter 'min_downloads' is a number, not {value!r}")
    return value
