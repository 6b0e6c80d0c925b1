"""What plugins did in a compile: from the ledger of their calls to the report and the log."""

from __future__ import annotations

from brainsmith.plugins.sandboxing import SandboxSettings
from brainsmith.report.records import PluginCallsRecord, SandboxRecord
from brainsmith.sandbox.record import Ledger


def sandbox_record(settings: SandboxSettings) -> SandboxRecord | None:
    """How plugins were confined; None where none took part and the level is the usual one."""
    ledger = settings.ledger
    names = {call.plugin for call in ledger.records} | {one.plugin for one in ledger.skipped}
    if not names and ledger.lowered is None:
        return None
    level = settings.required
    return SandboxRecord(
        level=level.name,
        meaning=level.title,
        required=settings.usual.name,
        lowered=ledger.lowered is not None,
        plugins=tuple(_of_plugin(name, ledger) for name in sorted(names)),
    )


def _of_plugin(name: str, ledger: Ledger) -> PluginCallsRecord:
    calls = [record for record in ledger.records if record.plugin == name]
    return PluginCallsRecord(
        plugin=name,
        calls=len(calls),
        seconds=sum(call.seconds for call in calls),
        cpu_seconds=sum(call.cpu_seconds for call in calls),
        peak_memory=max((call.peak_memory for call in calls), default=0),
        refused=tuple(dict.fromkeys(act for call in calls for act in call.violations)),
        skipped=tuple(f"{s.transform}: {s.reason}" for s in ledger.skipped if s.plugin == name),
    )
