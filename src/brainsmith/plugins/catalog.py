"""Plugins and components of an index as objects, each made when it is asked for, and once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainsmith.plugins.index import Index
from brainsmith.plugins.plugin import Component, Plugin

if TYPE_CHECKING:
    from brainsmith.plugins.sandboxing import SandboxSettings


class Catalog:
    """What one index knows; the code of its plugins runs as `sandbox` says."""

    def __init__(self, index: Index, sandbox: SandboxSettings | None = None) -> None:
        self.index = index
        self._sandbox = sandbox
        self._plugins: dict[int, Plugin] = {}

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows that answer a query. sqlite3.DatabaseError: the index is damaged."""
        return self.index.rows(sql, *values)

    def plugin(self, number: int) -> Plugin:
        """The plugin with this number."""
        if number not in self._plugins:
            self._make("id = ?", number)
        return self._plugins[number]

    def components(self, kind: str) -> list[Component]:
        """All components of a kind that names mean, in the registry's order."""
        of_kind = "FROM component WHERE kind = ? AND status = 'default'"
        self._make(f"id IN (SELECT plugin {of_kind})", kind)
        rows = self.rows(f"SELECT plugin, position {of_kind} ORDER BY id", kind)
        return [self.component(*row) for row in rows]

    def _make(self, which: str, *values: object) -> None:
        """Makes the plugins that a condition selects, with one query."""
        sql = f"SELECT id, record, manifest, origin, package FROM plugin WHERE {which}"
        for number, record, manifest, origin, package in self.rows(sql, *values):
            if number not in self._plugins:
                plugin = Plugin(
                    json.loads(record), Path(manifest), origin, package,
                    self._versions, self._sandbox,
                )  # fmt: skip
                # Two threads may make one each: the first to say so wins.
                self._plugins.setdefault(number, plugin)

    def _versions(self) -> dict[str, str]:
        return dict(self.rows("SELECT name, version FROM plugin WHERE status = 'default'"))

    def component(self, plugin: int, position: int) -> Component:
        """The component at a position in a plugin's manifest."""
        return self.plugin(plugin).components[position]

    def component_at(self, number: int) -> Component:
        """The component with this number."""
        ((plugin, position),) = self.rows(
            "SELECT plugin, position FROM component WHERE id = ?", number
        )
        return self.component(plugin, position)
