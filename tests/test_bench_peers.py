"""That who is measured beside us is asked the same, and what is said where it is not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from typing import Final

import pytest

from tests.bench.peers import langfuse, litellm
from tests.bench.peers.frame import Frame
from tests.bench.peers.measuring import OURS, Taker, differences, measure, table
from tests.bench.peers.ours import Ours
from tests.bench.peers.questions import QUESTIONS, Answer, Peer, difference
from tests.bench.peers.rows import Rows, make
from tests.bench.serving import server
from tests.clickhouse import ClickHouse
from tests.postgres import Cluster

EVENTS: Final = 2_000
SETTINGS: Final = ("JWT_SECRET", "INGEST_KEY", "PORT", "DATA_DIR", "EVENTS_URL", "NOW")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    return make(tmp_path_factory.mktemp("peers"), EVENTS)


@pytest.fixture
def ours(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> Iterator[Taker]:
    for name in SETTINGS:  # which a server that is measured leaves behind
        monkeypatch.setenv(f"SPENDSCOPE_{name}", "")
    with server(rows.store) as (port, pid), closing(Ours(port)) as one:
        yield Taker(OURS, one, pid)


def test_all_who_need_no_installation_answer_the_same(
    rows: Rows, ours: Taker, cluster: Cluster, clickhouse: ClickHouse
) -> None:
    assert rows.count == EVENTS
    frame, base = Frame(rows.csv), litellm.load(cluster, rows)
    langfuse.load(clickhouse.path, rows.csv)
    with (
        closing(litellm.LiteLLM(base)) as days,
        closing(litellm.LiteLLM(base, calls=True)) as calls,
        closing(langfuse.Langfuse(clickhouse.path)) as traces,
    ):
        peers: list[Peer] = [frame, days, calls, traces]
        takers = [ours, *(Taker(str(n), one, os.getpid()) for n, one in enumerate(peers))]
        wanted = {one: frame.ask(one) for one in QUESTIONS}
        assert [len(one) for one in wanted.values()] == [29, 10, 10, 10]
        assert sum(wanted["day"].values()) > 1
        assert differences(takers, wanted) == []
        measure(takers, 1)
        assert table(takers).count(" ms, ") == 4 * len(QUESTIONS)


class Other:
    """Says a cent too much of the first it names, and leaves out the last."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def ask(self, question: str) -> Answer:
        (first, cost), *more, _ = self._frame.ask(question).items()
        return {first: cost + 0.01, **dict(more)}


def test_who_answers_otherwise_is_named_and_not_timed(rows: Rows) -> None:
    frame = Frame(rows.csv)
    wanted = {one: frame.ask(one) for one in QUESTIONS}
    other = Taker("the other", Other(frame), os.getpid())
    said = differences([other], wanted)
    assert len(said) == len(QUESTIONS)
    assert all(one.startswith("the other answers ") for one in said)
    measure([other], 1)
    assert other.taken == {}
    ours = Taker(OURS, frame, os.getpid())
    measure([ours], 1)
    assert table([ours, other]).splitlines()[-1].count("differs") == len(QUESTIONS)


class Failing:
    def ask(self, question: str) -> Answer:
        raise OSError("its server is gone\nin the middle")


def test_who_fails_leaves_and_the_others_go_on(rows: Rows) -> None:
    frame = Frame(rows.csv)
    takers = [Taker("it", Failing(), os.getpid()), Taker(OURS, frame, os.getpid())]
    assert measure(takers, 2) == ["it is left out: OSError, its server is gone"]
    assert [(one.name, len(one.taken["day"])) for one in takers] == [(OURS, 2)]
    takers.append(Taker("it", Failing(), os.getpid()))
    wanted = {one: frame.ask(one) for one in QUESTIONS}
    assert differences(takers, wanted) == ["it is left out: OSError, its server is gone"]
    assert len(takers) == 1


def test_half_a_cent_is_a_difference() -> None:
    assert difference({"a": 1.0}, {"a": 1.0049, "b": 0.0}) == ""
    assert difference({"a": 1.0}, {"a": 1.006}) == "a: 1.0060 $ where pandas has 1.0000 $"
    assert difference({"a": 1.0}, {}) == "a: 0.0000 $ where pandas has 1.0000 $"
