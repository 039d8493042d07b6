"""Ninety days of a sample organisation: the same seed and end, the same events, byte by byte.

The cast is fixed (`cast.py`); a random generator decides who does what when. What is
worth finding: a new project ramps up over the last third, a workflow runs wild for a day two
weeks before the end, an on-premises model has no price. What is made here is canonical already
and skips `events.clean`; `tests/sample/test_sample.py` holds it to that.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from operator import itemgetter
from random import Random
from typing import Final

from data.errors import Refused
from data.events.table import EARLIEST, FIELDS, LATEST, Event, micros
from data.sample.calendar import DAY, HOUR, Calendar
from data.sample.cast import NEWCOMER, PROJECTS, WORKFLOWS
from data.sample.people import PEOPLE, PERSONAS, Employee, Persona
from data.sample.programs import SERVICES, SHARES, add_on, run, serve
from data.sample.scenes import SampleEvent, coding, conversation

__all__ = ["PERSONAS", "SOURCE", "Persona", "sample"]

SOURCE: Final = "sample"
BLANK: Final[Event] = dict.fromkeys(FIELDS) | {
    "source": SOURCE,
    "status": "ok",
    "cost_origin": "unpriced",
}
WEIGHTS: Final = tuple(accumulate(person.weight for person in PEOPLE))
ZONES: Final = sorted({person.zone for person in PEOPLE})
SERVED: Final = 0.12  # of all events: programs, round the clock
WILD: Final = 0.0022  # of all events: the day a workflow ran wild
WILD_DAYS_AGO: Final = 14
RAMP: Final = 2 / 3  # of the window is over when the new project starts
DARK: Final = 0.07  # of the coding sessions nobody assigned to a project


def sample(events: int = 100_000, days: int = 90, seed: int = 7, *, until: int) -> Iterator[Event]:
    """Exactly `events` events in the `days` before `until` (µs UTC), in order of time.

    An id is made of the seed and the place in that order: loading the same sample twice adds
    nothing, nor does one of equal size that ends at another time.
    """
    if days < 1:
        raise Refused("days", "days must be 1 or more")
    if not micros(EARLIEST) + days * DAY <= until <= micros(LATEST):
        raise Refused("until", "the sample would leave the years 2000 to 2100")
    timeline = Timeline(days, seed, until).events(events)
    timeline.sort(key=itemgetter(0))
    return (
        {**BLANK, **shared, **own, "event_id": f"{SOURCE}-{seed}-{number}", "ts": ts}
        for number, (ts, shared, own) in enumerate(timeline)
    )


class Timeline:
    """Everything that happened, scene by scene; the same for the same seed."""

    def __init__(self, days: int, seed: int, until: int) -> None:
        self.seed = seed
        self.rng = Random(seed)  # noqa: S311 - a sample, not a secret
        self.calendar = Calendar(self.rng, days, until, ZONES)
        self.made = 0

    def events(self, count: int) -> list[SampleEvent]:
        """As many as asked for, not yet in order of time."""
        start, until = self.calendar.start, self.calendar.until
        events: list[SampleEvent] = []
        for scene in self._scenes(count):
            events += [event for event in scene if start <= event[0] < until]
            self.made = len(events)
            if self.made >= count:
                break
        return events[:count]

    def _scenes(self, events: int) -> Iterator[list[SampleEvent]]:
        yield from self._services(max(1, int(events * SERVED)))
        yield from self._wild(self.made + int(events * WILD))
        while True:
            yield self._day_to_day()

    def _services(self, count: int) -> Iterator[list[SampleEvent]]:
        """One call in each of as many equal slices of time; the last is minutes old."""
        slot = (self.calendar.until - self.calendar.start) / count
        for number in range(count):
            ago = self.rng.random() * (slot if number else min(slot, HOUR / 4))
            service = self.rng.choices(SERVICES, SHARES)[0]
            person = self._person()
            user = person if service.project in person.projects else None
            at = self.calendar.until - 1 - int(number * slot + ago)
            yield serve(self.rng, at, self._shared(user, service.project), service)

    def _wild(self, enough: int) -> Iterator[list[SampleEvent]]:
        """From midnight UTC on, until somebody noticed and killed it."""
        workflow = WORKFLOWS["contracts"]
        owner = next(person for person in PEOPLE if person.projects[0] == workflow.project)
        midnight = (self.calendar.until // DAY - WILD_DAYS_AGO) * DAY
        while self.made < enough and midnight >= self.calendar.start:
            at = midnight + int(self.rng.random() * 20 * HOUR)
            shared = self._shared(owner, workflow.project, "run_id")
            scene = run(self.rng, at, shared, workflow, wild=True)
            yield scene[: enough - self.made]

    def _day_to_day(self) -> list[SampleEvent]:
        person = self._person()
        at = self.calendar.moment(self.rng, person.zone)
        project, draw = self._project(person, at), self.rng.random()
        if PROJECTS[project].repositories and draw < 0.4:
            return self._coding(person, project, at)
        if project in WORKFLOWS and draw > 0.74:
            shared = self._shared(person if draw < 0.92 else None, project, "run_id")
            return run(self.rng, at, shared, WORKFLOWS[project], wild=False)
        if draw > 0.72:
            return add_on(self.rng, at, self._shared(person, project))
        return conversation(self.rng, at, self._shared(person, project, "conversation_id"))

    def _coding(self, person: Employee, project: str, at: int) -> list[SampleEvent]:
        known = None if self.rng.random() < DARK else project
        shared = self._shared(person, known, "conversation_id")
        shared["repository"] = self.rng.choice(PROJECTS[project].repositories)
        return coding(self.rng, at, shared, self.calendar.progress(at))

    def _person(self) -> Employee:
        return self.rng.choices(PEOPLE, cum_weights=WEIGHTS)[0]

    def _project(self, person: Employee, at: int) -> str:
        """Home more often than not; the new project first never, then ever more often."""
        ramped = (self.calendar.progress(at) - RAMP) / (1 - RAMP)
        if NEWCOMER in person.projects and self.rng.random() < ramped * 0.8:
            return NEWCOMER
        own = [project for project in person.projects if project != NEWCOMER]
        return self.rng.choices(own, (6, 3, 1)[: len(own)])[0]

    def _shared(self, person: Employee | None, project: str | None, naming: str = "") -> Event:
        """What every event of a scene says; `naming` is the field with the scene's own id."""
        shared: Event = {"project": project}
        if project is not None:
            shared["project_name"] = PROJECTS[project].name
        if person is not None:
            shared |= {"user": person.id, "user_name": person.name}
        if naming:
            shared[naming] = f"{naming.split('_')[0]}-{self.seed}-{self.made}"
        return shared
