"""The words of the command line; what they do stands in `commands`."""

from __future__ import annotations

import argparse
from typing import Any, Final

ABOUT: Final = "A dashboard for LLM usage, cost and activity."


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    top = argparse.ArgumentParser("spendscope", description=ABOUT)
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
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="files, folders, or a LiteLLM database: postgresql://USER@HOST/DATABASE",
    )
    parser.add_argument("--format", default="auto", help="a format's name, or auto")
    parser.add_argument("--user", help="whose it is, where the source is silent")
    parser.add_argument("--project", help="for which project, where the source is silent")
    parser.add_argument(
        "--start",
        metavar="ISO",
        help="first instant of a trace of offsets, or to read of a database",
    )
    parser.add_argument(
        "--map", action="append", default=[], metavar="FIELD=COLUMN,…",
        help="which column fills which field, where they have names of their own",
    )  # fmt: skip
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
