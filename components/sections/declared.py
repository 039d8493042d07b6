"""The dashboard as a list: tabs, and the sections they show.

To add a section is to add an entry to one of the lists; no callback, route or export knows any
section by name.
"""

from __future__ import annotations

from typing import Final

from components.sections import activity, cost
from components.sections.section import Section, Tab
from data.errors import Unknown

__all__ = ["SECTIONS", "TABS", "Section", "Tab", "section", "tab"]

TABS: Final = (
    Tab("overview", "Overview", cost.OVERVIEW),
    Tab("spending", "Spending", cost.SPENDING),
    Tab("models", "Models", cost.MODELS),
    Tab("assistants", "Assistants", activity.ASSISTANTS),
    Tab("workflows", "Workflows", activity.WORKFLOWS),
    Tab("tools", "Tools", activity.TOOLS),
    Tab("integrations", "Integrations", activity.INTEGRATIONS),
    Tab("users", "Users", activity.USERS),
    Tab("projects", "Projects", activity.PROJECTS),
    Tab("cli", "CLI", activity.CLI),
    Tab("budgets", "Budgets", ()),
)
SECTIONS: Final = {section.key: section for tab in TABS for section in tab.sections}
# Keys that scripts may know from before, by today's.
RENAMED: Final = {"power-users": "users"}


def section(key: str) -> Section:
    """The declared section of a key, or `Unknown`."""
    key = RENAMED.get(key, key)
    if key not in SECTIONS:
        raise Unknown("section", f"there is no section {key[:40]!r}; see {', '.join(SECTIONS)}")
    return SECTIONS[key]


def tab(key: str) -> Tab:
    """The tab of a key, or `Unknown`."""
    for one in TABS:
        if one.key == key:
            return one
    raise Unknown("tab", f"there is no tab {key[:40]!r}")
