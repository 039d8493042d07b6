"""What people do with models, scene by scene; every scene becomes a handful of events."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from data.events.table import Event
from data.sample.calls import Context, Prompt, about, call
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

# When, what all events of a scene share, what is this one's own.
Beat = tuple[int, Event, Event]

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
    """A scene being told: `at` moves on with every event."""

    dice: Random
    at: int
    shared: Event
    beats: list[Beat] = field(default_factory=list)

    def tell(self, own: Event) -> None:
        self.beats.append((self.at, self.shared, own))
        self.at += own.get("duration_ms", 0) * 1_000

    def wait(self, seconds: float) -> None:
        self.at += about(self.dice, seconds * 1_000_000, 0.8)

    def call(self, model: Model, prompt: Prompt) -> None:
        self.tell(call(self.dice, model, self.at, prompt))

    def tool(self, name: str, median: int = 700) -> None:
        own: Event = {"kind": "tool", "tool": name, "tool_type": TOOLS[name]}
        own |= {"operation": "execute_tool", "duration_ms": about(self.dice, median, 0.9)}
        self.tell(own | self._mishap(0.035, "tool_error", "timeout", "not_found"))

    def integration(self, name: str) -> None:
        own: Event = {"kind": "integration", "integration": name}
        own |= {"integration_type": INTEGRATIONS[name], "duration_ms": about(self.dice, 420, 0.7)}
        self.tell(own | self._mishap(0.025, "unauthorized", "timeout", "connection_error"))

    def summary(self, kind: str, since: int, **own: Any) -> None:
        """The event over all that happened since; it ends as its last event ended."""
        last = self.beats[-1][2]
        ending = {name: last[name] for name in ("status", "error_class") if name in last}
        whole = {"kind": kind, "duration_ms": (self.at - since) // 1_000}
        self.beats.append((self.at, self.shared, whole | ending | own))

    def pick(self, names: tuple[str, ...]) -> str:
        return self.dice.choices(names, POPULAR[: len(names)])[0]

    def _mishap(self, share: float, *classes: str) -> Event:
        if self.dice.random() >= share:
            return {}
        return {"status": "error", "error_class": self.dice.choice(classes)}


def conversation(dice: Random, at: int, shared: Event) -> list[Beat]:
    """Questions to an assistant of the project, its calls, tools and replies."""
    project = shared["project"]
    assistant = dice.choices(LINEUP[project], LINEUP_SHARES[project])[0]
    name = assistant.model if dice.random() < 0.88 else dice.choice(SWITCHED)
    shared |= {"channel": "platform", "assistant": assistant.name, "client": dice.choice(WEB)}
    scene, model = Scene(dice, at, shared), MODELS[name]
    context = Context(model.caches, about(dice, assistant.prompt, 0.6))
    for _ in range(1 + min(int(dice.expovariate(0.28)), 18)):
        _reply(scene, model, context)
        scene.wait(75)
    return scene.beats


def _reply(scene: Scene, model: Model, context: Context) -> None:
    dice, since = scene.dice, scene.at
    warm = bool(scene.beats) and dice.random() < 0.75
    scene.call(model, context.ask(about(dice, 700, 1.2), about(dice, 560, 0.8), warm))
    if dice.random() < 0.36:
        look_up(scene)
        scene.call(model, context.ask(about(dice, 5_000, 0.9), about(dice, 520, 0.8), warm=True))
    scene.summary("message", since, operation="invoke_agent")


def look_up(scene: Scene) -> None:
    """A tool or an integration of the scene's project."""
    project = PROJECTS[scene.shared["project"]]
    if scene.dice.random() < 0.7:
        scene.tool(scene.pick(project.tools))
    else:
        scene.integration(scene.pick(project.integrations))


def coding(dice: Random, at: int, shared: Event, progress: float) -> list[Beat]:
    """A session of a coding agent: a long context, read from the cache over and over."""
    client = dice.choices(tuple(CLIENTS), (5, 4, 1))[0]
    releases, models = CLIENTS[client]
    release = releases[int(progress * len(releases))]
    shared |= {"channel": "cli", "client": f"{client} {release}"}
    scene = Scene(dice, at, shared)
    model = MODELS[dice.choices(models, (6, 4, 0.5)[: len(models)])[0]]
    small = MODELS[models[-1]]
    context = Context(model.caches, about(dice, 19_000, 0.2))
    edits = sum(
        _step(scene, model, small, context)
        for _ in range(4 + min(int(dice.expovariate(0.034)), 160))
    )
    scene.summary("session", at, **_changes(dice, edits))
    return scene.beats


def _step(scene: Scene, model: Model, small: Model, context: Context) -> bool:
    """One call, asides to a small model, and a tool; tells whether the code has changed."""
    dice = scene.dice
    warm = bool(scene.beats) and dice.random() < 0.9
    scene.call(model, context.ask(about(dice, 6_000, 0.9), about(dice, 1_400, 0.8), warm))
    luck = dice.random()
    if luck < 0.04:
        scene.call(small, Prompt(about(dice, 900, 0.4), 0, about(dice, 40, 0.5)))
    if luck < 0.09:
        scene.integration(scene.pick(("github", "jira", "sentry", "postgres")))
    if luck > 0.46:
        tool = dice.choices(SHELL_TOOLS, (8, 7, 5, 4, 1, 1))[0]
        scene.tool(tool, 1_900 if tool == "Bash" else 90)
        return tool in ("Edit", "Write", "apply_patch")
    scene.wait(45)
    return False


def _changes(dice: Random, edits: int) -> Event:
    added = sum(about(dice, 16, 1) for _ in range(edits))
    files = 0 if not edits else 1 + int(edits * dice.random() * 0.6)
    return {
        "lines_added": added,
        "lines_removed": int(added * dice.random() * 0.8),
        "files_changed": files,
    }
