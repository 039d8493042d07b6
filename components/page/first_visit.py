"""What a first visit is shown, in four steps: a sentence beside each part of the page
(assets/first-visit.js)."""

from __future__ import annotations

from typing import Any, Final

FILTERS: Final = {
    "beside": "#filter-bar .controls",
    "title": "Ask",
    "text": "Time, users, projects and more: what you choose here holds for every tab. The address"
    " holds it too, so a link asks the same of somebody else, within their own rights.",
}  # fmt: skip
MODES: Final = {
    "beside": "[data-testid='view-mode']",
    "title": "Charts or tables",
    "text": "Every chart is a table, too. This turns all of them, the sign at the right of a card"
    " turns one.",
}  # fmt: skip
NARROWING: Final = {
    "beside": ".sections > .card-section:not(.headline)",
    "title": "Click to narrow",
    "text": "Click a bar, a point or a row to narrow to it; its chip, or Back, undoes it. Shift and"
    " a click show the events behind it.",
}  # fmt: skip
CONNECT: Final = {
    "beside": "[data-testid='nav-data']",
    "title": "Where data come from",
    "text": "Settings, Data, Connect has every way in, with the exact lines to copy, and waits with"
    " you for the first event.",
}  # fmt: skip
OWN_SPENDING: Final = {
    "beside": "[data-testid='nav-profile']",
    "title": "Your own spending",
    "text": "Your profile has your budgets, what you have spent of them, and how you like this page"
    " to look.",
}  # fmt: skip


def steps(connects: bool) -> list[dict[str, Any]]:
    """The four, for who connects sources or for everybody else."""
    return [FILTERS, MODES, NARROWING, CONNECT if connects else OWN_SPENDING]
