"""What is asked about the events: metrics, dimensions, filters. `run.py` asks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from data.errors import Refused, excerpt
from data.local_time import Grain
from data.query.catalog import dimension, metric
from data.query.filters import Filters


@dataclass(frozen=True, slots=True)
class Query:
    """A hashable question. `order` holds (name, descending); `top` keeps the N values of the
    last dimension that are largest by the first metric and gathers the others in `OTHER`, `kept`
    those that it names;
    `where` narrows to values of fields (none named: to where the field is known at all);
    `of_metric` keeps the events of one metric alone, so that a list of them adds up to it.
    Which wider question it is a part of, and what the rows of that one tell apart, `passes.py` has.
    """

    metrics: tuple[str, ...]
    by: tuple[str, ...]
    filters: Filters
    grain: Grain | None = None
    order: tuple[tuple[str, bool], ...] = ()
    limit: int | None = None
    offset: int = 0
    top: int | None = None
    search: str = ""
    where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    of_metric: str = ""
    kept: tuple[str | None, ...] | None = None
    apart: tuple[tuple[str, ...], ...] = ()
    passes: Mapping[Query, Query] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        for name in (*self.metrics, *([self.of_metric] if self.of_metric else [])):
            metric(name)
        for name in self.by:
            dimension(name)
        for name, _ in self.order:
            if name not in (*self.metrics, *self.by):
                raise Refused("order", f"{excerpt(name)} is neither asked for nor broken down by")

    @property
    def bucket(self) -> Grain:
        """The grain that was asked for, else the one that fits the window."""
        return self.grain or self.filters.window.grain()

    def total(self) -> Query:
        """The same question without dimensions."""
        return replace(self, by=(), order=(), limit=None, offset=0, top=None, kept=None)

    def before(self) -> Query:
        """The same question, in buckets of the same size, about the window to compare with."""
        return replace(self, filters=self.filters.before(), grain=self.bucket)
