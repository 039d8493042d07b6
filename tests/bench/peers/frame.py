"""Plain pandas: all rows in memory, grouped at every question."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from data.events.money import NANO
from tests.bench.peers.questions import SPAN, TOP, Answer


class Frame:
    def __init__(self, csv: Path) -> None:
        used = ["ts", "user", "project", "model", "cost_nano"]
        self._all = pd.read_csv(csv, usecols=used, dtype={"cost_nano": "Int64"})

    def ask(self, question: str) -> Answer:
        start, end = SPAN
        rows = self._all[(self._all["ts"] >= start) & (self._all["ts"] < end)]
        if question == "day":
            days = pd.to_datetime(rows["ts"], unit="us").dt.strftime("%Y-%m-%d")
            sums = rows.groupby(days)["cost_nano"].sum()
        else:
            sums = rows.groupby(question)["cost_nano"].sum().nlargest(TOP)
        return {str(key): float(cost) / NANO for key, cost in sums.items()}
