"""What a reader prefers, as a card of their profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import html

from components import ids
from data.local_time import zones
from data.people.preferences import MODES, STARTS, THEMES, Preferences

Options = Mapping[str, str]
# Not empty: dbc puts an empty option of its own before ours, which nobody can choose.
UNSAID: Final = "none"
CHOICES: Final[dict[str, tuple[str, Options]]] = {
    "preset": ("Start with", {UNSAID: "Last 7 days", **STARTS}),
    "zone": ("Time zone", {UNSAID: "The browser's", **{name: name for name in sorted(zones())}}),
    "theme": ("Theme", {UNSAID: "The system's", **THEMES}),
    "mode": ("Sections as", {UNSAID: "As last used", **MODES}),
}


def card() -> html.Section:
    """The card; a callback fills in what is preferred now."""
    return html.Section(
        [
            html.H2("Preferences"),
            html.Div(
                "Kept for you on every device. An address with filters of its own wins.",
                className="help",
            ),
            html.Div(id=ids.PREFERENCES, className="fields"),
            html.Div(id=ids.PREFERENCES_SAID, className="said", role="status",
                     **ids.testid("pref-saved")),
        ],
        className="preferences card-section", **ids.testid("preferences"),
    )  # fmt: skip


def fields(now: Preferences) -> list[Any]:
    """The controls, holding what is preferred."""
    held = {name: value or UNSAID for name, value in now.as_dict().items()}
    made = [_choice("preset", held["preset"]), _number(str(now.n or ""))]
    made += [_choice(name, held[name]) for name in ("zone", "theme", "mode")]
    return [part for pair in made for part in pair]


def _choice(name: str, value: str) -> tuple[html.Span, html.Label]:
    label, options = CHOICES[name]
    control = dbc.Select(
        id=ids.preference(name), value=value, size="sm",
        options=[{"value": key, "label": said} for key, said in options.items()],
    )  # fmt: skip
    return _labelled(name, label, control)


def _number(value: str) -> tuple[html.Span, html.Label]:
    control = dbc.Input(
        id=ids.preference("n"), type="text", inputmode="numeric", value=value, size="sm",
        debounce=400, maxlength=8, autocomplete="off", placeholder="7 days, 24 hours",
    )  # fmt: skip
    return _labelled("n", "N", control)


def _labelled(name: str, label: str, control: Any) -> tuple[html.Span, html.Label]:
    said = html.Span(label, className="visually-hidden")
    return html.Span(label, **{"aria-hidden": "true"}), html.Label(
        [said, control], **ids.testid(f"pref-{name}")
    )
