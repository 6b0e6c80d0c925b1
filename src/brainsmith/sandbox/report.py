"""Which level this machine reaches: proved by a worker that must be refused each forbidden act."""

from __future__ import annotations

import functools
import os
import tempfile
from dataclasses import dataclass
from typing import Any

from brainsmith.errors import PluginSecurityError
from brainsmith.sandbox import codec, landlock, probe
from brainsmith.sandbox.execution import Subject, Trial, attempt
from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.outcome import Returned
from brainsmith.sandbox.policy import SandboxPolicy
from brainsmith.sandbox.providers import Provider

# What holds without a filter of system calls: limits and a clean start.
_OWN_PROCESS = ("memory", "cpu_time", "descriptors", "environment")
_PROBE = SandboxPolicy(cpu_time=10, wall_time=20, output_size=1 << 20)


@dataclass(frozen=True)
class Protection:
    """One rule: whether it holds here, and what was seen."""

    name: str
    active: bool
    detail: str


@dataclass(frozen=True)
class SandboxReport:
    """What this machine's sandbox can do.

    Attributes:
        level: the highest that was proved.
        protections: at that level.
        why_not_higher: what stands against the next level; "" at the highest that there is.
    """

    level: Level
    protections: tuple[Protection, ...]
    why_not_higher: str


def report() -> SandboxReport:
    """The highest level that a probe proves here."""
    above = "a container or virtual machine is set up around Brainsmith, not by it"
    for level in (Level.L4, Level.L3, Level.L2, Level.L1):
        protections, why = proof(level)
        if not why:
            return SandboxReport(level, protections, above)
        above = f"{level.name}: {why}"
    return SandboxReport(Level.L0, (), above)


def require(level: Level, provider: Provider | None = None) -> None:
    """Refuses a level that is not proved here.

    Raises:
        PluginSecurityError: why not, and what the user can do.
    """
    if level == Level.L0:
        return
    _, why = proof(level, provider)
    if why:
        raise PluginSecurityError(
            f"this machine cannot confine plugins at {level.name}: {why}",
            where=f"sandbox level {level.name}",
            hint="`brainsmith doctor` says what it can do; `--sandbox LEVEL` runs plugins at a "
            "lower level, which protects you less",
        )


@functools.cache
def proof(level: Level, provider: Provider | None = None) -> tuple[tuple[Protection, ...], str]:
    """What a probe saw at a level, and why the level is not reached ("" where it is)."""
    if level > (provider.level if provider else Level.L4):
        whose = f"the provider {provider.name}" if provider else "Brainsmith itself"
        return (), f"{whose} does not reach it"
    if provider is not None and provider.missing():
        return (), provider.missing()
    if level >= Level.L3 and landlock.abi() == 0:
        return (), "the kernel has no Landlock, or it is switched off"
    with tempfile.NamedTemporaryFile(prefix="brainsmith-probe-") as secret:
        rules = _OWN_PROCESS if level == Level.L1 else probe.RULES
        arguments = (os.path.realpath(secret.name), os.getpid(), list(rules))
        try:
            trial = attempt(
                Subject("probe"),
                "brainsmith.sandbox.probe:run",
                arguments,
                policy=_PROBE,
                level=level,
                report_only=True,
                provider=provider,
            )
        except PluginSecurityError as error:
            return (), f"{error.what} ({error.where})"
    return _judged(trial, level)


def _judged(trial: Trial, level: Level) -> tuple[tuple[Protection, ...], str]:
    if not isinstance(trial.outcome, Returned):
        return (), f"the probe ended with {trial.outcome}"
    told: dict[str, Any] = codec.loads(trial.outcome.payload)
    seen = {violation.rule for violation in trial.violations}
    protections = []
    for rule in probe.RULES:
        said = told["rules"].get(rule, f"not at {level.name}")
        protections.append(Protection(rule, not said, said or _how(rule, seen)))
    failed = [one for one in protections if not one.active and one.name in told["rules"]]
    why = "; ".join(f"{one.name}: {one.detail}" for one in failed)
    if not why and level >= Level.L4 and told["sees"]:
        why = "the user's files can be seen from the namespaces"
    if level >= Level.L4:
        protections.append(Protection("own tree of files", not told["sees"], "namespaces"))
    return tuple(protections), why


def _how(rule: str, seen: set[str]) -> str:
    return "refused, and reported" if rule in seen else "holds"
