"""Writes what pages have from the declarations, definitions and ways in: `make docs`.

What stands between `<!-- NAME -->` and `<!-- end -->` is made here; the rest of a page is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from components.sections.declared import TABS, UNSHOWN, Section, Tab
from components.settings.connect import as_markdown
from data.query.catalog import DIMENSIONS, METRICS
from data.query.earlier import COMPARISONS
from data.query.windows import PRESETS

PAGES: Final = tuple(Path(__file__).with_name(name) for name in ("users.md", "data.md"))
BLOCK: Final = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def page(text: str) -> str:
    """A page with every block written anew."""
    return BLOCK.sub(lambda block: f"{block[1]}\n{BLOCKS[block[2]]()}\n{block[3]}", text)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table; an empty cell is a dash."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell or '–' for cell in line)} |\n" for line in lines)


def metrics() -> str:
    """Every metric: its name, label, unit and meaning."""
    rows = (
        (f"`{m.name}`", m.label, m.unit.name, "" if m.better == "neither" else m.better, m.help)
        for m in METRICS.values()
    )
    return table(("name", "label", "unit", "better", "meaning"), rows)


def dimensions() -> str:
    """Every dimension: its name and label."""
    rows = ((f"`{one.name}`", one.label) for one in DIMENSIONS.values())
    return table(("name", "label"), rows)


def presets() -> str:
    """Every choice of a time range."""
    return table(("name", "label"), ((f"`{name}`", label) for name, label in PRESETS.items()))


def comparisons() -> str:
    """Every choice of what is compared with."""
    return table(("name", "label"), ((f"`{name}`", label) for name, label in COMPARISONS.items()))


def tabs() -> str:
    """Every tab with its sections."""
    unshown = Tab("", "Without a card", UNSHOWN)
    return "\n".join(_tab(one) for one in (*TABS, unshown) if one.sections)


def _tab(tab: Tab) -> str:
    head = ("section", "title", "broken down by", "columns", "note")
    return f"### {tab.title}\n\n{table(head, map(_section, tab.sections))}"


def _section(one: Section) -> tuple[str, ...]:
    by = ", ".join(DIMENSIONS[name].label.lower() for name in one.by)
    columns = ", ".join(METRICS[name].label for name in one.metrics)
    return f"`{one.key}`", one.title, by, columns, one.help


BLOCKS: Final[dict[str, Callable[[], str]]] = {
    "tabs": tabs,
    "metrics": metrics,
    "dimensions": dimensions,
    "presets": presets,
    "comparisons": comparisons,
    "connections": as_markdown,
}


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(page(path.read_text(encoding="utf-8")), encoding="utf-8")
