"""The sample organisation: what it works on, and with which models. Facts, no rng."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Model:
    """A model as its provider sells it; whatever it costs is in the price book."""

    provider: str
    name: str
    speed: int  # output tokens a second
    ttft: int  # median ms to the first token
    thinks: float = 0.0  # of its output, the share that is reasoning
    caches: bool = True
    writes: bool = False  # cache writes are counted apart


@dataclass(frozen=True, slots=True)
class Project:
    """One that has repositories is at home with people who code."""

    id: str
    name: str
    tools: tuple[str, ...]
    integrations: tuple[str, ...]
    repositories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assistant:
    """`project` None: everybody's. `prompt` is the median first prompt in tokens."""

    name: str
    project: str | None
    model: str
    prompt: int


@dataclass(frozen=True, slots=True)
class Workflow:
    name: str
    project: str
    model: str
    prompt: int
    steps: int


_MODELS: Final = (
    Model("anthropic", "claude-opus-5-5", 62, 1_300, 0.25, writes=True),
    Model("anthropic", "claude-sonnet-5-5", 85, 800, 0.15, writes=True),
    Model("anthropic", "claude-haiku-5-5", 170, 380, writes=True),
    Model("openai", "gpt-6-astra", 48, 2_600, 0.5, writes=True),
    Model("openai", "gpt-6-sol", 95, 900, 0.3, writes=True),
    Model("openai", "gpt-6-luna", 190, 420, 0.1, writes=True),
    Model("openai", "text-embedding-3-large", 0, 140, caches=False),
    Model("google", "gemini-4-argon", 110, 950, 0.3),
    Model("google", "gemini-3.8-flash", 210, 430, 0.1),
    Model("mistral", "mistral-medium-3-5", 90, 520),
    Model("x-ai", "grok-4.7", 80, 1_100, 0.35),
    Model("hosted_vllm", "qwen3-32b-onprem", 45, 650, caches=False),
)
MODELS: Final = {model.name: model for model in _MODELS}
EMBEDDING: Final = MODELS["text-embedding-3-large"]

TOOLS: Final = {
    name: kind
    for kind, listed in {
        "retrieval": "search_documents search_tickets web_search fetch_page",
        "datastore": "query_warehouse lookup_customer",
        "function": "create_ticket refund_order send_email schedule_meeting convert_currency",
        "code_interpreter": "run_python render_chart",
        "extension": "translate_text",
        "shell": "Bash",
        "file": "Read Edit Grep Write apply_patch",
    }.items()
    for name in listed.split()
}
SHELL_TOOLS: Final = tuple(name for name, kind in TOOLS.items() if kind in ("shell", "file"))

INTEGRATIONS: Final = {
    name: kind
    for kind, listed in {
        "mcp": "github jira figma postgres sentry",
        "webhook": "slack-notify zendesk-hook pagerduty",
        "data_source": "sharepoint confluence salesforce snowflake",
    }.items()
    for name in listed.split()
}


def _projects(*rows: tuple[str, str, str, str, str]) -> dict[str, Project]:
    return {
        row[0]: Project(row[0], row[1], *(tuple(listed.split()) for listed in row[2:]))
        for row in rows
    }


PROJECTS: Final = _projects(
    ("helpdesk", "Customer Support", "search_tickets lookup_customer create_ticket refund_order",
     "zendesk-hook salesforce confluence", ""),
    ("checkout", "Checkout & Payments", "lookup_customer convert_currency run_python",
     "github sentry jira", "acme/checkout-api acme/checkout-web"),
    ("mobile", "Mobile App", "search_documents fetch_page", "figma github jira",
     "acme/mobile-ios acme/mobile-android"),
    ("lakehouse", "Data Platform", "query_warehouse run_python render_chart",
     "snowflake postgres github", "acme/pipelines acme/warehouse"),
    ("contracts", "Contract Review", "search_documents translate_text send_email",
     "sharepoint slack-notify", ""),
    ("marketing", "Marketing Studio", "web_search fetch_page translate_text send_email",
     "figma salesforce slack-notify", ""),
    ("search", "Site Search", "search_documents query_warehouse", "postgres pagerduty",
     "acme/search"),
    ("people", "People & HR Desk", "search_documents schedule_meeting send_email",
     "confluence sharepoint", ""),
    ("finance", "Finance Close", "query_warehouse convert_currency render_chart run_python",
     "snowflake sharepoint", ""),
    ("research", "Market Research", "web_search fetch_page render_chart", "salesforce confluence",
     ""),
    ("infra", "Cloud Infrastructure", "search_documents run_python", "github pagerduty sentry",
     "acme/infra acme/runbooks"),
    ("voice", "Voice Agent Pilot", "lookup_customer create_ticket schedule_meeting",
     "zendesk-hook slack-notify github", "acme/voice-agent"),
)  # fmt: skip
NEWCOMER: Final = "voice"

ASSISTANTS: Final = tuple(
    Assistant(*row)
    for row in (
        ("Ask Anything", None, "gpt-6-sol", 2_800),
        ("Translator", None, "mistral-medium-3-5", 4_400),
        ("Meeting Notes", None, "gemini-3.8-flash", 28_000),
        ("Ticket Triage", "helpdesk", "claude-haiku-5-5", 7_000),
        ("Reply Drafter", "helpdesk", "claude-sonnet-5-5", 12_000),
        ("Refund Advisor", "helpdesk", "gpt-6-sol", 9_000),
        ("Payments Expert", "checkout", "claude-opus-5-5", 32_000),
        ("Fraud Explainer", "checkout", "grok-4.7", 15_000),
        ("App Store Reviewer", "mobile", "gemini-3.8-flash", 11_000),
        ("UX Critic", "mobile", "gemini-4-argon", 16_000),
        ("SQL Companion", "lakehouse", "claude-opus-5-5", 44_000),
        ("Dashboard Explainer", "lakehouse", "gpt-6-sol", 14_000),
        ("Contract Reader", "contracts", "claude-opus-5-5", 76_000),
        ("Clause Finder", "contracts", "gemini-4-argon", 52_000),
        ("Campaign Writer", "marketing", "claude-sonnet-5-5", 8_000),
        ("Brand Voice", "marketing", "mistral-medium-3-5", 6_400),
        ("Query Rewriter", "search", "gpt-6-luna", 3_000),
        ("HR Helper", "people", "qwen3-32b-onprem", 10_000),
        ("Job Ad Editor", "people", "mistral-medium-3-5", 5_600),
        ("Close Assistant", "finance", "qwen3-32b-onprem", 18_000),
        ("Deep Researcher", "research", "gpt-6-astra", 90_000),
        ("Trend Scout", "research", "grok-4.7", 36_000),
        ("Runbook Guide", "infra", "claude-sonnet-5-5", 20_000),
        ("Voice Agent", "voice", "gemini-3.8-flash", 5_200),
        ("Call Summariser", "voice", "gpt-6-luna", 13_000),
    )
)

# by project
WORKFLOWS: Final = {
    row[1]: Workflow(*row)
    for row in (
        ("Inbox Router", "helpdesk", "gpt-6-luna", 10_000, 4),
        ("Chargeback Dossier", "checkout", "claude-opus-5-5", 85_000, 7),
        ("Nightly Data Quality", "lakehouse", "gpt-6-sol", 55_000, 9),
        ("Clause Extraction", "contracts", "claude-opus-5-5", 105_000, 10),
        ("Newsletter Factory", "marketing", "claude-sonnet-5-5", 37_500, 6),
        ("Invoice Matching", "finance", "qwen3-32b-onprem", 20_000, 5),
        ("Competitor Briefing", "research", "gpt-6-astra", 90_000, 8),
        ("Call Quality Review", "voice", "gemini-4-argon", 30_000, 5),
    )
}

# client: its releases, oldest first, and the models it calls: most used first, small one last
CLIENTS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "claude-code": (
        ("2.4.8", "2.5.1", "2.6.0", "2.6.4"),
        ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"),
    ),
    "codex-cli": (("0.121.0", "0.124.0", "0.130.2"), ("gpt-6-astra", "gpt-6-sol", "gpt-6-luna")),
    "gemini-cli": (("0.38.1", "0.41.0"), ("gemini-4-argon", "gemini-3.8-flash")),
}
