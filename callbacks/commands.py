"""The command line: `spendscope serve | import | sample | token | account | check`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from callbacks import accounts, checks
from callbacks.running import Running, reach
from data.engines import EventStore
from data.errors import SettingsError, SpendscopeError
from data.events import micros
from data.ingest import Report, ingest_paths
from data.sample import SOURCE, sample
from data.settings import Settings
from data.sources import Options
from data.state import State

BATCH: Final = 20_000
Serve = Callable[[Settings, bool], None]


def main(serve: Serve, arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. Every failure is one sentence."""
    told = _parser().parse_args(arguments)
    try:
        return _run(told, Settings.read(), serve)
    except SpendscopeError as error:
        print(f"spendscope: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("spendscope: stopped; what was reported as stored is stored", file=sys.stderr)
        return 130


def _run(told: argparse.Namespace, settings: Settings, serve: Serve) -> int:
    if told.command in (None, "serve"):
        serve(settings, getattr(told, "with_sample", False))
        return 0
    return int(COMMANDS[told.command](told, settings))


def _import(told: argparse.Namespace, settings: Settings) -> int:
    options = Options(user=told.user, project=told.project, start=_instant("--start", told.start))
    store = reach(settings)
    try:
        report = ingest_paths(
            [Path(path) for path in told.paths], store, options,  # type: ignore[arg-type]
            name=told.format, dry_run=told.dry_run, progress=_progress,
        )  # fmt: skip
    finally:
        store.close()
    print(json.dumps(report.as_dict()) if told.json else _said(report, told.dry_run))
    return 2 if report.rejected else 0


def _progress(report: Report) -> None:
    print(f"  {report.read:,} read, {report.accepted:,} accepted …", file=sys.stderr)


def _said(report: Report, dry_run: bool) -> str:
    """The report as a person reads it."""
    told = report.as_dict()
    head = "Would import" if dry_run else "Imported"
    lines = [
        f"{head} {told['accepted']:,} of {told['read']:,} records"
        f" from {told['files']} file(s), format {told['format']}",
        f"  duplicates {told['duplicates']:,} · rejected {told['rejected']:,}"
        f" · unpriced {told['unpriced']:,}",
        f"  cost ${told['cost']:,.6f} · tokens {told['tokens']:,}"
        f" · {told['from'] or '–'} → {told['to'] or '–'}",
    ]
    return "\n".join(lines + [f"  {r['where']}: {r['reason']}" for r in told["rejections"]])


def _instant(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{name} is no ISO 8601 instant: {text[:40]!r}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _sample(told: argparse.Namespace, settings: Settings) -> int:
    store = reach(settings)
    try:
        if told.remove:
            print(f"Removed {store.remove(SOURCE):,} sample events.")
            return 0
        until = _instant("--until", told.until)
        end = settings.now() if until is None else micros(until)
        load(store, told.events, told.days, told.seed, end)
    finally:
        store.close()
    return 0


def load(store: EventStore | Running, events: int, days: int, seed: int, until: int) -> None:
    """Store the sample organisation, saying how far it is."""
    stream, stored, made = sample(events, days, seed, until=until), 0, 0
    while batch := list(islice(stream, BATCH)):
        stored += len(store.write(batch))
        made += len(batch)
        print(f"Sample organisation: {made:,} of {events:,} events …", file=sys.stderr)
    print(f"The sample organisation is loaded: {stored:,} new events over {days} days.")


def _token(told: argparse.Namespace, settings: Settings) -> int:
    print(
        accounts.token(
            settings, told.sub, told.email, told.name, admin=told.admin,
            applications=told.applications, applications_admin=told.applications_admin,
            ttl=told.ttl,
        )
    )  # fmt: skip
    return 0


def _account(told: argparse.Namespace, settings: Settings) -> int:
    state = State(settings.state_url)
    print(
        accounts.add(
            state, told.id, told.name, told.email, admin=told.admin,
            applications=told.applications, applications_admin=told.applications_admin,
            password_stdin=told.password_stdin,
        )
    )  # fmt: skip
    state.close()
    return 0


def _check(_: argparse.Namespace, settings: Settings) -> int:
    store = reach(settings)
    if isinstance(store, Running):
        raise SettingsError("the server is running and has the store: stop it to check the store")
    try:
        results = checks.run_all(store)
    finally:
        store.close()
    for name, problem in results:
        print(f"{'FAILED' if problem else 'ok':>6}  {name}{': ' + problem if problem else ''}")
    return 1 if any(problem for _, problem in results) else 0


COMMANDS: Final[dict[str, Callable[[argparse.Namespace, Settings], int]]] = {
    "import": _import,
    "sample": _sample,
    "token": _token,
    "account": _account,
    "check": _check,
}


def _parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser("spendscope", description=__doc__)
    add = top.add_subparsers(dest="command", metavar="COMMAND").add_parser
    serve = add("serve", help="serve the dashboard (default)")
    serve.add_argument("--with-sample", action="store_true", help="load sample data if empty")
    _import_options(add("import", help="import usage data, print a report"))
    _sample_options(add("sample", help="load the sample organisation"))
    _claims(token := add("token", help="print a signed JWT"))
    token.add_argument("--sub", required=True, metavar="ID", help="the user's id")
    token.add_argument("--ttl", type=int, default=3_600, metavar="S", help="seconds it is good for")
    account = add("account", help="manage local accounts")
    account.add_argument("action", choices=["add"])
    account.add_argument("id", help="the user's id, as in the usage data")
    _claims(account)
    account.add_argument(
        "--password-stdin", action="store_true", help="read it from standard input"
    )
    add("check", help="check the stored data against itself")
    return top


def _import_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files or folders")
    parser.add_argument("--format", default="auto", help="a format's name, or auto")
    parser.add_argument("--user", help="whose it is, where the source is silent")
    parser.add_argument("--project", help="for which project, where the source is silent")
    parser.add_argument("--start", metavar="ISO", help="first instant of a trace of offsets")
    parser.add_argument("--dry-run", action="store_true", help="report, and store nothing")
    parser.add_argument("--json", action="store_true", help="the report as JSON")


def _sample_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--events", type=int, default=100_000, metavar="N")
    parser.add_argument("--days", type=int, default=90, metavar="D")
    parser.add_argument("--seed", type=int, default=7, metavar="S")
    parser.add_argument("--until", metavar="ISO", help="the end; now by default")
    parser.add_argument("--remove", action="store_true", help="take the sample out again")


def _claims(parser: Any) -> None:
    parser.add_argument("--email", metavar="E")
    parser.add_argument("--name", metavar="N")
    parser.add_argument("--admin", action="store_true", help="sees everything")
    parser.add_argument("--applications", metavar="A,B", help="projects they use")
    parser.add_argument("--applications-admin", metavar="C", help="projects they administer")
