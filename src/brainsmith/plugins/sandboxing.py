"""How plugins are confined in one compile: the level, the grants, and the ledger of their calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from brainsmith.errors import ConfigurationError, nearest
from brainsmith.plugins.grants import Grant, Grants
from brainsmith.plugins.permissions import policy_for
from brainsmith.plugins.project import FILE_NAME, read_own
from brainsmith.sandbox.levels import Level
from brainsmith.sandbox.policy import SandboxPolicy
from brainsmith.sandbox.record import Ledger

if TYPE_CHECKING:
    from brainsmith.plugins.plugin import Plugin
    from brainsmith.plugins.registry import PluginRegistry

DEFAULT_LEVEL = Level.L3
# Tests and benchmarks of a plugin start processes.
TESTS_LEVEL = Level.L4


@dataclass(frozen=True)
class SandboxSettings:
    """How plugins are confined.

    Attributes:
        required: the level at which they are called; where this machine does not reach it, they
            are not.
        grants: what the user lets them have.
        ledger: where their calls are noted.
        usual: the level that would be required if the user had not named one.
        confine_builtins: kinds of the built-in plugin's components that are confined too, such as
            "transforms": to compare and to measure.
    """

    required: Level = DEFAULT_LEVEL
    grants: Grants = field(default_factory=Grants)
    ledger: Ledger = field(default_factory=Ledger)
    usual: Level = DEFAULT_LEVEL
    confine_builtins: tuple[str, ...] = ()

    def policy_for(self, plugin: Plugin) -> SandboxPolicy:
        """The policy of a plugin's calls.

        Raises:
            PluginSecurityError: it asks for more than it was granted.
        """
        return policy_for(plugin, self.grants)


def settings_from(
    registry: PluginRegistry,
    sandbox: Level | str | None = None,
    grants: Mapping[str, Grant] | None = None,
    *,
    ledger: Ledger | None = None,
    usual: Level = DEFAULT_LEVEL,
) -> SandboxSettings:
    """What the user's own file, the project's, and the options of one command or program say.

    Either file may ask for more than `usual`; only an option lowers it, and the ledger says so.
    Where grants differ the option counts, then the user's own file, then the project's.

    Args:
        registry: knows the project and the names of the plugins.
        sandbox: the level that was asked for by name, if one was.
        grants: by the plugins' names.
        ledger: where calls are to be noted; a new one if None.
        usual: what is required where nobody says anything.

    Raises:
        ConfigurationError: an unknown level, or a grant for a plugin that is not there.
    """
    project = registry.project
    own = read_own()
    usual = max(usual, project.sandbox.require, own.require)
    named = Level.parse(sandbox, "--sandbox") if isinstance(sandbox, str) else sandbox
    ledger = ledger or Ledger()
    if named is not None and named < usual:
        ledger.lowered = named
    known = registry.plugin_names
    _check_names(grants or {}, known, "--grant")
    _check_names(project.sandbox.plugins, known, str(project.path))
    return SandboxSettings(
        usual if named is None else named,
        Grants(
            plugins=grants or {},
            own=own.plugins,
            project=project.sandbox.plugins,
            project_file=project.path or Path.cwd() / FILE_NAME,
        ),
        ledger,
        usual,
    )


def _check_names(grants: Mapping[str, Grant], known: tuple[str, ...], where: str) -> None:
    """The user's own file may know plugins of other projects; all others must be there."""
    for name in grants:
        if name not in known:
            raise ConfigurationError(
                f"a grant for the plugin '{name}', which is not there",
                where=where,
                hint=nearest(name, known),
            )
