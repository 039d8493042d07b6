"""What axe finds on a page: WCAG 2.2 AA and what is best practice beside it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from playwright.sync_api import Page

from tests.npm import installed

TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CONTRAST: Final = ["color-contrast"]
# The rows of a table are alike: two of each are judged.
RUN: Final = """async ([told, within]) => {
    const exclude = [[".ag-row:not([row-index='0'], [row-index='1'])"]];
    const options = { runOnly: told, resultTypes: ["violations"] };
    const include = within ? [[within]] : undefined;
    const { violations } = await axe.run({ include, exclude }, options);
    return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary}`));
}"""


@cache
def _source() -> str:
    place = installed(Path(__file__).parent)
    return (place / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def found(page: Page, contrast_alone: bool = False, within: str = "") -> list[str]:
    """What axe objects to, a line an element; or to its contrast alone, where nothing but the
    colours is new; or `within` what has opened over a page."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_source())
    told = {"type": "rule", "values": CONTRAST} if contrast_alone else TAGS
    lines: list[str] = page.evaluate(RUN, [told, within])
    return lines
