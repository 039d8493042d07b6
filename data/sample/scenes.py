"""What people do with models, scene by scene; every scene becomes a handful of events."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from data.events.table import Event
from data.sample.calls import Context, Prompt, call, vary
from data.sample.cast import (
    ASSISTANTS,
    CLIENTS,
    EMBEDDING,
    INTEGRATIONS,
    MODELS,
    PROJECTS,
    SHELL_TOOLS,
    TOOLS,
    Model,
)

# When (µs UTC), the fields that a scene's events share, the fields of this one alone.
SampleEvent = tuple[int, Event, Event]

LINEUP: Final = {
    project: tuple(a for a in ASSISTANTS if a.project in (project, None)) for project in PROJECTS
}
LINEUP_SHARES: Final = {
    project: [0.9 if a.project is None else 3 for a in lineup] for project, lineup in LINEUP.items()
}
SWITCHED: Final = tuple(model for model in MODELS if model != EMBEDDING.name)
POPULAR: Final = (9, 5, 3, 2, 2, 1, 1)  # of a list: its first entries are used most
WEB: Final = ("web", "web", "web", "slack-app 2.3.1", "teams-app 1.9.0", None)


@dataclass(slots=True)
class Scene:
    """The events of one activity; `at` moves on with each."""

    rng: Random
    at: int
    shared: Event
    events: list[SampleEvent] = field(default_factory=list)

    def add(self, own: Event) -> None:
        self.events.append((self.at, self.shared, own))
        self.at += own.get("duration_ms", 0) * 1_000

    def wait(self, seconds: float) -> None:
        self.at += vary(self.rng, seconds * 1_000_000, 0.8)

    def call(self, model: Model, prompt: Prompt) -> None:
        self.add(call(self.rng, model, self.at, prompt))

    def tool(self, name: str, median: int = 700) -> None:
        own: Event = {"kind": "tool", "tool": name, "tool_type": TOOLS[name]}
        own |= {"operation": "execute_tool", "duration_ms": vary(self.rng, median, 0.9)}
        self.add(own | self._mishap(0.035, "tool_error", "timeout", "not_found"))

    def integration(self, name: str) -> None:
        own: Event = {"kind": "integration", "integration": name}
        own |= {
            "integration_type": INTEGRATIONS[name],
            "duration_ms": vary(self.rng, 420, 0.7),
        }
        self.add(own | self._mishap(0.025, "unauthorized", "timeout", "connection_error"))

    def summary(self, kind: str, since: int, **own: Any) -> None:
        """The event over all that happened since; it ends as its last event ended."""
        last = self.events[-1][2]
        ending = {name: last[name] for name in ("status", "error_class") if name in last}
        whole = {"kind": kind, "duration_ms": (self.at - since) // 1_000}
        self.events.append((self.at, self.shared, whole | ending | own))

    def pick(self, names: tuple[str, ...]) -> str:
        return self.rng.choices(names, POPULAR[: len(names)])[0]

    def _mishap(self, share: float, *classes: str) -> Event:
        if self.rng.random() >= share:
            return {}
        return {"status": "error", "error_class": self.rng.choice(classes)}


def conversation(rng: Random, at: int, shared: Event) -> list[SampleEvent]:
    """Questions to an assistant of the project, its calls, tools and replies."""
    project = shared["project"]
    assistant = rng.choices(LINEUP[project], LINEUP_SHARES[project])[0]
    name = assistant.model if rng.random() < 0.88 else rng.choice(SWITCHED)
    shared |= {"channel": "platform", "assistant": assistant.name, "client": rng.choice(WEB)}
    scene, model = Scene(rng, at, shared), MODELS[name]
    context = Context(model.caches, vary(rng, assistant.prompt, 0.6))
    for _ in range(1 + min(int(rng.expovariate(0.28)), 18)):
        _reply(scene, model, context)
        scene.wait(75)
    return scene.events


def _reply(scene: Scene, model: Model, context: Context) -> None:
    rng, since = scene.rng, scene.at
    warm = bool(scene.events) and rng.random() < 0.75
    scene.call(model, context.ask(vary(rng, 700, 1.2), vary(rng, 560, 0.8), warm))
    if rng.random() < 0.36:
        look_up(scene)
        scene.call(model, context.ask(vary(rng, 5_000, 0.9), vary(rng, 520, 0.8), warm=True))
    scene.summary("message", since, operation="invoke_agent")


def look_up(scene: Scene) -> None:
    """A tool or an integration of the scene's project."""
    project = PROJECTS[scene.shared["project"]]
    if scene.rng.random() < 0.7:
        scene.tool(scene.pick(project.tools))
    else:
        scene.integration(scene.pick(project.integrations))


def coding(rng: Random, at: int, shared: Event, progress: float) -> list[SampleEvent]:
    """A session of a coding agent: a long context, read from the cache over and over."""
    client = rng.choices(tuple(CLIENTS), (5, 4, 1))[0]
    releases, models = CLIENTS[client]
    release = releases[int(progress * len(releases))]
    shared |= {"channel": "cli", "client": f"{client} {release}"}
    scene = Scene(rng, at, shared)
    model = MODELS[rng.choices(models, (6, 4, 0.5)[: len(models)])[0]]
    small = MODELS[models[-1]]
    context = Context(model.caches, vary(rng, 19_000, 0.2))
    edits = sum(
        _step(scene, model, small, context)
        for _ in range(4 + min(int(rng.expovariate(0.034)), 160))
    )
    scene.summary("session", at, **_changes(rng, edits))
    return scene.events


def _step(scene: Scene, model: Model, small: Model, context: Context) -> bool:
    """One call, asides to a small model, and a tool; tells whether the code has changed."""
    rng = scene.rng
    warm = bool(scene.events) and rng.random() < 0.9
    scene.call(model, context.ask(vary(rng, 6_000, 0.9), vary(rng, 1_400, 0.8), warm))
    draw = rng.random()
    if draw < 0.04:
        scene.call(small, Prompt(vary(rng, 900, 0.4), 0, vary(rng, 40, 0.5)))
    if draw < 0.09:
        scene.integration(scene.pick(("github", "jira", "sentry", "postgres")))
    if draw > 0.46:
        tool = rng.choices(SHELL_TOOLS, (8, 7, 5, 4, 1, 1))[0]
        scene.tool(tool, 1_900 if tool == "Bash" else 90)
        return tool in ("Edit", "Write", "apply_patch")
    scene.wait(45)
    return False


def _changes(rng: Random, edits: int) -> Event:
    added = sum(vary(rng, 16, 1) for _ in range(edits))
    files = 0 if not edits else 1 + int(edits * rng.random() * 0.6)
    return {
        "lines_added": added,
        "lines_removed": int(added * rng.random() * 0.8),
        "files_changed": files,
    }
