"""Settings → Profile: who one is here, what one prefers, what one has spent."""

from __future__ import annotations

from typing import Final

from callbacks.access.session import current_person
from callbacks.settings.accounts import OWN_PASSWORD
from callbacks.settings.preferences import PREFERENCES
from callbacks.settings.resource import Page
from callbacks.settings.sessions import OWN as OWN_SESSIONS
from callbacks.settings.tokens import TOKENS
from callbacks.settings.viewings import OWN as OWN_VIEWINGS
from components.page import layout, spending
from components.values import hover_text
from data.access.scope import Reach, names

REACH: Final[dict[Reach, str]] = {
    "all": "Everything: all users and all projects.",
    "projects": "Everyone's activity in the projects you administer, and your own everywhere.",
    "own": "Your own activity, wherever it happened.",
}


def _facts() -> list[tuple[str, str]]:
    person = current_person()
    return [
        ("Id", hover_text(person.id, person.scope.ids_by_person) or person.id),
        ("E-mail", person.email or "–"),
        ("You see", REACH[person.scope.reach]),
        ("Projects you administer", ", ".join(sorted(person.scope.projects)) or "–"),
        ("Projects you use", ", ".join(names(person.claims.get("applications"))) or "–"),
    ]


PAGE: Final = Page(
    "profile",
    "Profile",
    (PREFERENCES, OWN_PASSWORD, OWN_SESSIONS, OWN_VIEWINGS, TOKENS),
    before=lambda _: [layout.person(current_person().name, _facts())],
    after=lambda _: [spending.section()],
)
