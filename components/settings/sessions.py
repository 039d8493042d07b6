"""Who is signed in: one's own browsers on the profile, everybody's on Settings → People."""

from __future__ import annotations

import re
from typing import Any, Final

from components.settings.resource import Button, Card, Column, Row
from data.query.units import INSTANT

WAYS: Final = {"account": "password", "demo": "demo", "token": "token",
              "oidc": "provider", "github": "GitHub"}  # fmt: skip
# The first that is named: a browser names those it descends from, too.
BROWSERS: Final = {
    "Edg": "Edge", "OPR": "Opera", "SamsungBrowser": "Samsung Internet", "Firefox": "Firefox",
    "FxiOS": "Firefox", "CriOS": "Chrome", "Chrome": "Chrome", "Safari": "Safari",
}  # fmt: skip
SYSTEMS: Final = {
    "Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows",
    "Mac OS X": "macOS", "CrOS": "ChromeOS", "Linux": "Linux",
}  # fmt: skip


def browser(agent: str) -> str:
    """`Firefox on Linux`; of what is no browser, its own first word."""
    named = (name for word, name in BROWSERS.items() if f"{word}/" in agent)
    if program := next(named, ""):
        system = next((name for word, name in SYSTEMS.items() if word in agent), "")
        return f"{program} on {system}" if system else program
    return re.split(r"[/\s]", agent.strip(), maxsplit=1)[0][:40]


def _elsewhere(row: Row) -> bool:
    return bool(row["id"]) and not row["here"]


def _browser(one: Any) -> str:
    """The browser of a session, and whether it is this one."""
    name = browser(one.session.agent)
    return f"{name or 'unknown'} (this one)" if one.here else name


def _columns(*more: Column) -> tuple[Column, ...]:
    return (
        *more,
        Column("browser", "Browser", 205, 2, of=_browser),
        Column("address", "Address", 115, of=lambda one: one.session.address),
        Column("way", "By", 110, of=lambda one: WAYS[one.session.way]),
        Column("created", "Signed in", 160, unit=INSTANT, of=lambda one: one.session.created),
        Column("seen", "Last seen", 160, unit=INSTANT, of=lambda one: one.session.seen),
    )


def row(one: Any) -> Row:
    """What the buttons need to know of a session, and what its browser says of itself."""
    return {"here": one.here, "browser_tip": one.session.agent or None}


OWN: Final = Card(
    "sessions", "session", "Where you are signed in",
    "Browsers in which you are signed in. What you end is signed out at once.",
    columns=(
        *_columns(),
        Column("expires", "Ends", 160, unit=INSTANT, of=lambda one: one.session.expires),
    ),
    empty="No browser is signed in as you.",
    buttons=(
        Button(
            "session-end", "End", "remove", needs=_elsewhere,
            confirm=lambda row: f"End the session of {row['browser']}? It is signed out at once.",
        ),
        Button(
            "session-end-others", "End all others",
            confirm=lambda _: "Sign out everywhere but here?",
        ),
    ),
)  # fmt: skip
EVERYBODY: Final = Card(
    "people-sessions", "people-session", "Who is signed in",
    "Every browser that is signed in here. What you end is signed out at once.",
    columns=_columns(Column("name", "Person", 135, 2, of=lambda one: one.session.name,
                            tip="tip"),
                     Column("user", "User id", 165, 2, of=lambda one: one.session.user)),
    empty="Nobody is signed in in a browser.",
    buttons=(
        Button(
            "people-session-end", "End", "remove", needs=_elsewhere,
            confirm=lambda row: f"End this session of {row['name']}? They are signed out at once.",
        ),
        Button(
            "people-session-end-all", "End all of this person", needs=bool,
            confirm=lambda row: f"Sign {row['user']} out everywhere?",
        ),
    ),
)  # fmt: skip
