"""The global filters: window, users, projects, and what they resolve to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from dash import html

from components import ids
from components.controls import SMALL_LIST, Select
from components.page import pickers, time_menu
from components.page.time_menu import labelled, moment_field
from components.sections.declared import PAGES, page_path
from components.shapes.axes import LONGEST_NAME
from components.values import time_part_label
from data.events.table import ME, NONE
from data.local_time import instant
from data.query.catalog import DIMENSIONS
from data.query.earlier import COMPARISONS, PREVIOUS
from data.query.event_time import TIME_PART_VALUES
from data.query.filters import CONTAINING, EXCLUSIONS, LISTS, NOT, PEOPLE, TIMES, Choice, field_of
from data.query.units import moment
from data.query.windows import DEFAULT_N, DEFAULT_PRESET, PRESETS, Window

EVERY: Final = {0: "Off", 30: "30 s", 60: "1 min", 300: "5 min", 900: "15 min"}
MOST_CHIPS: Final = 12
MOST_TOLD: Final = 3
TIMED: Final = "time"


def build() -> html.Section:
    """The bar, empty: callbacks fill in what the URL and the reader choose."""
    others = html.Div(
        [
            html.Div([html.Span("vs", className="vs"), _comparison()], className="compare-pill"),
            *(pickers.picker(field, f"filter-{field}s") for field in PEOPLE),
            html.Button("Me", id=ids.ME, className="toggle", **ids.testid("filter-users-me"),
                        title="Only my own activity", **{"aria-pressed": "false"}),
            *pickers.more(),
            html.Div(className="spring"),
            html.Button("Clear all", id=ids.CLEAR, className="quiet plain", disabled=True,
                        title="Clear all", **ids.testid("filter-clear")),
            _icon(ids.COPY, "Copy link", "Copy link to this view"),
            _icon(ids.REFRESH, "Refresh", "Refresh"),
            _auto_refresh(),
        ],
        className="sheet", id=ids.SHEET,
    )  # fmt: skip
    sheet = html.Button(
        ["Filters", html.Span(id=ids.FILTER_COUNT, className="count")], className="sheet-open",
        **ids.testid("filter-sheet-open"),
        **{"aria-expanded": "false", "aria-controls": ids.SHEET},
    )  # fmt: skip
    controls = [time_menu.build(), sheet, others, _mode_switch()]
    return html.Section(
        [html.Div(controls, className="controls"), _summary()],
        id=ids.FILTER_BAR, className="filter-bar", hidden=True, **{"aria-label": "Filters"},
    )  # fmt: skip


def _icon(key: str, text: str, label: str) -> html.Button:
    return html.Button(
        html.Span(text), id=key, className=f"icon-button {key}", title=label,
        **ids.testid(key), **{"aria-label": label},
    )  # fmt: skip


def _auto_refresh() -> html.Select:
    """How often the page refreshes by itself; this browser remembers it (assets/keyboard.js)."""
    options = [html.Option(label, value=str(seconds)) for seconds, label in EVERY.items()]
    return html.Select(
        options, id=ids.AUTO_REFRESH, className="auto-refresh", title="Refresh by itself",
        **ids.testid("auto-refresh"), **{"aria-label": "Refresh by itself"},
    )  # fmt: skip


def _summary() -> html.Div:
    return html.Div(
        [
            html.Div(
                [html.Div(id=ids.PROBLEM, className="problem", role="alert"),
                 html.Button("Reset", id=ids.RESET, className="reset",
                             **ids.testid("filter-reset"))],
                className="problem-line",
            ),
            html.Div(
                [
                    html.Span(id=ids.WINDOW, className="window"),
                    html.Span(_comparison_ends(), id=ids.COMPARE_BOX, className="range-box",
                              hidden=True),
                    html.Span(id=ids.COMPARED, className="window compared"),
                    html.Span(id=ids.CHIPS, className="chips"),
                    html.Span(id=ids.NOTICE, className="notice"),
                ],
                className="summary-line", **ids.testid("filter-summary"),
                **{"aria-live": "polite"},
            ),
            _last_events(),
        ],
        className="summary-box",
    )  # fmt: skip


def _last_events() -> html.Div:
    """How fresh each source is, asked as it is opened (assets/freshness.js)."""
    button = html.Button(
        "Last events", className="as-of", title="How fresh each source is",
        **ids.testid(ids.LAST_EVENTS),
        **{"aria-haspopup": "dialog", "aria-expanded": "false"},
    )  # fmt: skip
    return html.Div(button, id=ids.LAST_EVENTS, className="as-of-box")


def _comparison() -> Any:
    """What is compared with."""
    options = [{"value": key, "label": label} for key, label in COMPARISONS.items()]
    choice = Select(id=ids.COMPARE, value=PREVIOUS, options=options, className=SMALL_LIST)
    return labelled("filter-compare", "compared with", choice)


def _comparison_ends() -> list[Any]:
    """The ends of a range of the reader's own to compare with."""
    return [moment_field("compare-from", "From", ids.COMPARE_FROM),
            moment_field("compare-to", "To", ids.COMPARE_TO)]  # fmt: skip


def _mode_switch() -> html.Button:
    return html.Button(
        [html.Span(name, className=f"half {name.lower()}") for name in ("Charts", "Tables")],
        id=ids.ALL_MODES, className="switch", role="switch", title="Charts or tables",
        **ids.testid("view-mode"),
        **{"aria-checked": "false", "aria-label": "Show every section as a table"},
    )  # fmt: skip


def compared_text(compared: Window | None, window: Window) -> str:
    """`9 Nov 00:00 → 15 Nov 14:05`: what a window is compared with, with the year where that is
    another; nothing for none."""
    if compared is None:
        return ""
    text = " → ".join(moment(us, compared.zone) for us in (compared.start, compared.end))
    return f"compared with {text}".replace(f" {instant(window.start, window.zone).year} ", " ")


def window_text(window: Window) -> str:
    """`16 Nov 2026 00:00 → now, Europe/Berlin`: what the choice means, always said."""
    return f"{_ends(window)}, {window.zone}"


def window_line(window: Window) -> list[Any]:
    """The same, its ends apart: the fields of a range stand in their place."""
    return [html.Span(f"{_ends(window)}, ", className="window-ends"), window.zone]


def _ends(window: Window) -> str:
    start = moment(window.start, window.zone)
    return f"{start} → {'now' if window.rolling else moment(window.end, window.zone)}"


def chips(
    choice: Choice, names: dict[tuple[str, str], str], inactive: set[tuple[str, str]]
) -> list[html.Span]:
    """A button for everything chosen, that takes it back, and one that turns "is" into "is not";
    `names` of (field, value), and which
    are `inactive`: chosen, but empty under the other filters."""
    made = [_chip(TIMED, TIMED, _time_text(choice))] if _timed(choice) else []
    for field, value, label in chosen(choice, names):
        made.append(_chip(field, value, label, (field, value) in inactive))
    return made


def chosen(choice: Choice, names: dict[tuple[str, str], str]) -> Iterator[tuple[str, str, str]]:
    """`(field, value, sentence)` of the values chosen; those past the most have none together."""
    for field, values in _lists(choice):
        label = DIMENSIONS[field_of(field)].label.lower()
        if field in EXCLUSIONS:
            yield field, "", f"{label}: not {_together(EXCLUSIONS[field], values, names)}"
            continue
        for value in values[:MOST_CHIPS]:
            said = (
                f" contains {value}" if field in CONTAINING else f": {_name(field, value, names)}"
            )
            yield field, value, f"{label}{said}"
        if len(values) > MOST_CHIPS:
            yield field, "", f"{label}: {len(values) - MOST_CHIPS} more"


def _together(field: str, values: list[str], names: dict[tuple[str, str], str]) -> str:
    listed = [_name(field, value, names) for value in values[:MOST_TOLD]]
    more = [f"{len(values) - MOST_TOLD} more"] if len(values) > MOST_TOLD else []
    return ", ".join(listed + more)


def _name(field: str, value: str, names: dict[tuple[str, str], str]) -> str:
    if (field, value) == ("user", ME):
        return "Me"
    return (
        time_part_label(field, value)
        if field in TIME_PART_VALUES
        else names.get((field, value), value)
    )


def _lists(choice: Choice) -> Iterable[tuple[str, list[str]]]:
    return ((field, values) for field, values in choice.items() if field in LISTS)


def _timed(choice: Choice) -> bool:
    return any(name in choice for name in TIMES)


def _time_text(choice: Choice) -> str:
    label = PRESETS.get(str(choice.get("preset", DEFAULT_PRESET)), "")
    n = choice.get("n") or DEFAULT_N.get(str(choice.get("preset", DEFAULT_PRESET)), "")
    zone = f" · {choice['tz']}" if "tz" in choice else ""
    return label.replace(" N ", f" {n} ") + zone


def _chip(field: str, value: str, label: str, inactive: bool = False) -> html.Span:
    cut = label if len(label) <= 2 * LONGEST_NAME else f"{label[: 2 * LONGEST_NAME]}…"
    why = f" ({pickers.INACTIVE})" if inactive else ""
    chip = html.Button(
        f"{cut} ×", className="chip muted" if inactive else "chip",
        title=f"Remove {label[:200]}{why}", **ids.testid("chip"),
        **{"data-chip": field, "data-value": value},
    )  # fmt: skip
    return html.Span(
        [chip, *_flip(field, value, label), *_page(field, value, label)], className="chip-pair"
    )


def _page(field: str, value: str, label: str) -> list[html.A]:
    """The way to the page about what is chosen, where it has one (assets/pages.js)."""
    if field not in PAGES or value in ("", NONE):
        return []
    title = f"Open the page of {label[:200]}"
    return [
        html.A(
            "›", href=page_path(field, value), className="flip chip-page", title=title,
            **ids.testid("chip-page"), **{"data-turn": field, "aria-label": title},
        )
    ]  # fmt: skip


def _flip(field: str, value: str, label: str) -> list[html.Button]:
    """From "is" to "is not" and back; not of a time, of oneself, or of several that are counted."""
    if field not in EXCLUSIONS and (not value or value == ME or f"{NOT}{field}" not in EXCLUSIONS):
        return []
    sign, title = ("=", "Keep") if field in EXCLUSIONS else ("≠", "Leave out")
    return [
        html.Button(
            sign, className="flip", title=f"{title} {label[:200]}", **ids.testid("chip-flip"),
            **{"data-flip": field, "data-value": value, "aria-label": f"{title} {label[:200]}"},
        )
    ]  # fmt: skip
