"""The code that a page brings along in few files, and what comes when it is wanted (assets/grid.js,
assets/component-libraries.js, assets/plotly.js)."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import dash
import dash_ag_grid
import dash_bootstrap_components as dbc
from dash import _dash_renderer, dash_table, dcc
from dash.fingerprint import build_fingerprint

ROOT: Final = Path(__file__).resolve().parents[2]
SUITES: Final = "/_dash-component-suites"
GRID: Final = "dash_ag_grid.min.js"
GRID_MORE: Final = f"{SUITES}/dash_ag_grid/async-community.js"
LISTS: Final = ("dcc/dash_core_components.js", "dcc/dash_core_components-shared.js")
LISTS_MORE: Final = f"{SUITES}/dash/dcc/async-dropdown.js"
OVERLAYS: Final = "_components/dash_bootstrap_components.min.js"
BOOTSTRAP: Final = "bootstrap.min.css"
ICON: Final = "icon.svg"
PLOTLY: Final = "plotly.min.js"
# In the page's head, before anything is drawn.
ARRIVAL: Final = "arrival.js"
POLYFILL: Final = "deps/polyfill"
# All that Dash needs of its polyfill for browsers of 2015.
REGENERATOR: Final = "regenerator.min.js"
# What each bundle begins with, and the files that belong to other pages or come by themselves.
BUNDLES: Final = {"css": BOOTSTRAP, "js": REGENERATOR}
APART: Final = (ARRIVAL, PLOTLY, "sign-in.css")
ASSETS: Final = ROOT / "assets"
IGNORED: Final = "."  # by Dash, which would name each file in the page
SCRIPTS: Final = "{bundle-js}"


def index() -> str:
    """The page that Dash fills in. The code of tables, lists and overlays is not among its scripts
    any more, and neither is that of Dash's own tables, which nothing here draws with, nor its
    polyfill."""
    for library in (dash_ag_grid, dash_table, dbc, dcc):
        _put_off(library._js_dist)
    for one in _dash_renderer._js_dist_dependencies:
        paths = one["relative_package_path"]
        paths["prod"] = [path for path in paths["prod"] if not path.startswith(POLYFILL)]
    page = (ROOT / "components" / "index.html").read_text(encoding="utf-8")
    return (
        page.replace("{icon}", asset(ICON))
        .replace("{arrival}", asset(ARRIVAL))
        .replace("{chart-code}", asset(PLOTLY))
        .replace("{list-code}", " ".join(_served(dash, path) for path in LISTS))
        .replace("{list-more}", LISTS_MORE)
        .replace("{overlay-code}", _served(dbc, OVERLAYS))
        .replace("{grid-code}", _served(dash_ag_grid, GRID))
        .replace("{grid-more}", GRID_MORE)
    )


def completed(page: str, nonce: str) -> str:
    """The page as it is answered once: with the bundles as they are now, and with what its
    libraries' styles carry."""
    for suffix in BUNDLES:
        page = page.replace(f"{{bundle-{suffix}}}", f"{bundle_path(suffix)}?m={_version(suffix)}")
    return page.replace("{style-nonce}", nonce)


def bundle_path(suffix: str) -> str:
    """Where the bundle of styles or of scripts is served."""
    return f"/assets/bundle.{suffix}"


def bundle(suffix: str) -> str:
    """All styles or all scripts of the page, in the order of their names."""
    parts = (f"/* {one.name} */\n{one.read_text(encoding='utf-8')}" for one in _bundled(suffix))
    return (";\n" if suffix == "js" else "\n").join(parts)


def _bundled(suffix: str) -> Iterator[Path]:
    first = ASSETS / BUNDLES[suffix]
    yield first
    others = sorted(ASSETS.glob(f"*.{suffix}"))
    yield from (one for one in others if one != first and one.name not in APART)


def _version(suffix: str) -> str:
    """Another one whenever a file of it changes."""
    files = "".join(f"{one.name} {one.stat().st_mtime} " for one in _bundled(suffix))
    return sha256(files.encode()).hexdigest()[:16]


def asset(name: str) -> str:
    """The address of a file in `assets/`, another one whenever the file changes."""
    return f"/assets/{name}?m={(ASSETS / name).stat().st_mtime}"


def _put_off(files: list[dict[str, Any]]) -> None:
    """Have files served without being named in the page."""
    for one in files:
        if "async" not in one:
            one["dynamic"] = True


def _served(library: ModuleType, path: str) -> str:
    """Where Dash serves a file of a library."""
    changed = int((Path(str(library.__file__)).parent / path).stat().st_mtime)
    name = build_fingerprint(path, library.__version__, changed)
    return f"{SUITES}/{library.__name__}/{name}"
