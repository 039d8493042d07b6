"""Budgets as bars and the crossings of their limits as points: rows in, plain dicts out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from components.settings.resource import Row
from components.shapes.axes import horizontal_layout, short_name
from data.local_time import instant
from data.query.catalog import METRICS
from data.query.units import SHARE

Figure = dict[str, Any]
# Read on light and dark alike.
BLUE: Final = "#3d69cb"
AMBER: Final = "#d99a1c"
RED: Final = "#cf4a33"
QUIET: Final = "#8a93a3"
LEVELS: Final = {
    "good": ("Up to 75%", BLUE),
    "amber": ("Over 75%", AMBER),
    "red": ("Over 90%", RED),
}
POINTS: Final = {
    "soft": ("Soft limit", {"symbol": "circle-open", "size": 14, "color": AMBER,
                            "line": {"width": 2}}),
    "hard": ("Limit", {"symbol": "diamond", "size": 8, "color": RED}),
}  # fmt: skip
MOST: Final = 30
FARTHEST: Final = 3.0  # of the limit: a projection beyond it is drawn at the edge
LINE: Final = 46
FRAME: Final = 86
LEGEND: Final = {"orientation": "h", "x": 0, "y": 1, "yref": "container", "yanchor": "top",
                 "itemclick": False, "itemdoubleclick": False}  # fmt: skip
MARGIN: Final = {"l": 8, "r": 62, "t": 44, "b": 34}
WHOLE: Final = {
    "type": "line", "x0": 1, "x1": 1, "y0": 0, "y1": 1, "yref": "paper",
    "line": {"color": QUIET, "width": 1.5, "dash": "dash"},
}  # fmt: skip


def drawn(figure: Figure, lines: int, summary: str) -> Row:
    """A chart of so many lines, as high as they need, and the sentence made of its numbers."""
    height = f"{FRAME + LINE * max(min(lines, MOST), 2)}px"
    return {"figure": figure, "style": {"height": height}, "summary": summary}


def shares_summary(rows: list[Row]) -> str:
    """How many budgets there are, which is the fullest, and how many are or will be over."""
    if not rows:
        return ""
    fullest = max(rows, key=lambda row: float(row["share"]))
    over = sum(row["share"] > 1 for row in rows)
    pace = sum((row["projected"] or 0) > row["hard"] for row in rows)
    return (
        f"{_counted(len(rows), 'budget')}, {over} over the limit, {pace} at this pace."
        f" Fullest: {fullest['subject']}, {fullest['period'].lower()}, with"
        f" {fullest['share_text']} of the limit: {fullest['spent_text']} of {fullest['hard_text']}."
    )


def crossings_summary(points: list[Row]) -> str:
    """How often limits were crossed, of how many budgets, and when last."""
    if not points:
        return ""
    last = max(points, key=lambda point: int(point["hour"]))
    return (
        f"Limits were crossed {_counted(len(points), 'time')}, of"
        f" {_counted(len({point['id'] for point in points}), 'budget')}. Latest: {last['subject']},"
        f" {last['period'].lower()}, {POINTS[last['limit']][0].lower()} on {last['at_text']},"
        f" {last['over_text']} over at the end."
    )


def _counted(count: int, one: str) -> str:
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def shares(rows: list[Row]) -> Figure:
    """A bar a budget: how much of its limit is spent, the fullest on top; a line at the whole."""
    ranked = sorted(rows, key=lambda row: -row["share"])[:MOST]
    end = _end(ranked)
    bars = [_bars(level, ranked) for level in LEVELS if _of(level, ranked)]
    across = {
        "range": [0, end], "tickvals": _ticks(end), "tickformat": ".0%", "tickangle": 0,
        "showticklabels": True, "fixedrange": True, "showgrid": True, "zeroline": False,
    }  # fmt: skip
    layout = _layout(ranked) | {
        "xaxis": across, "barmode": "overlay", "shapes": [WHOLE],
        "annotations": [_share(place, row) for place, row in enumerate(ranked)],
    }  # fmt: skip
    return {"data": [*bars, _projected(ranked, end)], "layout": layout}


def crossings(points: list[Row], now: int, zone: str) -> Figure:
    """A point a crossing, on the line of its budget; times in the reader's zone."""
    lines = list({point["id"]: point for point in points}.values())[:MOST]
    places = {line["id"]: place for place, line in enumerate(lines)}
    shown = [point for point in points if point["id"] in places]
    return {
        "data": [_points(limit, shown, places, zone) for limit in POINTS],
        "layout": _layout(lines) | {
            "xaxis": {"type": "date", "fixedrange": True, "showgrid": True, "zeroline": False,
                      "range": _stretch(shown, now, zone), "nticks": 3, "tickangle": 0,
                      "tickformat": "%-d %b<br>%Y"},
            "margin": MARGIN | {"r": 16, "b": 46},
        },
    }  # fmt: skip


def _layout(lines: list[Row]) -> Row:
    names = [line["subject"] for line in lines]
    layout = horizontal_layout(METRICS["cost"], names)
    layout["yaxis"] |= {
        "range": [max(len(lines), 1) - 0.5, -0.5], "showgrid": False,
        "ticktext": [f"{short_name(line['subject'])} <br>{line['period']} " for line in lines],
    }  # fmt: skip
    return layout | {"showlegend": True, "legend": LEGEND, "margin": MARGIN}


def _of(level: str, rows: list[Row]) -> list[int]:
    return [place for place, row in enumerate(rows) if row["level"] == level]


def _bars(level: str, rows: list[Row]) -> Figure:
    name, colour = LEVELS[level]
    places = _of(level, rows)
    of_level = [rows[place] for place in places]
    texts = [f"{r['spent_text']} of {r['hard_text']}: {r['share_text']}" for r in of_level]
    return {
        "type": "bar", "orientation": "h", "name": name, "y": places, "width": 0.42,
        "x": [row["share"] for row in of_level],
        "marker": {"color": colour, "line": {"width": 0}},
        "customdata": [[row["id"], text] for row, text in zip(of_level, texts, strict=True)],
        "hovertemplate": "%{customdata[1]}<extra></extra>",
    }  # fmt: skip


def _projected(rows: list[Row], end: float) -> Figure:
    known = [(place, row) for place, row in enumerate(rows) if row["projected"] is not None]
    # The legend takes the look of the first.
    known.sort(key=lambda one: one[1]["projected"] > end * one[1]["hard"])
    of_limit = [row["projected"] / row["hard"] for _, row in known]
    return {
        "type": "scatter", "mode": "markers", "name": "Projected at the reset",
        "x": [min(share, end) for share in of_limit], "y": [place for place, _ in known],
        "customdata": [
            [row["id"], f"{row['projected_text']}, {SHARE.text(share)} of the limit"]
            for (_, row), share in zip(known, of_limit, strict=True)
        ],
        "marker": {"size": 11, "color": QUIET, "line": {"width": 1.5, "color": "#ffffff"},
                   "symbol": ["triangle-right" if x > end else "diamond" for x in of_limit]},
        "hovertemplate": "Projected at the reset: %{customdata[1]}<extra></extra>",
        "cliponaxis": False,
    }  # fmt: skip


def _end(rows: list[Row]) -> float:
    """Where the axis ends: past every bar, and past projections that are not out of all bounds."""
    paces = [row["projected"] / row["hard"] for row in rows if row["projected"] is not None]
    fullest = max((row["share"] for row in rows), default=0)
    return 1.06 * max(1, fullest, min(FARTHEST, max(paces, default=0)))


def _ticks(end: float) -> list[int]:
    """The whole limit, and few beside it: a phone has room for two words."""
    return [0, 1, 2] if end < 2.5 else [1, int(end)]


def _share(place: int, row: Row) -> Row:
    return {
        "x": 1, "xref": "paper", "xanchor": "left", "y": place, "text": f" {row['share_text']}",
        "showarrow": False,
    }  # fmt: skip


def _points(limit: str, points: list[Row], places: dict[int, int], zone: str) -> Figure:
    name, marker = POINTS[limit]
    of_limit = [point for point in points if point["limit"] == limit]
    texts = [f"{one['at_text']}, {one['over_text']} over at the end" for one in of_limit]
    return {
        "type": "scatter", "mode": "markers", "name": name, "marker": marker, "showlegend": True,
        "cliponaxis": False,
        "x": [_local(point["hour"], zone) for point in of_limit],
        "y": [places[point["id"]] for point in of_limit],
        "customdata": texts, "hovertemplate": f"{name}: %{{customdata}}<extra></extra>",
    }  # fmt: skip


def _stretch(points: list[Row], now: int, zone: str) -> list[str]:
    """From the first crossing to now, with air on both sides."""
    first = min((point["hour"] for point in points), default=now)
    air = max((now - first) // 20, timedelta(hours=12) // timedelta(microseconds=1))
    return [_local(first - air, zone), _local(now + air, zone)]


def _local(us: int, zone: str) -> str:
    return f"{instant(us, zone):%Y-%m-%dT%H:%M}"
