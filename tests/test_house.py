"""The rules of the house that a machine can hold."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, TypeGuard

import brotli
import plotly.graph_objects as go
import pytest
from plotly.offline import get_plotlyjs_version

from components.page import cards, layout
from components.sections import declared
from components.sections.declared import SECTIONS, TABS, UNSHOWN, Tab
from components.shapes.time_series import TimeSeries
from data.access.scope import Scope
from data.query.answers import answer
from data.query.catalog import DIMENSIONS, METRICS
from data.query.filters import parse
from tests.serving import ADMIN, Served, serving

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("data", "components", "callbacks")
SOURCES = [*(p for room in ROOMS for p in sorted((ROOT / room).rglob("*.py"))), ROOT / "app.py"]
FRAMES = {"frame", "totals", "iloc", "loc", "dropna", "fillna", "tolist", "to_dict", "iterrows"}
WIRES = {"Input", "Output", "State"}
LONGEST_FUNCTION = 30  # lines, its decorators not among them
# Rights have one home. Others may carry the claims (accounts, tokens, the command line, stored
# accounts, the sample's personas), and none of them may decide by them.
RIGHTS = {"isAdmin", "applications_admin", "is_admin"}
DECIDES = {"data/access/scope.py"}
DRAWN = [
    pytest.param(key, by, measure, id=f"{key}-{by}-{measure}")
    for key, one in SECTIONS.items()
    for by in one.by
    for measure in one.measures
    if one.shape.has_chart and (by == one.by[0] or measure == one.measures[0])
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("house")) as one:
        users = ("ana", "<b>bob</b>", None)
        one.load(
            {"event_id": f"e{n}", "ts": f"2026-11-{n % 19 + 1:02}T10:00:00Z", "user": users[n % 3],
             "model": f"m{n % 12}", "cost_nano": n * 10**7, "input_tokens": n, "duration_ms": n}
            for n in range(40)
        )  # fmt: skip
        yield one


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """A file, parsed once for all rules."""
    return ast.parse(path.read_text(encoding="utf-8"))


def nodes(path: Path, *kinds: type[ast.AST]) -> Iterator[Any]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, kinds))


def test_the_import_contracts_are_kept() -> None:
    script = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_start_looks_for_cycles_in_what_it_imports() -> None:
    """It took a sixth of it."""
    lines = (ROOT / "app.py").read_text().splitlines()
    off = next(n for n, line in enumerate(lines) if line.startswith("gc.disable()"))
    imports = [n for n, line in enumerate(lines) if line.startswith(("import", "from data"))]
    assert [lines[n] for n in imports if n < off] == ["import gc"]
    assert max(imports) < lines.index("gc.freeze()") < lines.index("gc.enable()")


def test_the_rules_read_every_room() -> None:
    assert {name(path).split("/")[0] for path in SOURCES} == {*ROOMS, "app.py"}
    assert len(SOURCES) > 200


def test_nobody_imports_the_app() -> None:
    for path in SOURCES:
        taken = [one.name for node in nodes(path, ast.Import) for one in node.names]
        taken += [node.module or "" for node in nodes(path, ast.ImportFrom)]
        assert "app" not in [one.split(".")[0] for one in taken], name(path)


def test_no_function_is_longer_than_a_screen() -> None:
    for path in [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))]:
        found = nodes(path, ast.FunctionDef, ast.AsyncFunctionDef)
        long = [node.name for node in found if node.end_lineno - node.lineno >= LONGEST_FUNCTION]
        assert not long, (name(path), long)


def test_no_component_id_is_a_bare_string() -> None:
    for path in SOURCES:
        found = [node.lineno for node in nodes(path, ast.Call) if any(map(bare, ids_of(node)))]
        assert not found or name(path) == "components/ids.py", (name(path), found)


def ids_of(call: ast.Call) -> list[ast.expr]:
    """What a call says for a component's id."""
    named = getattr(call.func, "attr", getattr(call.func, "id", ""))
    keywords = [word.value for word in call.keywords if word.arg == "id"]
    return keywords + (call.args[:1] if named in WIRES else [])


def bare(node: ast.expr) -> bool:
    """Whether an id is written out in place; the page's landmark is an anchor, no component."""
    return isinstance(node, ast.Constant | ast.JoinedStr | ast.Dict) and not (
        isinstance(node, ast.Constant) and node.value == "main"
    )


def test_more_sections_need_no_more_callbacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tmp_path / "few") as few:
        before = callbacks(few)
    model = next(one for one in SECTIONS.values() if isinstance(one.shape, TimeSeries))
    more = tuple(replace(model, key=f"more-{n}") for n in range(30))
    tabs = (*TABS, Tab("more", "More", more))
    monkeypatch.setitem(declared.SECTIONS, "more-0", more[0])
    for module in (declared, layout, sys.modules["callbacks.analytics.navigation"]):
        monkeypatch.setattr(module, "TABS", tabs)
    with serving(tmp_path / "many") as many:
        assert callbacks(many) == before


def callbacks(served: Served) -> list[str]:
    """What every callback writes, those of the browser too."""
    listed = served.client.get("/_dash-dependencies", headers=served.headers(ADMIN))
    assert listed.json
    return [one["output"] for one in listed.json]


@pytest.mark.parametrize("one", SECTIONS.values(), ids=SECTIONS)
def test_every_name_of_a_section_is_in_the_catalog(one: declared.Section) -> None:
    assert set(one.metrics) <= set(METRICS)
    assert set(one.by) <= set(DIMENSIONS)
    assert set(one.measures) <= set(one.metrics)
    assert len(set(one.by)) == len(one.by)


def test_sections_and_tabs_have_keys_of_their_own() -> None:
    every = [one.key for one in UNSHOWN] + [one.key for tab in TABS for one in tab.sections]
    assert len(set(every)) == len(every) == len(SECTIONS)
    assert len({tab.key for tab in TABS}) == len(TABS)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", key) for key in every)


def test_rights_are_decided_in_scope_alone() -> None:
    """No condition elsewhere looks at a claim that gives rights, or at a scope's reach."""
    for path in SOURCES:
        found = {word for one in conditions(path) for word in words(one)} & RIGHTS
        assert bool(found) is (name(path) in DECIDES), f"{name(path)} decides by {found}"


def conditions(path: Path) -> Iterator[ast.AST]:
    for node in nodes(path, ast.If, ast.IfExp, ast.While, ast.comprehension, ast.Compare):
        yield from node.ifs if isinstance(node, ast.comprehension) else [condition(node)]


def test_a_scope_comes_from_claims() -> None:
    """Nobody makes a scope by hand; the program's own questions are under `SYSTEM`."""
    for path in SOURCES:
        made = [node for node in nodes(path, ast.Call) if getattr(node.func, "id", "") == "Scope"]
        assert not made or name(path) in DECIDES, name(path)


@pytest.mark.parametrize("path", [p for p in SOURCES if name(p).startswith("callbacks/")], ids=name)
def test_callbacks_hand_frames_on_and_open_none(path: Path) -> None:
    """What `run` answers goes straight to `records.rows`; nobody looks into an answer's frames."""
    nodes = list(ast.walk(tree(path)))
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    assert not attributes & FRAMES, f"{name(path)} opens a frame"
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    if any(node.module == "data.query.run" and "run" in names(node) for node in imports):
        handed = [one for node in nodes if is_rows(node) for one in node.args]
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        kept = [one for one in calls if getattr(one.func, "id", "") == "run" and one not in handed]
        assert not kept, f"{name(path)}:{kept[0].lineno} keeps a frame"


def names(node: ast.ImportFrom) -> list[str]:
    return [one.name for one in node.names]


def is_rows(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "records.rows"


def condition(node: ast.AST) -> ast.AST:
    return node if isinstance(node, ast.Compare) else getattr(node, "test", node)


def words(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value
        yield getattr(one, "attr", getattr(one, "id", ""))


def test_plotly_in_python_and_in_the_browser_are_one_version() -> None:
    code = (ROOT / "assets" / "plotly.min.js").read_bytes()
    assert brotli.decompress((ROOT / "assets" / "plotly.min.js.br").read_bytes()) == code
    head = code.decode()[:400]
    found = re.search(r"v(\d+\.\d+\.\d+)", head)
    assert found is not None
    assert found[1] == get_plotlyjs_version()


def test_the_page_loads_nothing_from_elsewhere(served: Served) -> None:
    page = served.client.get("/settings/analytics", headers=served.headers(ADMIN)).text
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert loaded
    assert [one for one in loaded if re.match(r"(?:[a-z]+:)?//", one)] == []


def test_what_few_pages_need_comes_when_it_is_wanted(served: Served) -> None:
    """The code of tables, lists, overlays and charts is named, but is no script of the page; and
    what is, is served. Our own is one file of styles and two of scripts."""
    page = served.client.get("/settings/analytics", headers=served.headers(ADMIN)).text
    scripts = re.findall(r'<script src="([^"]*)"', page)
    late = "ag_grid|bootstrap|dash_table|core_comp|polyfill|plotly"
    assert [one for one in scripts if re.search(late, one)] == []
    named = re.findall(r'"(/_dash-component-suites/dash_ag_grid/[^"]*)"', page)
    assert len(named) == 2
    named += " ".join(
        re.findall(r'name="list-code" content="([^"]*)" data-more="([^"]*)"', page)[0]
    ).split()
    named += re.findall(r'name="overlay-code" content="([^"]*)"', page)
    assert len(named) == 6
    own = re.findall(r'(?:src|rel="stylesheet" href)="/assets/([^?"]*)', page)
    assert sorted(own) == ["arrival.js", "bundle.css", "bundle.js"]
    named += re.findall(r'"(/assets/plotly[^"]*)"', page)
    for path in [*scripts, *named]:
        answer = served.client.get(path, headers=served.headers(ADMIN))
        answer.close()
        assert answer.status_code == 200, path


@pytest.mark.parametrize("path", sorted((ROOT / "assets").glob("*.css")), ids=name)
def test_no_style_loads_anything_from_elsewhere(path: Path) -> None:
    css = path.read_text(encoding="utf-8")
    loaded = re.findall(r"@import\s+[^;]*|url\(\s*['\"]?([^)'\"]*)", css)
    assert [one for one in loaded if re.match(r"(?:https?:)?//", one)] == []
    assert "@import" not in css


def test_no_style_asks_the_whole_page_what_is_in_it() -> None:
    """Browsers ask again whenever any element comes or goes: charts took twice as long."""
    css = "".join(one.read_text(encoding="utf-8") for one in (ROOT / "assets").glob("*.css"))
    assert ":has(" in css
    assert re.findall(r"(?:^|[\s,{}>])(?:html|body|:root)[^\s,{}]*:has\([^{]*", css) == []


def test_the_typeface_is_served_and_comes_early(served: Served) -> None:
    """Small, kept for a year, and preloaded by the address that the style names: another would be
    loaded twice."""
    css = (ROOT / "assets" / "inter.css").read_text(encoding="utf-8")
    named = re.findall(r'url\("([^"]*)"\)', css)
    assert len(named) == css.count("unicode-range") == css.count("font-display: optional") == 2
    for path in named:
        answer = served.client.get(path, buffered=True)
        assert (answer.status_code, answer.mimetype) == (200, "font/woff2")
        assert len(answer.data) < 40_000
        assert "immutable" in answer.headers["Cache-Control"]
    for page in ("/settings/analytics", "/sign-in"):
        text = served.client.get(page, headers=served.headers(ADMIN)).text
        early = re.findall(r'<link rel="preload" as="font"[^>]*href="([^"]*)" crossorigin>', text)
        assert early == named[:1], page
        assert re.search(r'href="/assets/(?:bundle|inter)\.css', text), page
    assert css in served.client.get("/assets/bundle.css").text


@pytest.mark.parametrize(("key", "by", "measure"), DRAWN)
def test_every_figure_is_one_that_plotly_knows(
    served: Served, key: str, by: str, measure: str
) -> None:
    filters = parse({"preset": "last_n_days", "n": "30"}, served.settings.now(), "Europe/Berlin")
    answered = answer(SECTIONS[key], filters, Scope.of(ADMIN), served.store, by, measure)
    drawn = SECTIONS[key].shape.draw(answered)
    assert len(go.Figure(drawn).data) == len(drawn["data"])


def test_no_chart_can_be_sent_to_a_cloud() -> None:
    assert cards.GRAPH["showSendToCloud"] is False
    assert cards.GRAPH["plotlyServerURL"] == ""
    assert cards.GRAPH["displaylogo"] is False


def test_what_measures_can_be_loaded() -> None:
    """`make bench` is run by hand only; a name that moved would be found late."""
    assert callable(importlib.import_module("tests.bench.__main__").main)
