"""Each setting, command, option and route has its line in docs/operators.md, and no other line."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Final

import pytest

from callbacks.commands.main import parser
from data.identity import claim_settings
from data.identity.github import VARIABLES as GITHUB
from data.identity.provider import VARIABLES
from data.settings import PREFIX, Settings
from tests.serving import Served, serving
from tests.test_docs import section

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = "/settings/"  # Dash answers what is below it, as it does these:
NOT_OURS: Final = ("/_", "/assets/", "/<path:path>", "/api/<path:_>", "/favicon.ico", "/static/")


def rows(heading: str) -> list[tuple[set[str], str]]:
    """What the first cell of each row under a heading names in backticks, and the second cell."""
    lines = section("docs/operators.md", heading).splitlines()
    cells = [line.strip("| ").split(" | ") for line in lines if line.startswith("| `")]
    return [(set(re.findall(r"`([^`]+)`", first)), second) for first, second, *_ in cells]


def names(heading: str) -> set[str]:
    return {name for found, _ in rows(heading) for name in found}


def commands() -> dict[str, argparse.ArgumentParser]:
    for action in parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    raise AssertionError("the command line has no commands")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """With every way in, so that every route is there."""
    provider = {"OIDC_ISSUER": "https://idp.example.org", "OIDC_CLIENT_ID": "spendscope"}
    github = {"GITHUB_CLIENT_ID": "x", "GITHUB_CLIENT_SECRET": "y", "GITHUB_ORGANIZATIONS": "acme"}
    ways = {"SIGN_IN": "local,oidc,github", "PUBLIC_URL": "http://localhost"}
    with serving(tmp_path_factory.mktemp("docs"), **provider, **github, **ways) as one:  # type: ignore[arg-type]
        yield one


def test_every_setting_has_its_line_and_every_line_its_setting() -> None:
    plain = {one.name for one in fields(Settings)}
    plain -= {"now_frozen", "oidc", "github", "jwt_claims"}
    of_tokens = (f"JWT_{name}" for name in claim_settings.VARIABLES)
    read = {"NOW", *VARIABLES, *GITHUB, *of_tokens, *(name.upper() for name in plain)}
    assert names("Settings") == {f"{PREFIX}{name}" for name in read}


def test_no_variable_is_read_that_has_no_line() -> None:
    rooms = (path for room in ("callbacks", "data") for path in (ROOT / room).rglob("*.py"))
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "app.py", *rooms))
    mentioned = set(re.findall(rf"{PREFIX}[A-Z_]*[A-Z]", code))
    assert mentioned
    assert mentioned - {f"{PREFIX}OIDC", f"{PREFIX}GITHUB"} <= names("Settings")


def test_every_command_has_its_line_and_every_line_its_command() -> None:
    lines = {name for name in names("Commands") if name.startswith("spendscope ")}
    assert lines == {f"spendscope {name}" for name in commands()}


@pytest.mark.parametrize("command", commands())
def test_every_option_has_its_line_and_every_line_its_option(command: str) -> None:
    taken = {name for action in commands()[command]._actions for name in action.option_strings}
    lines = {name for name in names(f"spendscope {command}") if name.startswith("-")}
    assert lines == taken - {"-h", "--help"}


def test_every_route_has_its_line_and_every_line_its_route(served: Served) -> None:
    lines: dict[str, set[str]] = {}
    for found, methods in rows("HTTP routes"):
        for route in (one for one in found if not one.startswith(PAGE)):
            lines.setdefault(route, set()).update(methods.split(", "))
    assert lines == routes(served)


def routes(served: Served) -> dict[str, set[str]]:
    """The methods of each route that is ours; `<any(a, b):name>` is a route each."""
    found: dict[str, set[str]] = {}
    for rule in served.app.server.url_map.iter_rules():
        if not rule.rule.startswith(NOT_OURS) or rule.rule == "/":
            for route in each(rule.rule):
                found.setdefault(route, set()).update((rule.methods or set()) - {"HEAD", "OPTIONS"})
    return found


def each(rule: str) -> list[str]:
    several = re.search(r"<any\(([^)]*)\):\w+>", rule)
    if several is None:
        return [rule]
    return [rule.replace(several[0], one.strip()) for one in several[1].split(",")]
