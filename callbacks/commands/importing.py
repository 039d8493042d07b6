"""`spendscope import`: files, folders and databases, through the server that runs or without it."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from callbacks.commands.litellm_sync import import_from
from callbacks.commands.remote_store import open_store
from data.engines.protocol import EventSink
from data.errors import Refused, SettingsError, SourceError
from data.ingest.import_log import record
from data.ingest.importing import ingest_inputs, ingest_paths
from data.postgres import is_address
from data.settings import Settings
from data.sources import Input, Options, mapping
from data.sources.places import Found, found_here
from data.sources.report import Report
from data.state.store import State


def import_usage(arguments: argparse.Namespace, settings: Settings) -> int:
    """Import what was named, print the report; 2 if something of it was rejected, else 0."""
    options = Options(
        user=arguments.user, project=arguments.project, start=instant("--start", arguments.start),
        end=instant("--end", arguments.end), columns=mapping.parse(arguments.map),
    )  # fmt: skip
    chosen = _chosen(arguments)
    store, report = open_store(settings), Report()
    try:
        if chosen:
            ingest_inputs(chosen, store, options, dry_run=arguments.dry_run, progress=_Progress(),
                          report=report)  # fmt: skip
        else:
            _import(arguments, settings, store, options, report)
    finally:
        store.close()
        if report.read and not arguments.dry_run:
            _log(settings, arguments.paths or ["the logs on this machine"], report)
    print(json.dumps(report.as_dict()) if arguments.json else _summary(report, arguments.dry_run))
    return 2 if report.rejected else 0


def _chosen(arguments: argparse.Namespace) -> list[Input]:
    """The logs found on this machine that somebody says yes to; none where paths are named."""
    if arguments.here == bool(arguments.paths):
        raise Refused("paths", "name files or folders, or --here: one of the two")
    if not arguments.here:
        return []
    found = found_here()
    if not found:
        raise SourceError("no coding agent has kept a log on this machine, where we look")
    print("\n".join(map(found_line, found)), file=sys.stderr)
    if not (arguments.yes or sys.stdin.isatty()):
        raise Refused("yes", "nothing is imported: say yes at a terminal, or --yes for all of it")
    chosen = [each for each in found if arguments.yes or _asked(each)]
    if not chosen:
        raise Refused("yes", "nothing was chosen, and nothing imported")
    return [one for each in chosen for one in each.inputs]


def found_line(found: Found) -> str:
    """What was found of a format, as a line."""
    home, size = str(Path.home()), found.size / 1_000_000
    where = ", ".join(str(folder).replace(home, "~", 1) for folder in found.folders)
    files = "1 file" if len(found.inputs) == 1 else f"{len(found.inputs):,} files"
    return f"  {found.format.label}: {files}, {size:,.1f} MB in {where}"


def _asked(found: Found) -> bool:
    return input(f"Import {found.format.label}? [y/N] ").strip().lower() in ("y", "yes")


def _log(settings: Settings, paths: list[str], report: Report) -> None:
    what = ", ".join("a database" if is_address(path) else path for path in paths)
    state = State(settings.state_url)
    record(state, settings.now(), "command", getpass.getuser(), what, report)
    state.close()


def _import(
    arguments: argparse.Namespace, settings: Settings, store: EventSink, options: Options,
    report: Report,
) -> None:  # fmt: skip
    """Files and folders first, then databases, in one report; what came until it ended is in it."""
    progress = _Progress()
    if paths := [Path(path) for path in arguments.paths if not is_address(path)]:
        ingest_paths(paths, store, options, name=arguments.format, dry_run=arguments.dry_run,
                     progress=progress, report=report)  # fmt: skip
    for url in filter(is_address, arguments.paths):
        report.add(
            import_from(url, settings, store, options, dry_run=arguments.dry_run, progress=progress)
        )


class _Progress:
    """Says how far an import is, where that has changed."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self, report: Report) -> None:
        if report.read != self._last:
            self._last = report.read
            print(f"  {report.read:,} read, {report.accepted:,} accepted …", file=sys.stderr)


def _summary(report: Report, dry_run: bool) -> str:
    """The report as a person reads it."""
    summary = report.as_dict()
    head = "Would import" if dry_run else "Imported"
    lines = [
        f"{head} {summary['accepted']:,} of {summary['read']:,} records"
        f" from {summary['files']} file(s), format {summary['format']}",
        f"  duplicates {summary['duplicates']:,} · rejected {summary['rejected']:,}"
        f" · unpriced {summary['unpriced']:,}",
        f"  cost ${summary['cost']:,.6f} · tokens {summary['tokens']:,}"
        f" · {summary['from'] or '–'} → {summary['to'] or '–'}",
    ]
    lines += [f"  note, {note['times']:,} ×: {note['what']}" for note in summary["notes"]]
    return "\n".join(lines + [f"  {r['where']}: {r['reason']}" for r in summary["rejections"]])


def instant(name: str, text: str | None) -> datetime | None:
    """The instant of an option, UTC where it has no offset; raises `SettingsError`."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{name} is no ISO 8601 instant: {text[:40]!r}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
