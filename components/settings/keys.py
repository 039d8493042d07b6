"""Settings → Ingest: the keys of those who send events, and how to point an exporter here."""

from __future__ import annotations

from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import ids
from components.settings.cards import Columns, Row, button, card, pair, table
from data.ingest.keys import Key
from data.query.units import DASH, moment

KEYS: Final[Columns] = (
    ("name", "Name"), ("shown", "Begins with"), ("source", "Source"), ("project", "Project"),
    ("created", "Created"), ("created_by", "By"), ("used", "Last used"), ("state", "State"),
)  # fmt: skip
FIELDS: Final = {
    "name": ("Name", "who sends with it"),
    "source": ("Source", "what all it sends is from"),
    "project": ("Project", "any"),
}
NO_KEYS: Final = "There is no key yet: make one, and give it to one sender."
ONCE: Final = "This is the only time the key is shown. Copy it now."


def page() -> html.Div:
    """The page, empty: callbacks fill it."""
    return html.Div(
        [
            dcc.Store(id=ids.house("keys-changed")),
            dcc.ConfirmDialog(id=ids.house("revoke-confirm")),
            card("keys", "Ingest keys",
                 "One a sender. A key stamps its source and, if it has one, its project.",
                 [button("key-revoke", "Revoke", disabled=True)],
                 [*table("keys", KEYS), _form(), _shown()]),
            card("otel", "Send OpenTelemetry here",
                 "Any exporter of OTLP over HTTP, with one of the keys above.", [],
                 [html.Pre(id=ids.house("otel-lines"), className="otel-lines",
                           **ids.testid("otel-lines"))], "ready"),
        ],
        className="budgets-page house-page", **ids.testid("ingest"),
    )  # fmt: skip


def _form() -> html.Div:
    fields = [
        html.Div([
            html.Label(label, htmlFor=ids.house(f"key-{name}")),
            dbc.Input(id=ids.house(f"key-{name}"), value="", placeholder=hint, autocomplete="off"),
        ])
        for name, (label, hint) in FIELDS.items()
    ]  # fmt: skip
    make = html.Button("Make a key", id=ids.house("key-make"), className="toggle",
                       **ids.testid("key-make"), **{"aria-pressed": "true"})  # fmt: skip
    problem = html.Div(id=ids.house("key-problem"), className="problem", role="alert",
                       **ids.testid("key-problem"))  # fmt: skip
    return html.Div([html.Div([*fields, make], className="key-form"), problem])


def _shown() -> html.Div:
    secret = html.Code(id=ids.house("key-secret"), **ids.testid("key-secret"))
    copy = dcc.Clipboard(target_id=ids.house("key-secret"), title="Copy the key",
                         className="quiet")  # fmt: skip
    return html.Div([html.P(ONCE), secret, copy], id=ids.house("key-shown"), hidden=True,
                    className="key-shown", role="status")  # fmt: skip


def row(one: Key, zone: str) -> Row:
    """A key as its row reads."""
    words: dict[str, Any] = {
        "name": one.name, "shown": f"{one.shown}…", "source": one.source or "any",
        "project": one.project or "any", "created_by": one.created_by,
        "state": "good" if one.revoked is None else f"revoked {moment(one.revoked, zone)}",
    }  # fmt: skip
    return {
        "id": one.id, "good": one.revoked is None,
        **{k: v for name, word in words.items() for k, v in pair(name, word, word).items()},
        **pair("created", one.created, moment(one.created, zone)),
        **pair("used", one.used, DASH if one.used is None else moment(one.used, zone)),
    }  # fmt: skip


def otel(address: str) -> str:
    """The three lines an exporter needs."""
    return (
        f"OTEL_EXPORTER_OTLP_ENDPOINT={address}\n"
        "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n"
        'OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20YOUR_KEY"'
    )
