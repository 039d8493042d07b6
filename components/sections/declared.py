"""The dashboard as a list: tabs, and the sections they show.

To add a section is to add an entry to one of the lists; no callback, route or export knows any
section by name.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from components.sections import about, activity, cost
from components.sections.section import Section, Tab
from data.errors import Unknown

__all__ = [
    "PAGES",
    "SECTIONS",
    "TABS",
    "TIMELINES",
    "UNSHOWN",
    "Section",
    "Tab",
    "beside",
    "page_path",
    "section",
    "tab",
]

TABS: Final = (
    Tab("overview", "Overview", cost.OVERVIEW),
    Tab("spending", "Spending", cost.SPENDING),
    Tab("models", "Models", cost.MODELS, "model", about.MODEL),
    Tab("assistants", "Assistants", activity.ASSISTANTS, "assistant", about.ASSISTANT),
    Tab("workflows", "Workflows", activity.WORKFLOWS),
    Tab("tools", "Tools", activity.TOOLS),
    Tab("integrations", "Integrations", activity.INTEGRATIONS),
    Tab("users", "Users", activity.USERS, "user", about.USER),
    Tab("projects", "Projects", activity.PROJECTS, "project", about.PROJECT),
    Tab("cli", "CLI", activity.CLI),
    Tab("budgets", "Budgets", ()),
)
# Without a card: for the API, files and whoever asks for them by name.
UNSHOWN: Final = cost.SPENT_BY
SECTIONS: Final = {
    section.key: section
    for section in (*(section for tab in TABS for section in tab.sections), *UNSHOWN)
}
# The tab below which each field's values have their pages.
PAGES: Final = {tab.of: tab.key for tab in TABS if tab.of}
# Keys that scripts may know from before, by today's.
RENAMED: Final = {"power-users": "users"}
# Below which address a conversation or a run opens as its timeline.
TIMELINES: Final = {"conversations": "conversation_id", "runs": "run_id"}


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


def beside(key: str, of: str = "") -> tuple[Section, ...]:
    """The sections of the page that a section stands on: of a tab, or about a value of a field."""
    for one in TABS:
        sections = one.about if of else one.sections
        if one.of == (of or one.of) and key in {other.key for other in sections}:
            return sections
    return ()


def page_path(field: str, value: str) -> str:
    """The path of the page about a value of one of `PAGES`."""
    return f"/settings/analytics/{PAGES[field]}/{quote(value, safe='')}"
