"""The plugin as its users will have it: its manifest, and every component loaded in the sandbox."""

from __future__ import annotations

from pathlib import Path

from brainsmith.errors import BrainsmithError, PluginError
from brainsmith.pdk.develop.verdict import Check, Finding
from brainsmith.plugins import Component, Plugin, PluginRegistry
from brainsmith.plugins.checks import check_plugin


def check_loading(folder: Path) -> Check:
    """Reads the manifest, and loads every class in a fresh worker; nothing is imported here."""
    flaws = check_plugin(folder)
    findings = [
        Finding(flaw.what, flaw.where or "", flaw.hint or "")
        for flaw in flaws
        if flaw.severity == "error"
    ]
    code = PluginError.exit_code
    loaded: list[str] = []
    if not findings:
        try:
            for component in _plugin(folder).components:
                _load(component)
                loaded.append(component.name)
        except BrainsmithError as error:
            findings.append(Finding(error.what, error.where or "", error.hint or ""))
            code = error.exit_code
    if findings:
        return Check("load", "failed", "the plugin cannot be loaded", tuple(findings), code)
    return Check("load", "passed", f"loaded: {', '.join(loaded) or 'nothing'}")


def _load(component: Component) -> None:
    """What a compile does first with a component."""
    if component.is_data:
        assert component.data is not None
    else:
        assert component.description is not None


def _plugin(folder: Path) -> Plugin:
    found = PluginRegistry([folder], distributions=False, cached=False).plugin_at(folder)
    if found is None:
        raise PluginError("the plugin is not found in its own folder", where=str(folder))
    return found
