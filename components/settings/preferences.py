"""Settings → Profile: what a reader prefers, saved as soon as it is changed."""

from __future__ import annotations

from typing import Final

from components.settings.resource import Card, Field, Form
from data.local_time import zones
from data.people.preferences import MODES, STARTS, THEMES

# Not empty: nothing chosen is no choice.
NONE: Final = "none"
CARD: Final = Card(
    "preferences", "preference", "Preferences",
    "Kept for you on every device. An address with filters of its own wins.",
    form=Form((
        Field("preset", "Start with", "choice", options={NONE: "Last 7 days", **STARTS},
              initial=NONE, along=("n",)),
        Field("n", "How many", "numeric", hint="days or hours", along=("preset",)),
        Field("zone", "Time zone", "choice", initial=NONE,
              options={NONE: "The browser's", **{name: name for name in sorted(zones())}}),
        Field("theme", "Theme", "choice", options={NONE: "The system's", **THEMES}, initial=NONE),
        Field("mode", "Sections as", "choice", options={NONE: "As last used", **MODES},
              initial=NONE),
    )),
    mark="pref",
)  # fmt: skip
