"""What a plugin needs of this machine: checked before any of its code is imported.

Nothing is ever installed here. An error lists everything that is missing or does not fit, and the
one command that mends it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from brainsmith.errors import PluginError
from brainsmith.plugins.names import canonical, plugin_meant

if TYPE_CHECKING:
    from importlib.metadata import Distribution

    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    from brainsmith.plugins.manifest import Compatibility, Manifest

_NO_VERSION = "0+unknown"
_LOWER_BOUNDS = (">=", ">", "~=", "==", "===")


@dataclass(frozen=True)
class Problem:
    """A requirement that is not met.

    Args:
        requirement: as it was written.
        reason: what is wrong with what is there.
        what: the same as a sentence.
        install: what `pip install` has to be given, "" where it cannot help.
    """

    requirement: str
    reason: Literal["not installed", "too old", "too new", "no version", "other version"]
    what: str
    install: str = ""


@dataclass(frozen=True)
class Finding:
    """What became of one line of a manifest's `compatibility`.

    Args:
        subject: "brainsmith", "finn" or "python".
        wanted: the specifier.
        version: the version that is there, None where there is none.
        verdict: "fits", "does not fit", or "not applicable" where there is nothing to compare.
    """

    subject: str
    wanted: str
    version: str | None
    verdict: Literal["fits", "does not fit", "not applicable"]


def missing(
    requirements: Iterable[str],
    *,
    folders: Sequence[str | Path] = (),
    later: Sequence[str | Path] = (),
    plugins: Mapping[str, str] | None = None,
) -> list[Problem]:
    """The requirements (PEP 508) that are not met, in their order.

    A requirement whose marker does not hold here is met. Requested extras are checked too.

    Args:
        folders: folders with installed packages that are looked into before `sys.path`.
        later: those that are looked into after it.
        plugins: versions by name of plugins that are there; they meet requirements too.

    Raises:
        PluginError: a text is no requirement.
    """
    there = {plugin_meant(name): version for name, version in (plugins or {}).items()}
    search = _Search(tuple(map(str, folders)), tuple(map(str, later)), there)
    return list(dict.fromkeys(p for text in requirements for p in search.problems(text)))


def compatibility(wanted: Compatibility) -> list[Finding]:
    """One finding for each specifier that is given: brainsmith, python, and FINN if installed."""
    import platform

    import brainsmith

    own = brainsmith.__version__
    versions = {
        "brainsmith": None if own == _NO_VERSION else own,
        "finn": _version_of("finn") if wanted.finn else None,
        "python": platform.python_version(),
    }
    return [
        _finding(subject, specifier, version)
        for subject, version in versions.items()
        if (specifier := getattr(wanted, subject))
    ]


def check_requirements(
    manifest: Manifest,
    where: str,
    *,
    requires: Iterable[str] = (),
    folders: Sequence[str | Path] = (),
    later: Sequence[str | Path] = (),
    plugins: Mapping[str, str] | None = None,
) -> None:
    """Check all that a plugin needs, or all that one component of it needs.

    Args:
        where: the file or component that an error names.
        requires: further requirements: those of the component that is about to be used.
        folders: folders with installed packages that are looked into before `sys.path`.
        later: those that are looked into after it.
        plugins: versions of the plugins that are there, by name.

    Raises:
        PluginError: something is missing or does not fit; it names all of it.
    """
    texts = (*manifest.dependencies, *requires)
    problems = missing(dict.fromkeys(texts), folders=folders, later=later, plugins=plugins)
    misfits = [f for f in compatibility(manifest.compatibility) if f.verdict == "does not fit"]
    if problems or misfits:
        raise error_of(problems, misfits, where)


def error_of(problems: Sequence[Problem], misfits: Sequence[Finding], where: str) -> PluginError:
    """One error that lists everything, with the command that mends it."""
    told = [p.what for p in problems]
    told += [f"{f.subject} {f.version} is here, {f.subject}{f.wanted} is needed" for f in misfits]
    packages = [p.install for p in problems if p.install]
    packages += [f"{f.subject}{f.wanted}" for f in misfits if f.subject != "python"]
    hints = ["pip install " + " ".join(f'"{p}"' for p in packages)] if packages else []
    hints += [f"use Python {f.wanted}" for f in misfits if f.subject == "python"]
    return PluginError(
        "the plugin needs what is not here: " + "; ".join(told),
        where=where,
        hint=", and ".join(hints) or None,
    )


def cycle(dependencies: Mapping[str, Iterable[str]]) -> tuple[str, ...] | None:
    """The first cycle among plugins that depend on each other, or None.

    Args:
        dependencies: the `dependencies` of each plugin by its name; other packages are ignored.

    Returns:
        Names such as ("a", "b", "a"), by their order in `dependencies`.
    """
    names = {plugin_meant(name): name for name in dependencies}
    graph = {
        own: [n for text in dependencies[name] if (n := plugin_meant(parse(text).name)) in names]
        for own, name in names.items()
    }
    done: set[str] = set()
    for start in graph:
        path, walks = [start], [iter(graph[start])]
        while walks:
            step = next(walks[-1], None)
            if step is None:
                done.add(path.pop())
                walks.pop()
            elif step in path:
                return tuple(names[n] for n in (*path[path.index(step) :], step))
            elif step not in done:
                path.append(step)
                walks.append(iter(graph[step]))
    return None


@cache
def parse(text: str) -> Requirement:
    """A requirement from its text; PluginError where it is none."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise PluginError(
            f"'{text}' is no requirement: {str(error).partition(chr(10))[0]}",
            hint='write it by PEP 508, such as "torch>=2.0"',
        ) from error


@dataclass(frozen=True)
class _Search:
    folders: tuple[str, ...]
    later: tuple[str, ...]
    plugins: Mapping[str, str]

    def problems(self, text: str) -> list[Problem]:
        return self._of(parse(text), text, "", frozenset())

    def _of(
        self, wanted: Requirement, text: str, extra: str, seen: frozenset[tuple[str, str]]
    ) -> list[Problem]:
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": extra}):
            return []
        install = f"{wanted.name}{_extras(wanted)}{wanted.specifier}"
        if wanted.url:
            install = f"{wanted.name} @ {wanted.url}"
        own = self.plugins.get(plugin_meant(wanted.name))
        found = _distribution(wanted.name, self.folders, self.later)
        if found is None and own is None:
            return [Problem(text, "not installed", f"{install} is needed, not installed", install)]
        version = own if found is None else found.version
        problem = _misfit(wanted.name, version, wanted.specifier, text, install)
        if problem is not None:
            return [problem]
        return [] if found is None else self._of_extras(wanted, found, text, seen)

    def _of_extras(
        self, wanted: Requirement, found: Distribution, text: str, seen: frozenset[tuple[str, str]]
    ) -> list[Problem]:
        """What the requested extras of a package need in turn."""
        problems = []
        for extra in sorted(wanted.extras):
            key = (canonical(wanted.name), extra)
            if key in seen:  # packages may request extras of each other
                continue
            for needed in map(parse, found.requires or ()):
                if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
                    problems += self._of(needed, text, extra, seen | {key})
        return problems


def _misfit(
    name: str, version: str | None, wanted: SpecifierSet, text: str, install: str
) -> Problem | None:
    from packaging.version import InvalidVersion, Version

    try:
        there = Version(version or "")
    except InvalidVersion:
        what = f"{name} is installed with the version '{version}', which cannot be compared"
        return Problem(text, "no version", what, install) if len(wanted) else None
    # A development version of what is wanted will do: who has one has it on purpose.
    if wanted.contains(there, prereleases=True):
        return None
    reason = _reason(there.public, wanted)
    return Problem(text, reason, f"{name} {there} is {reason}, {install} is needed", install)


def _reason(version: str, wanted: SpecifierSet) -> Literal["too old", "too new", "other version"]:
    from packaging.version import Version

    there = Version(version)
    for part in wanted:
        if part.contains(version, prereleases=True) or part.operator == "!=":
            continue
        bound = Version(part.version.removesuffix(".*"))
        return "too old" if part.operator in _LOWER_BOUNDS and there <= bound else "too new"
    return "other version"


def _finding(subject: str, wanted: str, version: str | None) -> Finding:
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        there = Version(version or "")
    except InvalidVersion:
        return Finding(subject, wanted, version, "not applicable")
    fits = SpecifierSet(wanted).contains(there, prereleases=True)
    return Finding(subject, wanted, version, "fits" if fits else "does not fit")


def _distribution(
    name: str, folders: Sequence[str] = (), later: Sequence[str] = ()
) -> Distribution | None:
    import sys
    from importlib.metadata import Distribution

    return next(iter(Distribution.discover(name=name, path=[*folders, *sys.path, *later])), None)


def _version_of(name: str) -> str | None:
    found = _distribution(name)
    return None if found is None else found.version


def _extras(wanted: Requirement) -> str:
    return f"[{','.join(sorted(wanted.extras))}]" if wanted.extras else ""
