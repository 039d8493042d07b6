"""The pages of the settings beside Analytics, in the order of their links."""

from __future__ import annotations

from typing import Final

from callbacks.settings import accounts, audit, imports, keys, people, prices, profile
from callbacks.settings.resource import Page

PAGES: Final[tuple[Page, ...]] = (
    profile.PAGE,
    imports.PAGE,
    keys.PAGE,
    accounts.PAGE,
    people.PAGE,
    prices.PAGE,
    audit.PAGE,
)
