"""The pages of the settings beside Analytics and Profile, in the order of their links."""

from __future__ import annotations

from typing import Final

from callbacks.settings import audit, imports, keys, people
from callbacks.settings.resource import Page
from components.settings import prices

PAGES: Final[tuple[Page, ...]] = (
    Page("data", "Data", (), body=imports.page),
    keys.PAGE,
    people.PAGE,
    Page("prices", "Prices", (), body=prices.page),
    audit.PAGE,
)
