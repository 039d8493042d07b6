"""The command line: what `spendscope --help` lists."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import islice
from typing import Any, Final

from callbacks.access import log
from callbacks.access.demo import sources
from callbacks.commands import accounts, backups, checks, copying, exchange, forgetting
from callbacks.commands.importing import import_usage, instant
from callbacks.commands.remote_store import RemoteStore, open_store
from callbacks.commands.sending import send_usage
from data import local_time
from data.access.scope import SYSTEM
from data.engines.protocol import EventSink, EventStore
from data.errors import SpendscopeError
from data.events.table import micros
from data.ingest.import_log import unread_columns
from data.sample.budgets import examples
from data.sample.organisation import SOURCE, sample
from data.settings import Settings
from data.state.store import State

BATCH: Final = 20_000
Serve = Callable[[Settings, bool], None]


def main(serve: Serve, arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. Every failure is one sentence."""
    options = parser().parse_args(arguments)
    try:
        settings = Settings.read()
        log.configure(settings.log_format, settings.log_level)
        return _run(options, settings, serve)
    except SpendscopeError as error:
        print(f"spendscope: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("spendscope: stopped; what was reported as stored is stored", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace, settings: Settings, serve: Serve) -> int:
    if options.command in (None, "serve"):
        serve(settings, getattr(options, "with_sample", False))
        return 0
    return int(COMMANDS[options.command](options, settings))


def _sample(options: argparse.Namespace, settings: Settings) -> int:
    store = open_store(settings)
    try:
        if options.remove:
            print(f"Removed {store.remove(SOURCE):,} sample events.")
            return 0
        until = instant("--until", options.until)
        end = settings.now() if until is None else micros(until)
        load(store, options.events, options.days, options.seed, end)
        if not isinstance(store, RemoteStore):
            _budgets(store, settings)
    finally:
        store.close()
    return 0


def _budgets(store: EventStore, settings: Settings) -> None:
    """Example budgets, where there is nothing but the sample to spend."""
    if sources(store) == {SOURCE}:
        state = State(settings.state_url)
        examples(state, store, settings.now())
        state.close()


def load(store: EventSink, events: int, days: int, seed: int, until: int) -> None:
    """Store the sample organisation, saying how far it is."""
    stream, stored, made = sample(events, days, seed, until=until), 0, 0
    while batch := list(islice(stream, BATCH)):
        stored += len(store.write(batch))
        made += len(batch)
        print(f"Sample organisation: {made:,} of {events:,} events …", file=sys.stderr)
    print(f"The sample organisation is loaded: {stored:,} new events over {days} days.")


def _token(options: argparse.Namespace, settings: Settings) -> int:
    print(
        accounts.token(
            settings, options.sub, options.email, options.name, admin=options.admin,
            auditor=options.auditor,
            applications=options.applications, applications_admin=options.applications_admin,
            ttl=options.ttl,
        )
    )  # fmt: skip
    return 0


def _account(options: argparse.Namespace, settings: Settings) -> int:
    fields = {
        "name": options.name, "email": options.email, "isAdmin": options.admin,
        "isAuditor": options.auditor,
        "applications": options.applications, "applications_admin": options.applications_admin,
    }  # fmt: skip
    described = {name: value for name, value in fields.items() if value is not None}
    given = accounts.Given(described, options.password_stdin, options.link)
    with closing(State(settings.state_url)) as state:
        for line in accounts.run(options.action, options.id, state, settings, given):
            print(line)
    return 0


def _exchange_rate(options: argparse.Namespace, settings: Settings) -> int:
    state = State(settings.state_url)
    day = options.start or local_time.instant(settings.now()).date().isoformat()
    try:
        for line in exchange.state(state, settings.now(), options.currency, options.dollars, day):
            print(line)
    finally:
        state.close()
    return 0


def _check(_: argparse.Namespace, settings: Settings) -> int:
    store = open_store(settings)
    try:
        results = store.check() if isinstance(store, RemoteStore) else list(checks.run_all(store))
    finally:
        store.close()
    for name, problem in results:
        print(f"{'FAILED' if problem else 'ok':>6}  {name}{': ' + problem if problem else ''}")
    with closing(State(settings.state_url)) as state:
        for note in unread_columns(state, SYSTEM):
            print(f"{'note':>6}  {note}")
    return 1 if any(problem for _, problem in results) else 0


COMMANDS: Final[dict[str, Callable[[argparse.Namespace, Settings], int]]] = {
    "import": import_usage,
    "send": send_usage,
    "sample": _sample,
    "token": _token,
    "account": _account,
    "exchange-rate": _exchange_rate,
    "forget": forgetting.command,
    "backup": backups.backup,
    "restore": backups.restore,
    "copy": copying.command,
    "check": _check,
}


# The words of the command line; what they do stands in `commands`.
ABOUT: Final = "A dashboard for LLM usage, cost and activity."


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    top = argparse.ArgumentParser("spendscope", description=ABOUT)
    add = top.add_subparsers(dest="command", metavar="COMMAND").add_parser
    serve = add("serve", help="serve the dashboard (default)")
    serve.add_argument("--with-sample", action="store_true", help="load sample data if empty")
    _import_options(add("import", help="import usage data, print a report"))
    _send_options(add("send", help="send what coding agents logged here to a server"))
    _sample_options(add("sample", help="load the sample organisation"))
    _claims(token := add("token", help="print a signed JWT"))
    token.add_argument("--sub", required=True, metavar="ID", help="the user's id")
    token.add_argument("--ttl", type=int, default=3_600, metavar="S", help="seconds it is good for")
    account = add("account", help="manage local accounts")
    _account_options(account)
    rate = add("exchange-rate", help="list exchange rates, or state one")
    rate.add_argument("currency", nargs="?", help="three letters: EUR")
    rate.add_argument("dollars", nargs="?", help="how many US dollars one of it is worth")
    rate.add_argument("--from", dest="start", metavar="DAY", help="the day it holds from; today")
    add("backup", help="copy all data into a new folder").add_argument("folder", metavar="DIR")
    restore = add("restore", help="have the data of a backup again")
    restore.add_argument("folder", metavar="DIR")
    restore.add_argument("--replace", action="store_true", help="in the place of what is there")
    _copy_options(add("copy", help="copy what one store holds into another"))
    forget = add("forget", help="take a person out of the data, or their name")
    forget.add_argument("person", metavar="PERSON", help="one of their ids")
    forget.add_argument("--remove", action="store_true", help="their events too")
    forget.add_argument("--dry-run", action="store_true", help="say what would change")
    add("check", help="check the stored data against itself")
    return top


def _copy_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source", metavar="SOURCE", help="the events or the state: duckdb:///…, sqlite:///…"
    )
    parser.add_argument("target", metavar="TARGET", help="where it shall be: postgresql://…")


def _account_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["list", *accounts.ACTIONS])
    parser.add_argument("id", nargs="?", help="the user's id, as in the usage data")
    _claims(parser, argparse.BooleanOptionalAction)
    parser.add_argument("--password-stdin", action="store_true", help="read it from standard input")
    parser.add_argument("--link", action="store_true", help="password: print a one-time link")


def _import_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="files, folders, or a LiteLLM database: postgresql://USER@HOST/DATABASE",
    )
    parser.add_argument(
        "--here", action="store_true", help="the logs of coding agents on this machine; asks first"
    )
    parser.add_argument("--yes", action="store_true", help="with --here: all that is found")
    parser.add_argument("--format", default="auto", help="a format's name, or auto")
    parser.add_argument("--user", help="whose it is, where the source is silent")
    parser.add_argument("--project", help="for which project, where the source is silent")
    parser.add_argument(
        "--start",
        metavar="ISO",
        help="first instant of a file without dates, or to read of a database",
    )
    parser.add_argument("--end", metavar="ISO", help="the end of what a file without dates sums up")
    parser.add_argument(
        "--map", action="append", default=[], metavar="FIELD=COLUMN,…",
        help="which column fills which field, where they have names of their own",
    )  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="report, and store nothing")
    parser.add_argument("--json", action="store_true", help="the report as JSON")


def _send_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", required=True, metavar="URL", help="the server")
    parser.add_argument("--key", metavar="KEY", help="an ingest key; else SPENDSCOPE_INGEST_KEY")
    parser.add_argument("--every", metavar="D", help="again and again, as 90s, 5m or 1h")
    parser.add_argument("--project", help="for which project, where the logs are silent")
    parser.add_argument("--state", metavar="FILE", help="where to note what was sent")


def _sample_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--events", type=int, default=100_000, metavar="N")
    parser.add_argument("--days", type=int, default=90, metavar="D")
    parser.add_argument("--seed", type=int, default=7, metavar="S")
    parser.add_argument("--until", metavar="ISO", help="the end; now by default")
    parser.add_argument("--remove", action="store_true", help="take the sample out again")


def _claims(parser: Any, switch: Any = "store_true") -> None:
    parser.add_argument("--email", metavar="E")
    parser.add_argument("--name", metavar="N")
    parser.add_argument("--admin", action=switch, help="sees everything")
    parser.add_argument("--auditor", action=switch, help="sees everything, changes nothing")
    parser.add_argument("--applications", metavar="A,B", help="projects they use")
    parser.add_argument("--applications-admin", metavar="C", help="projects they administer")
