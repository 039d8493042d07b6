"""Settings → Data → Connect: a card for each way in, and the sentence on what first came by it.
`assets/connect.js` opens them, makes keys, copies lines and waits."""

from __future__ import annotations

import re
from typing import Any, Final

from dash import html

from components import ids
from components.controls import Input
from components.settings.connections import ADDRESS, CONNECTIONS, KEY, Connection, Step
from components.settings.draw import plain
from data.events.money import NANO
from data.ingest.arrivals import Arrival
from data.query.units import COUNT, USD

HELP: Final = "Choose what you have. Each card says what to set, and waits for the first event."
ONCE: Final = "This is the only time the key is shown; it stands in the lines below. Copy them now."
DEMO: Final = (
    "This is a demo with sample data. The first account or real event ends it, and what was made"
    " in it, keys too, is gone. To keep what you set up, have whoever runs the server make an"
    " account first (spendscope account add NAME --admin), and sign in with it."
)
PLACES: Final = re.compile(f"({re.escape(ADDRESS)}|{re.escape(KEY)})")
SHOWN_KEY: Final = "KEY"


def connect(address: str, demo: bool) -> html.Section:
    """The card of all of them; `address` is this server's, and `demo` whether it is one still."""
    cards = html.Div([_card(one, address) for one in CONNECTIONS], className="connections")
    warning = [html.P(DEMO, className="notice connect-demo", **ids.testid("connect-demo"))]
    return plain("connect", "Connect", HELP, [*(warning if demo else []), cards])


def _card(one: Connection, address: str) -> html.Details:
    head = [html.Span(one.title, className="connect-name"),
            html.Span(one.kind, className="connect-kind")]  # fmt: skip
    facts = [html.Dt("Brings"), html.Dd(one.brings), html.Dt("Cannot say"), html.Dd(one.lacks)]
    body = [
        html.Dl(facts, className="connect-facts"),
        *([_key_form(one)] if one.sends else []),
        html.Ol([_step(each, address) for each in one.steps], className="connect-steps"),
        html.P(className="connect-heard", role="status", **ids.testid(f"connect-heard-{one.key}")),
    ]
    return html.Details(
        [html.Summary(head), html.Div(body, className="connect-body")],
        className="connection", **ids.testid(f"connect-{one.key}"),
        **{"data-connection": one.key, "data-title": one.title, "data-source": one.source},
    )  # fmt: skip


def _key_form(one: Connection) -> html.Div:
    """What a key is bound to, and the button that makes it."""
    user = "whose it is" if one.personal else "anybody"
    fields = [
        html.Label([html.Span(label), Input(name=name, placeholder=hint, autoComplete="off")])
        for name, label, hint in (("user", "User", user), ("project", "Project", "any"))
    ]
    button = html.Button(
        "Make a key", type="button", className="toggle connect-make",
        **ids.testid(f"connect-make-{one.key}"), **{"aria-pressed": "true"},
    )  # fmt: skip
    status = html.P(className="connect-said", role="status", **{"data-once": ONCE})
    return html.Div([*fields, button, status], className="key-form connect-key")


def _step(each: Step, address: str) -> html.Li:
    if not each.code:
        return html.Li(each.text)
    parts = (part for part in PLACES.split(each.code) if part)
    code = html.Code([_part(part, address) for part in parts])
    copy = html.Button("Copy", type="button", className="quiet connect-copy",
                       **{"aria-label": f"Copy: {each.text}"})  # fmt: skip
    # What is too wide to be seen is scrolled to with the keyboard, too.
    lines = html.Pre(code, className=f"language-{each.language}", tabIndex="0")
    return html.Li([each.text, html.Div([lines, copy], className="connect-code")])


def _part(part: str, address: str) -> Any:
    if part == KEY:
        return html.Span(SHOWN_KEY, className="connect-secret")
    return address if part == ADDRESS else part


def as_markdown() -> str:
    """The same for docs/data.md."""
    return "\n".join(_markdown(one) for one in CONNECTIONS)


def _markdown(one: Connection) -> str:
    lines = [f"### {one.title}", "", f"{one.brings} It cannot say: {one.lacks}."]
    for each in one.steps:
        code = each.code.replace(ADDRESS, "https://SPENDSCOPE").replace(KEY, SHOWN_KEY)
        lines += ["", each.text, *(["", f"```{each.language}", code, "```"] if code else [])]
    return "\n".join([*lines, ""])


# --- what came


def heard(came: Arrival | None) -> dict[str, Any]:
    """What the line says: its state, a sentence, and more sentences below it."""
    if came is None:
        return {"state": "waiting", "text": "Waiting for the first event …", "more": []}
    if not (came.accepted or came.duplicates):
        return {"state": "nothing", "text": _nothing(came), "more": [*came.rejections, *came.notes]}
    return {"state": "received", "text": _received(came), "more": _more(came)}


def _nothing(came: Arrival) -> str:
    if came.rejected:
        return f"Something came, and all of it was rejected ({COUNT.text(came.rejected)}):"
    return "Something came, and none of it is counted:"


def _received(came: Arrival) -> str:
    known = f" ({COUNT.text(came.duplicates)} were there already)" if came.duplicates else ""
    events = came.accepted + came.duplicates
    named = f"{COUNT.text(events)} event{'' if events == 1 else 's'}{known}"
    parts = [f"Received {named}", _models(came), f"{COUNT.text(came.tokens)} tokens",
             USD.text(came.cost_nano / NANO)]  # fmt: skip
    return " · ".join(part for part in parts if part)


def _models(came: Arrival) -> str:
    rest = came.models_in_all - len(came.models)
    return ", ".join(came.models) + (f" and {rest:,} more" if rest else "")


def _more(came: Arrival) -> list[str]:
    unread = came.unread or ("Nothing that may hold tokens or money was left unread.",)
    prices = f"Without a price: {COUNT.text(came.unpriced)} (see Settings → Prices)."
    rejected = f"Rejected: {COUNT.text(came.rejected)}."
    return [
        *unread, *([prices] if came.unpriced else []), *([rejected] if came.rejected else []),
        *came.rejections, *came.notes,
    ]  # fmt: skip
