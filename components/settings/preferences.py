"""What a reader prefers, as a card of their profile."""

from __future__ import annotations

from typing import Any, Final

from dash import html

from components import ids
from components.settings.draw import control
from components.settings.resource import Field
from data.local_time import zones
from data.people.preferences import MODES, STARTS, THEMES, Preferences

# Not empty: dbc puts an empty option of its own before ours, which nobody can choose.
NONE: Final = "none"
FIELDS: Final = (
    Field("preset", "Start with", "choice", options={NONE: "Last 7 days", **STARTS}),
    Field("n", "N", "numeric", hint="7 days, 24 hours"),
    Field("zone", "Time zone", "choice",
          options={NONE: "The browser's", **{name: name for name in sorted(zones())}}),
    Field("theme", "Theme", "choice", options={NONE: "The system's", **THEMES}),
    Field("mode", "Sections as", "choice", options={NONE: "As last used", **MODES}),
)  # fmt: skip


def card(now: Preferences) -> html.Section:
    """The card, its controls holding what is preferred now."""
    controls = [part for one in FIELDS for part in _labelled(one, getattr(now, one.name))]
    return html.Section(
        [
            html.H2("Preferences"),
            html.Div(
                "Kept for you on every device. An address with filters of its own wins.",
                className="help",
            ),
            html.Div(controls, className="fields"),
            html.Div(id=ids.PREFERENCES_STATE, className="said", role="status",
                     **ids.testid("pref-saved")),
        ],
        className="preferences card-section", **ids.testid("preferences"),
    )  # fmt: skip


def _labelled(one: Field, value: Any) -> tuple[html.Span, html.Label]:
    label = html.Span(one.label, className="visually-hidden")
    typed = {} if one.kind == "choice" else {"debounce": 400, "maxlength": 8}
    text = str(value or ("" if typed else NONE))
    return html.Span(one.label, **{"aria-hidden": "true"}), html.Label(
        [label, control(one, ids.preference(one.name), text, size="sm", **typed)],
        **ids.testid(f"pref-{one.name}"),
    )
