"""What programs do with models: workflow runs, services that never sleep, a bought add-on."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from data.events.table import Event
from data.sample.calls import Context, Prompt, call, vary
from data.sample.cast import EMBEDDING, MODELS, Workflow
from data.sample.scenes import SampleEvent, Scene, look_up

DEAREST: Final = MODELS["gpt-6-astra"]
MARKUP: Final = 115  # per cent of the list price


@dataclass(frozen=True, slots=True)
class Service:
    """A program of a project; its prompts and answers have these medians, in tokens."""

    project: str
    model: str
    share: int
    fresh: int
    output: int
    tags: str | None


SERVICES: Final = (
    Service("search", EMBEDDING.name, 44, 2_600, 0, '{"environment":"production","job":"index"}'),
    Service("search", "gpt-6-luna", 18, 900, 60, '{"environment":"production","job":"query"}'),
    Service("helpdesk", "claude-haiku-5-5", 16, 1_800, 90, '{"environment":"production"}'),
    Service("checkout", "gemini-3.8-flash", 9, 2_400, 160, '{"environment":"production"}'),
    Service("finance", "qwen3-32b-onprem", 8, 2_900, 300, '{"environment":"on-prem"}'),
    Service("lakehouse", "mistral-medium-3-5", 5, 5_200, 420, None),
)
SHARES: Final = tuple(service.share for service in SERVICES)


def run(rng: Random, at: int, shared: Event, workflow: Workflow, wild: bool) -> list[SampleEvent]:
    """One run of a workflow; a wild one loops, on the dearest model, with everything it has."""
    model = DEAREST if wild else MODELS[workflow.model]
    shared |= {"channel": "api" if rng.random() < 0.2 else "platform", "workflow": workflow.name}
    scene = Scene(rng, at, shared)
    for _ in range(vary(rng, workflow.steps * (2 if wild else 1), 0.3)):
        prompt = vary(rng, 112_000, 0.15) if wild else vary(rng, workflow.prompt, 0.5)
        context = Context(model.caches)
        scene.call(model, context.ask(prompt, vary(rng, 1_500, 0.6), warm=False))
        if rng.random() < 0.3:
            look_up(scene)
    scene.summary("workflow", at, operation="invoke_workflow")
    return scene.events


def serve(rng: Random, at: int, shared: Event, service: Service) -> list[SampleEvent]:
    """One call of a service: the traffic of nights and weekends."""
    shared |= {"channel": "api", "client": "python-sdk 3.8.0", "tags": service.tags}
    prompt = Prompt(vary(rng, service.fresh, 0.7), 0, vary(rng, service.output, 0.5))
    return [(at, shared, call(rng, MODELS[service.model], at, prompt))]


def add_on(rng: Random, at: int, shared: Event) -> list[SampleEvent]:
    """A bought add-on calls models on its own contract and reports what it charges."""
    shared |= {"channel": "other", "client": "sheets-addon 1.8.2", "tags": '{"seat":"shared"}'}
    prompt = Prompt(vary(rng, 6_000, 0.8), 0, vary(rng, 500, 0.6))
    own = call(rng, MODELS["gpt-6-sol"], at, prompt)
    if "cost_nano" in own:
        own |= {"cost_nano": own["cost_nano"] * MARKUP // 100, "cost_origin": "reported"}
    return [(at, shared, own)]
