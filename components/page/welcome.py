"""What stands in the place of the sections while a reader has nothing to see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dash import html

from components import ids
from components.wiring import Link

CONNECT: Final = "/settings/data"
MOST_NAMED: Final = 3


def to_connect() -> html.Div:
    """For who sets up the platform: the way to the first events."""
    return _card(
        "Nothing is recorded yet",
        html.P("Connect what you have: a gateway, coding agents, your programs, a vendor's bill or"
               " a file. The numbers are here as soon as the first event has come."),
        Link("Connect a source", href=CONNECT, className="toggle welcome-link"),
    )  # fmt: skip


def to_ask(administrators: Sequence[str]) -> html.Div:
    """For everybody else: whom to ask; `administrators` are names."""
    named = ", ".join(administrators[:MOST_NAMED]) or "an administrator of this platform"
    return _card(
        "Nothing of yours is recorded yet",
        html.P("You see your own use of language models here, and that of projects you"
               " administer, once it is recorded under your name."),
        html.P(f"If you expect some, ask {named} to connect what you use, and tell them your id,"
               " which is in your profile."),
        Link("Open your profile", href="/settings/profile", className="quiet"),
    )  # fmt: skip


def _card(title: str, *body: html.P | Link) -> html.Div:
    return html.Div(
        [html.Span(className="mark welcome-mark"), html.H2(title), *body],
        className="card-section welcome", **ids.testid("welcome"),
    )  # fmt: skip
