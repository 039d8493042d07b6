"""The few pages that are no Dash: templates of `components/`, filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).resolve().parents[2] / "components"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, /, **words: Any) -> str:
    """A template of `components/`, with everything it names."""
    return _TEMPLATES.get_template(f"{template}.html").render(**words)


def notice(title: str, sentence: str, link: str, to: str = "To the sign-in page") -> str:
    """A page that says one thing and where to go on."""
    return page("notice", title=title, sentence=sentence, link=link, to=to)
