"""`brainsmith plugins`, `search` and `info`: what is there, and what of it fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from brainsmith.cli import options as shared
from brainsmith.cli.outcome import Outcome
from brainsmith.plugins.kinds import SINGULAR

if TYPE_CHECKING:
    from rich.console import Console

    from brainsmith.compiler.offers import Offers
    from brainsmith.errors import PluginSecurityError
    from brainsmith.plugins import BrokenPlugin, Found, Plugin, PluginRegistry
    from brainsmith.plugins.requirements import Finding, Problem
    from brainsmith.sandbox.policy import SandboxPolicy


def plugins(
    broken: Annotated[
        bool, typer.Option("--broken", help="Those that cannot be used, and why (exit code 5).")
    ] = False,
    json: shared.Json = False,
    debug: shared.Debug = False,
) -> Outcome:
    """List the plugins that are there."""
    from brainsmith.errors import PluginError
    from brainsmith.plugins import PluginRegistry

    registry = PluginRegistry()
    wrong = registry.broken
    if broken:
        value = {"success": not wrong, "broken": [_broken(one) for one in wrong]}
        code = PluginError.exit_code if wrong else 0
        return Outcome(value, lambda console: _show_broken(wrong, console), code)
    groups = {
        "default": registry.plugins,
        "version": registry.other_versions,
        "copy": registry.copies,
    }
    found = [(plugin, status) for status, group in groups.items() for plugin in group]
    value = {
        "success": True,
        "plugins": [{**_summary(plugin), "status": status} for plugin, status in found],
        "broken": [_broken(one) for one in wrong],
        "note": registry.note or None,
    }
    return Outcome(value, lambda console: _show_plugins(found, len(wrong), registry.note, console))


def search(
    query: Annotated[
        str, typer.Argument(help="Words that must be there; all components without any.")
    ] = "",
    kind: Annotated[
        str | None, typer.Option(help="operation, kernel, transform, target or strategy.")
    ] = None,
    operation: Annotated[str | None, typer.Option(help="What computes this operation.")] = None,
    datatype: Annotated[str | None, typer.Option(help="What supports it, such as INT4.")] = None,
    backend: Annotated[str | None, typer.Option(help="Kernels with it: rtl, hls, cuda.")] = None,
    target: Annotated[str | None, typer.Option(help="What supports this target.")] = None,
    shape: Annotated[
        str | None, typer.Option(metavar="K=64,M=10", help="Kernels that take these sizes.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(help="What has the tag. Repeatable.")] = None,
    author: Annotated[str | None, typer.Option(help="What this author wrote.")] = None,
    license: Annotated[str | None, typer.Option(help="What is under this licence.")] = None,
    compatible_with: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Such as 2.1 or finn==0.10.")
    ] = None,
    certification: Annotated[
        str | None, typer.Option(help="At least bronze, silver or gold.")
    ] = None,
    min_downloads: Annotated[int | None, typer.Option(help="At least so many downloads.")] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Kernels that run nodes of this model.")
    ] = None,
    sort: Annotated[str, typer.Option(help="relevance or downloads.")] = "relevance",
    limit: Annotated[int, typer.Option(min=1, help="Show at most so many.")] = 50,
    sandbox: shared.Sandbox = None,
    grant: shared.GrantTexts = None,
    json: shared.Json = False,
    debug: shared.Debug = False,
) -> Outcome:
    """Find components by words, by facts, or by a model."""
    if model is None and (sandbox or grant):
        raise typer.BadParameter(
            "no code of a plugin runs without --model", param_hint="--sandbox / --grant"
        )

    from brainsmith.plugins import PluginRegistry

    filters = {
        "kind": kind,
        "operation": operation,
        "datatype": datatype,
        "backend": backend,
        "target": target,
        "shape": shape,
        "tags": tag,
        "author": author,
        "license": license,
        "compatible_with": compatible_with,
        "certification": certification,
        "min_downloads": min_downloads,
    }
    registry = PluginRegistry()
    found = registry.search(query, filters, sort)
    if model is None:
        value = {
            "success": True,
            "total": len(found),
            "results": [_result(one) for one in found[:limit]],
        }
        return Outcome(value, lambda console: _show_found(found, limit, console))

    from brainsmith.cli.progress import watch
    from brainsmith.compiler.offers import offers_for
    from brainsmith.plugins.grants import parse_grants

    grants = parse_grants(grant or ())
    with watch() as progress:
        offers = offers_for(
            model,
            registry,
            target=target or "ecp5-85k",
            sandbox=sandbox,
            grants=grants,
            progress=progress,
        )
    return _offered(model, offers, found, limit)


def info(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A plugin, or NAME==VERSION.")],
    json: shared.Json = False,
    debug: shared.Debug = False,
) -> Outcome:
    """Show a plugin: what is in it and what it lacks."""
    from brainsmith.plugins import PluginRegistry
    from brainsmith.plugins.requirements import compatibility, missing

    registry = PluginRegistry()
    plugin = registry.plugin(name)
    manifest = plugin.manifest
    problems = missing(plugin.dependencies, plugins={p.name: p.version for p in registry.plugins})
    findings = compatibility(manifest.compatibility)
    policy, refusal = _allowed(plugin, registry)
    value = {
        "success": True,
        **_summary(plugin),
        "versions": sorted(
            p.version
            for p in (*registry.plugins, *registry.other_versions)
            if p.name == plugin.name
        ),
        "manifest": manifest.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "missing": [{"requirement": p.requirement, "what": p.what} for p in problems],
        "compatibility": {
            f.subject: {"wanted": f.wanted, "version": f.version, "verdict": f.verdict}
            for f in findings
        },
        "sandbox": {
            "policy": None if policy is None else asdict(policy),
            "refused": None if refusal is None else {"what": refusal.what, "hint": refusal.hint},
        },
    }

    def show(console: Console) -> None:
        _show_info(plugin, problems, findings, console)
        _show_allowed(policy, refusal, console)

    return Outcome(value, show)


def _allowed(
    plugin: Plugin, registry: PluginRegistry
) -> tuple[SandboxPolicy | None, PluginSecurityError | None]:
    """What a plugin's calls may use with what the files grant; neither for the built-in one."""
    from brainsmith.errors import PluginSecurityError
    from brainsmith.plugins.sandboxing import settings_from

    if plugin.origin == "built-in":
        return None, None
    try:
        return settings_from(registry).policy_for(plugin), None
    except PluginSecurityError as error:
        return None, error


def _summary(plugin: Plugin) -> dict[str, Any]:
    components: dict[str, list[str]] = {}
    for component in plugin.components:
        components.setdefault(component.kind, []).append(component.name)
    return {
        "name": plugin.name,
        "version": plugin.version,
        "author": plugin.author,
        "license": plugin.license,
        "description": plugin.description,
        "tags": list(plugin.tags),
        "origin": plugin.origin,
        "path": str(plugin.path),
        "components": components,
    }


def _broken(one: BrokenPlugin) -> dict[str, Any]:
    error = {"what": one.error.what, "where": one.error.where, "hint": one.error.hint}
    return {"name": one.name, "path": str(one.path), "origin": one.origin, "error": error}


def _result(one: Found) -> dict[str, Any]:
    record = one.component.record
    facts = ("operation", "stage", "backends", "datatypes", "devices", "compatible_kernels")
    return {
        "name": one.name,
        "full_name": one.full_name,
        "kind": one.kind,
        "description": one.description,
        "version": record.get("version") or one.plugin.version,
        "author": one.plugin.author,
        "license": one.plugin.license,
        "tags": list(dict.fromkeys((*record.get("tags", ()), *one.plugin.tags))),
        **{fact: record[fact] for fact in facts if fact in record},
        "score": round(one.score, 6),
        "downloads": one.downloads,
        "certification": one.certification,
    }


def _offered(model: Path, offers: Offers, found: Sequence[Found], limit: int) -> Outcome:
    """The components that a search found and that run nodes of a model."""
    by_name = {one.full_name: one for one in found if one.kind == "kernels"}
    fitting = [offer for offer in offers.fitting if offer.kernel.full_name in by_name]
    unusable = [one for one in offers.unusable if one.kernel.full_name in by_name]
    value = {
        "success": True,
        "model": model.name,
        "total": len(fitting),
        "results": [
            {
                **_result(by_name[offer.kernel.full_name]),
                "operation": offer.operation,
                "nodes": list(offer.nodes),
                "takes_over": dict(offer.takes_over),
            }
            for offer in fitting[:limit]
        ],
        "unusable": [
            {"full_name": one.kernel.full_name, "what": one.error.what, "hint": one.error.hint}
            for one in unusable
        ],
    }

    def show(console: Console) -> None:
        table = _table("kernel", "operation", "runs", "takes over", "from")
        for offer in fitting[:limit]:
            others = sorted({other or "the host" for other in offer.takes_over.values()})
            table.add_row(
                offer.kernel.full_name,
                offer.operation,
                f"{len(offer.nodes)} of {offers.nodes} nodes",
                str(len(offer.takes_over)),
                ", ".join(others),
            )
        console.print(table)
        _more(len(fitting), limit, console)
        for one in unusable:
            console.print(f"not tried: {one.kernel.full_name}: {one.error.what}", markup=False)

    return Outcome(value, show)


def _table(*columns: str) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def _show_plugins(
    found: Sequence[tuple[Plugin, str]], broken: int, note: str, console: Console
) -> None:
    from rich.text import Text

    table = _table("plugin", "version", "from", "components", "description")
    remarks = {"default": "", "version": " (another version)", "copy": " (a copy, not used)"}
    for plugin, status in found:
        counts = _summary(plugin)["components"]
        table.add_row(
            Text(plugin.name, "bold"),
            plugin.version + remarks[status],
            plugin.origin,
            ", ".join(_counted(len(names), kind) for kind, names in counts.items()),
            Text(plugin.description),
        )
    console.print(table)
    if broken:
        console.print(f"{broken} cannot be used: `brainsmith plugins --broken` says why")
    if note:
        console.print(f"note: {note}", markup=False)


def _counted(number: int, kind: str) -> str:
    return f"{number} {SINGULAR[kind] if number == 1 else kind}"


def _show_broken(wrong: Sequence[BrokenPlugin], console: Console) -> None:
    for one in wrong:
        console.print(f"{one.name or one.path}: {one.error.what}", markup=False, soft_wrap=True)
        console.print(f"  where: {one.error.where}", markup=False, soft_wrap=True)
        if one.error.hint:
            console.print(f"  hint: {one.error.hint}", markup=False, soft_wrap=True)
    console.print(f"{len(wrong)} cannot be used" if wrong else "every plugin can be used")


def _show_found(found: Sequence[Found], limit: int, console: Console) -> None:
    from rich.text import Text

    if not found:
        console.print("nothing was found")
        return
    table = _table("component", "kind", "operation", "description")
    for one in found[:limit]:
        works_with = one.component.record.get("compatible_kernels", ())
        more = f"\nworks well with {', '.join(works_with)}" if works_with else ""
        table.add_row(
            Text(one.full_name, "bold"),
            one.kind,
            one.component.record.get("operation", ""),
            Text(one.description + more),
        )
    console.print(table)
    _more(len(found), limit, console)


def _more(total: int, limit: int, console: Console) -> None:
    if total > limit:
        console.print(f"{total - limit} more: --limit shows them, a filter narrows the search")


def _show_allowed(
    policy: SandboxPolicy | None, refusal: PluginSecurityError | None, console: Console
) -> None:
    from brainsmith.plugins.amounts import size_text

    if policy is not None:
        limits = (
            f"{size_text(policy.memory)} of memory, {policy.cpu_time:g} s of processor time, "
            f"{policy.wall_time:g} s, answers of {size_text(policy.output_size)}"
        )
        _say("a call has", limits, console)
        _say("it reads", ", ".join(map(str, policy.readable_paths)), console)
        _say("it starts", ", ".join(policy.tools), console)
    if refusal is not None:
        _say("refused", refusal.what, console)
        _say("", refusal.hint, console)


def _say(label: str, text: object, console: Console) -> None:
    if text:
        console.print(f"{label:14}{text}", markup=False, soft_wrap=True)


def _show_info(
    plugin: Plugin, problems: Sequence[Problem], findings: Sequence[Finding], console: Console
) -> None:
    def say(label: str, text: object) -> None:
        _say(label, text, console)

    say("plugin", f"{plugin.name} {plugin.version}")
    say("description", plugin.description)
    say("author", plugin.author)
    say("licence", plugin.license)
    say("tags", ", ".join(plugin.tags))
    say("from", f"{plugin.origin}: {plugin.path}")
    for kind, names in _summary(plugin)["components"].items():
        say(kind, ", ".join(names))
    for finding in findings:
        say("for", f"{finding.subject}{finding.wanted}: {finding.verdict}")
    for entry in plugin.manifest.funding:
        say("support it at", entry.url)
    say("needs", ", ".join(plugin.dependencies))
    for problem in problems:
        say("missing", problem.what)
