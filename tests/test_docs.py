"""The pages say what the code says, and cite nothing that is not in the checkout."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.settings.connections import CONNECTIONS
from data.events.table import FIELDS
from data.sources import formats
from docs import definitions

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
ROOMS = ("data", "components", "callbacks", "tests", "docs")
CODE = [ROOT / "app.py", *(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))]
FILES = [
    path.relative_to(ROOT).as_posix()
    for path in [*CODE, *PAGES, *(ROOT / "assets").iterdir(), ROOT / "pyproject.toml"]
]
PATHS = re.compile(r"(?<![\w/.~-])(?:\.\./)*(?:[\w.-]+/)*[\w-]+\.(?:py|md|css|toml)\b")
# Pages that are written elsewhere, by their names in capitals.
ABROAD = re.compile(r"\b(?:CONTRACT|DESIGN|STYLE|STACK)\b|§")
LINKS = re.compile(r"\]\(([^)]+)\)")
MOST_WORDS = 20


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def prose(path: Path) -> Iterator[str]:
    """Docstrings and comments of a module."""
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield ast.get_docstring(node) or ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def missing(text: str) -> set[str]:
    """Paths that a text cites and that no file has; the end of a path will do."""
    return {
        one
        for one in PATHS.findall(text)
        if not any(f"/{path}".endswith(f"/{one}") for path in FILES)
    }


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_page_cites_what_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert missing(re.sub(r"```.*?```", "", text, flags=re.DOTALL)) == set()
    assert not ABROAD.search(text)


def test_code_cites_what_is_there() -> None:
    texts = {name(path): "\n".join(prose(path)) for path in CODE if path != Path(__file__)}
    assert {key: found for key, text in texts.items() if (found := missing(text))} == {}
    assert [key for key, text in texts.items() if ABROAD.search(text)] == []


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_a_link_leads_somewhere(path: Path) -> None:
    for link in LINKS.findall(path.read_text(encoding="utf-8")):
        if "://" not in link:
            target, _, anchor = link.partition("#")
            page = (path.parent / target) if target else path
            assert page.exists(), link
            assert not anchor or anchor in anchors(page), link


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def test_the_definitions_are_those_of_the_code() -> None:
    """`make docs` writes them anew."""
    texts = [path.read_text(encoding="utf-8") for path in definitions.PAGES]
    blocks = [block[2] for text in texts for block in definitions.BLOCK.finditer(text)]
    assert sorted(definitions.BLOCKS) == sorted(blocks)
    assert [definitions.page(text) for text in texts] == texts


def test_what_a_file_cannot_say_is_said_alike() -> None:
    """In the table of formats, and in the card of who would connect it."""
    rows = section("docs/data.md", "How to get the file, and what it cannot say").splitlines()
    lacks = {cells[0]: cells[-1] for row in rows if (cells := row.strip("| ").split(" | "))}
    both = [one for one in CONNECTIONS if one.formats and one.title in lacks]
    assert {one.title for one in both} >= {"Cursor", "Langfuse", "OpenAI", "Anthropic", "Bedrock"}
    assert [(one.title, lacks[one.title]) for one in both] == [
        (one.title, one.lacks) for one in both
    ]


def test_every_format_has_its_line() -> None:
    assert set(first_cells("docs/data.md", "Formats")) == set(formats())


def test_every_field_of_an_event_has_its_line() -> None:
    fields = first_cells("docs/developers.md", "The canonical event")
    assert sorted(fields) == sorted(FIELDS)


def test_the_glossary_is_short() -> None:
    text = section("docs/developers.md", "Glossary")
    assert 0 < len(re.findall(r"^\| (?!word|---)", text, re.MULTILINE)) <= MOST_WORDS


def section(page: str, head: str) -> str:
    """What stands under a heading, up to the next."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.search(rf"^#+ {re.escape(head)}$(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no heading {head}"
    return found[1]


def first_cells(page: str, head: str) -> list[str]:
    """The names in backticks in the first column of a section's table."""
    lines = re.findall(r"^\| (`[^|]*) \|", section(page, head), re.MULTILINE)
    return [one for line in lines for one in re.findall(r"`([^`]+)`", line)]
