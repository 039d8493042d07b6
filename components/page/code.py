"""The code that a page brings along, and what comes when it is wanted (assets/grid.js)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import dash_ag_grid
from dash import _dash_renderer, dash_table
from dash.fingerprint import build_fingerprint

ROOT: Final = Path(__file__).resolve().parents[2]
SUITES: Final = "/_dash-component-suites/dash_ag_grid/"
GRID: Final = "dash_ag_grid.min.js"
GRID_MORE: Final = "async-community.js"
BOOTSTRAP: Final = "bootstrap.min.css"
ICON: Final = "icon.svg"
# Loaded in the page's head, in this order; the second is all that Dash needs of its polyfill for
# browsers of 2015.
FIRST: Final = ("arrival.js", "regenerator.min.js")
POLYFILL: Final = "deps/polyfill"
# What the page itself names, and what belongs to other pages.
IGNORED: Final = r"sign-in\.css|bootstrap\.min\.css|icon\.svg|arrival\.js|regenerator\.min\.js"


def index() -> str:
    """The page that Dash fills in. Tables' code is not among its scripts any more, and neither is
    that of Dash's own tables, which nothing here draws with, nor its polyfill."""
    for library in (dash_ag_grid, dash_table):
        _put_off(library._js_dist)
    for one in _dash_renderer._js_dist_dependencies:
        paths = one["relative_package_path"]
        paths["prod"] = [path for path in paths["prod"] if not path.startswith(POLYFILL)]
    page = (ROOT / "components" / "index.html").read_text(encoding="utf-8")
    scripts = (f'<script src="{asset(name)}"></script>' for name in FIRST)
    return (
        page.replace("{icon}", asset(ICON))
        .replace("{first}", "\n    ".join(scripts))
        .replace("{grid-code}", _grid())
        .replace("{grid-more}", SUITES + GRID_MORE)
    )


def asset(name: str) -> str:
    """The address of a file in `assets/`, another one whenever the file changes."""
    return f"/assets/{name}?m={(ROOT / 'assets' / name).stat().st_mtime}"


def _put_off(files: list[dict[str, Any]]) -> None:
    """Have files served without being named in the page."""
    for one in files:
        if "async" not in one:
            one["dynamic"] = True


def _grid() -> str:
    changed = int(Path(dash_ag_grid.__file__).with_name(GRID).stat().st_mtime)
    return SUITES + str(build_fingerprint(GRID, dash_ag_grid.__version__, changed))
