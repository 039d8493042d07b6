"""A unit is declared, never asked its name: one from outside reads, draws and exports."""

from __future__ import annotations

import ast
import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from components.sections.declared import SECTIONS
from data.query.catalog import METRICS
from data.query.metric import LLM, E, Metric, total
from data.query.units import (
    COUNT,
    DASH,
    DURATION,
    INSTANT,
    NUMBER,
    SHARE,
    TEXT,
    TOKENS,
    USD,
    USD_EACH,
    Axis,
    Unit,
)
from tests.serving import Served, serving

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCES: Final = [
    p for room in ("data", "components", "callbacks") for p in (ROOT / room).rglob("*.py")
]
ROOMS: Final = ("data", "components", "callbacks")
UNITS: Final = (COUNT, DURATION, INSTANT, NUMBER, SHARE, TEXT, TOKENS, USD, USD_EACH)
WEIGHT: Final = Unit(
    "kg", lambda kilos: f"{kilos:,.2f} kg", scale=1_000, axis=Axis(suffix=" kg", tickformat=".1f")
)
METRIC: Final = Metric("weight", "Weight", WEIGHT, total(E.input_tokens), "In grams.", LLM)
SECTION: Final = "cost-over-time"
SPAN: Final = {"preset": "custom", "from": "2026-11-01T00:00Z", "to": "2026-11-03T00:00Z"}


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setitem(METRICS, "weight", METRIC)
    weighed = replace(SECTIONS[SECTION], metrics=("weight",), measures=())
    monkeypatch.setitem(SECTIONS, SECTION, weighed)
    with serving(tmp_path) as one:
        one.load([
            {"event_id": "e", "ts": "2026-11-01T10:00:00Z", "model": "m", "input_tokens": 2_345}
        ])  # fmt: skip
        yield one


def test_the_catalog_and_the_query_tell_its_name(served: Served) -> None:
    listed = {one["name"]: one["unit"] for one in served.json("catalog")["metrics"]}
    told = served.json("query", metrics="weight", **SPAN)
    assert listed["weight"] == "kg"
    assert told["columns"] == [{"name": "weight", "label": "Weight", "unit": "kg"}]
    assert told["totals"] == {"weight": 2.345}


def test_its_file_holds_the_scaled_number(served: Served) -> None:
    text = served.get(f"sections/{SECTION}.csv", by="model", **SPAN).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [float(row["weight"]) for row in rows if float(row["weight"])] == [2.345]


def test_chart_and_table_read_as_it_says(served: Served) -> None:
    store = {"choice": SPAN, "zone": "UTC", "now": 1_795_000_000_000_000}
    card = served.answer(SECTION, store, "weight", "model")
    figure, rows = card["figure"], card["rows"]
    axis = figure["layout"]["yaxis"]
    assert (axis["ticksuffix"], axis["tickformat"], axis["tickprefix"]) == (" kg", ".1f", "")
    assert "2.35 kg" in {text for trace in figure["data"] for text in trace["customdata"]}
    assert "2.35 kg" in {row["weight_text"] for row in rows}
    said = "Weight: 2.35 kg in total. Largest: 1 Nov 10:00, m with 2.35 kg"
    assert card["summary"] == said


@pytest.mark.parametrize(("unit", "value", "text", "brief"), [
    (USD, 1234567.891, "$1,234,567.89", "$1.23M"), (USD, 0.004, "<$0.01", "<$0.01"),
    (USD_EACH, 0.000123456, "$0.000123", "$0.000123"), (COUNT, 999_950, "999,950", "1.00M"),
    (TOKENS, 9_999, "9,999", "9,999"), (SHARE, 0.9996, "99.9%", "99.9%"),
    (DURATION, 61_000, "1 m 01 s", "1 m 01 s"), (NUMBER, 12.0, "12", "12"),
    (INSTANT, 1_793_534_400_000_000, "1 Nov 2026 13:00", "1 Nov 2026 13:00"), (TEXT, "x", "x", "x"),
])  # fmt: skip
def test_a_value_reads_in_full_and_in_brief(unit: Unit, value: Any, text: str, brief: str) -> None:
    assert (unit.text(value, "Europe/Berlin"), unit.brief(value, "Europe/Berlin")) == (text, brief)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_unknown_is_a_dash_and_null(unit: Unit) -> None:
    for value in (None, float("nan")):
        assert (unit.text(value), unit.brief(value), unit.record(value, "UTC")) == (
            DASH,
            DASH,
            None,
        )


def test_no_module_asks_a_unit_its_name() -> None:
    """No unit is compared, matched or looked up by: what depends on it is the unit's to say."""
    sources = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    assert len(sources) > 100
    asking = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sources if path.name != "units.py" for node in asked(path.read_text("utf-8"))
    }  # fmt: skip
    assert not asking


@pytest.mark.parametrize("source", [
    "METRICS[name].unit in ('usd', 'usd_each')", "metric.unit.name == 'count'", "unit != 'ms'",
    "column_unit(name) not in ('text',)", "PREFIX.get(metric.unit, '')", "FULL[unit](value)",
    "match one.unit:\n    case 'usd': pass", "metric.unit is COUNT",
])  # fmt: skip
def test_asking_a_unit_its_name_is_found(source: str) -> None:
    assert len(asked(source)) == 1


def asked(source: str) -> list[ast.expr | ast.stmt]:
    """Where a source lets something depend on which unit it has before it."""
    found: list[ast.expr | ast.stmt] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Compare(left=left, comparators=others) if any(map(is_unit, (left, *others))):
                found.append(node)
            case ast.Match(subject=one) if is_unit(one):
                found.append(node)
            case ast.Subscript(slice=one) if is_unit(one):
                found.append(node)
            case ast.Call(func=ast.Attribute(attr="get"), args=args) if any(map(is_unit, args)):
                found.append(node)
    return found


def is_unit(node: ast.expr) -> bool:
    """Whether this is a metric's or a column's unit, or the name of it."""
    if isinstance(node, ast.Attribute) and node.attr == "name":
        node = node.value
    if isinstance(node, ast.Call):
        node = node.func
    return getattr(node, "attr", getattr(node, "id", "")) in ("unit", "column_unit")
