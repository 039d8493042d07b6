"""The ways in, as Settings → Data → Connect shows them and docs/data.md tells them (`make docs`).

In a `code`, ADDRESS is this server's and KEY an ingest key that the card makes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from data.errors import Unknown

ADDRESS: Final = "{address}"
KEY: Final = "{key}"


@dataclass(frozen=True, slots=True)
class Step:
    """What to do, in a sentence, and the lines to copy, written in a language or run in a shell."""

    text: str
    code: str = ""
    language: str = "sh"


@dataclass(frozen=True, slots=True)
class Connection:
    """A way in. `brings` is a sentence, `lacks` what it cannot say. One with a `source` sends with
    a key that stamps it; of any other an import of one of its `formats` is waited for (none: any
    import), or what `sender` brings while serving."""

    key: str
    title: str
    kind: str
    brings: str
    lacks: str
    steps: tuple[Step, ...]
    source: str = ""
    personal: bool = False  # its key is best one person's
    formats: tuple[str, ...] = ()
    sender: str = ""

    @property
    def sends(self) -> bool:
        """Whether it needs a key."""
        return bool(self.source)


EXPORTER: Final = (
    f"export OTEL_EXPORTER_OTLP_ENDPOINT={ADDRESS}\n"
    "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n"
    f'export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20{KEY}"'
)
SEND: Final = Step(
    "On the developer's machine, once or as a service:",
    f"spendscope send --to {ADDRESS} --key {KEY} --every 5m",
)
BEFORE: Final = Step(
    "What was done before is in the logs of that machine; both together count once:",
    f"spendscope send --to {ADDRESS} --key {KEY}",
)


def _import(files: str) -> Step:
    return Step("Import them here, with “Import a file”, or where Spendscope runs:",
                f"spendscope import {files}")  # fmt: skip


GATEWAYS: Final = (
    Connection(
        "litellm-database", "LiteLLM database", "gateway",
        "Every call with the names of its user and team, the past first, then what is new.",
        "tools, time to first token",
        (
            Step(
                "In LiteLLM's PostgreSQL, make a user that may read four tables and no more:",
                "CREATE ROLE spendscope LOGIN PASSWORD 'PASSWORD';\n"
                'GRANT SELECT ON "LiteLLM_SpendLogs", "LiteLLM_TeamTable", "LiteLLM_UserTable",\n'
                '  "LiteLLM_DailyUserSpend" TO spendscope;',
                "sql",
            ),
            Step("Start Spendscope with its address, and it follows every minute:",
                 "export SPENDSCOPE_LITELLM_URL="
                 "postgresql://spendscope:PASSWORD@HOST/DATABASE\nspendscope serve"),
            Step("Or read it once:",
                 "PGPASSWORD=PASSWORD spendscope import postgresql://spendscope@HOST/DATABASE"),
        ),
        formats=("litellm-database",), sender="SPENDSCOPE_LITELLM_URL",
    ),
    Connection(
        "litellm-callback", "LiteLLM callback", "gateway",
        "Every call within seconds of its end, failed attempts that were retried, too.",
        "tools, time to first token, what was before",
        (
            Step(
                "In LiteLLM's config.yaml; then start LiteLLM again:",
                "litellm_settings: {callbacks: [spendscope]}\n"
                "callback_settings:\n"
                "  spendscope:\n"
                "    callback_type: generic_api\n"
                f"    endpoint: {ADDRESS}/api/v1/events?format=litellm-callback\n"
                f"    headers: {{Authorization: Bearer {KEY}}}",
                "yaml",
            ),
        ),
        source="litellm",
    ),
)  # fmt: skip
AGENTS: Final = (
    Connection(
        "claude-code", "Claude Code", "coding agent",
        "Calls, tools and sessions as they happen, with what Claude Code says they cost.",
        "project",
        (
            Step(
                "In ~/.claude/settings.json, or for everybody in the managed settings:",
                '{"env": {\n'
                '  "CLAUDE_CODE_ENABLE_TELEMETRY": "1",\n'
                '  "OTEL_LOGS_EXPORTER": "otlp",\n'
                '  "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",\n'
                f'  "OTEL_EXPORTER_OTLP_ENDPOINT": "{ADDRESS}",\n'
                f'  "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20{KEY}"\n'
                "}}",
                "json",
            ),
            BEFORE,
        ),
        source="claude_code", personal=True,
    ),
    Connection(
        "codex", "Codex", "coding agent",
        "Calls and tools as they happen; their cost is worked out from the price book.",
        "project, reported cost",
        (
            Step(
                "In ~/.codex/config.toml:",
                '[otel.exporter."otlp-http"]\n'
                f'endpoint = "{ADDRESS}/v1/logs"\n'
                'protocol = "binary"\n\n'
                '[otel.exporter."otlp-http".headers]\n'
                f'Authorization = "Bearer {KEY}"',
                "toml",
            ),
            BEFORE,
        ),
        source="codex", personal=True,
    ),
    Connection(
        "gemini-cli", "Gemini CLI", "coding agent",
        "Calls and tools as they happen; their cost is worked out from the price book.",
        "project, reported cost",
        (
            Step(
                "In ~/.gemini/settings.json:",
                '{"telemetry": {"enabled": true, "target": "local", "logPrompts": false,\n'
                f'  "otlpProtocol": "http", "otlpEndpoint": "{ADDRESS}"}}}}',
                "json",
            ),
            Step("In ~/.gemini/.env:",
                 f"OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20{KEY}", "ini"),
            Step("Or, without telemetry, from its logs. One of the two: their calls have ids of"
                 " their own.", f"spendscope send --to {ADDRESS} --key {KEY} --every 5m"),
        ),
        source="gemini_cli", personal=True,
    ),
    Connection(
        "opencode", "opencode", "coding agent",
        "Every call, the past ones, too, with the cost that opencode notes.",
        "project, tools",
        (SEND,),
        source="opencode", personal=True,
    ),
    Connection(
        "copilot", "GitHub Copilot", "coding agent",
        "Calls of Copilot CLI from developers' machines; what Copilot costs from GitHub's bill.",
        "project; of the CLI money, of the bill tokens, failures and time of day",
        (
            SEND,
            Step("For the money, take the usage report of GitHub's billing page (Billing and"
                 " licensing → Usage), and import it here with “Import a file”."),
        ),
        source="copilot", personal=True,
    ),
    Connection(
        "cursor", "Cursor", "coding agent",
        "Every request with its tokens and what Cursor charged.",
        "project, provider",
        (
            Step("From the dashboard: Usage → Export CSV. Or of the whole team, a page a file; one"
                 " of the two:",
                 "curl -s https://api.cursor.com/teams/filtered-usage-events"
                 ' -u "$CURSOR_ADMIN_KEY:" \\\n  -H "Content-Type: application/json"'
                 " -d '{\"page\": 1, \"pageSize\": 1000}' > cursor-1.json"),
            _import("cursor-*.json"),
        ),
        formats=("cursor", "cursor_team"),
    ),
    Connection(
        "team", "A team's machines", "coding agents",
        "What Claude Code, Codex, Gemini CLI, Qwen Code, opencode, Copilot CLI, Cline and Amp"
        " logged on a machine, again and again.",
        "project, where the key names none",
        (
            Step("Make a key for each person, bound to their user; then, on their machine:",
                 f"spendscope send --to {ADDRESS} --key {KEY} --every 5m"),
            Step(
                "As a service, in ~/.config/systemd/user/spendscope.service:",
                "[Service]\n"
                f"ExecStart=%h/.local/bin/spendscope send --to {ADDRESS} --every 5m\n"
                f"Environment=SPENDSCOPE_INGEST_KEY={KEY}\n"
                "Restart=on-failure\n"
                "RestartSec=15min\n"
                "[Install]\n"
                "WantedBy=default.target",
                "ini",
            ),
            Step("Then start it:", "systemctl --user enable --now spendscope"),
        ),
        source="agents", personal=True,
    ),
)  # fmt: skip
PROGRAMS: Final = (
    Connection(
        "opentelemetry", "OpenTelemetry", "your programs",
        "Calls, tools, replies and runs of every program with a GenAI instrumentation.",
        "money, where the spans have none: it is worked out from the price book",
        (
            Step("Before the program starts:", EXPORTER),
            Step("Whose it is: users are told by user.id on a span; a project by",
                 "export OTEL_RESOURCE_ATTRIBUTES=team.id=PROJECT"),
            Step(
                "A Python program that calls OpenAI needs no change:",
                "pip install opentelemetry-distro opentelemetry-exporter-otlp-proto-http \\\n"
                "  opentelemetry-instrumentation-openai-v2\n"
                "opentelemetry-instrument python app.py",
            ),
        ),
        source="otlp",
    ),
    Connection(
        "langfuse", "Langfuse", "observability",
        "Calls, tools, retrievals and runs, with the cost that Langfuse worked out.",
        "user and conversation in API answers; provider",
        (
            Step("Export on the page of the observations, or over the API, a page a file:",
                 'curl -s -u "$LANGFUSE_PUBLIC_KEY:$LANGFUSE_SECRET_KEY" \\\n'
                 '  "https://cloud.langfuse.com/api/public/observations?limit=100&page=1"'
                 " > langfuse-1.json"),
            _import("langfuse-*.json"),
        ),
        formats=("langfuse",),
    ),
)  # fmt: skip
VENDORS: Final = (
    Connection(
        "openai", "OpenAI", "vendor's bill",
        "Tokens and requests of every model, project and user by the day, and what is billed"
        " beside tokens.",
        "single requests, failures",
        (
            Step(
                "With an admin key, the last 30 days:",
                "since=$(date -d '30 days ago' +%s)\n"
                "for report in usage/completions costs; do\n"
                '  curl -sG "https://api.openai.com/v1/organization/$report" \\\n'
                '    -H "Authorization: Bearer $OPENAI_ADMIN_KEY" \\\n'
                '    -d "start_time=$since" -d bucket_width=1d -d limit=31 \\\n'
                "    $([ $report = costs ] && echo -d group_by=line_item ||"
                " echo -d group_by=model -d group_by=user_id) \\\n"
                "    -d group_by=project_id > openai-$(basename $report).json\n"
                "done",
            ),
            _import("openai-*.json"),
        ),
        formats=("openai_usage", "openai_csv"),
    ),
    Connection(
        "anthropic", "Anthropic", "vendor's bill",
        "Tokens of every model, workspace and tier by the day, and what is billed beside tokens.",
        "single requests, failures, the number of requests",
        (
            Step(
                "With an admin key, the last 30 days:",
                "since=$(date -u -d '30 days ago' +%Y-%m-%dT00:00:00Z)\n"
                "for report in usage_report/messages cost_report; do\n"
                '  curl -sG "https://api.anthropic.com/v1/organizations/$report" \\\n'
                '    -H "x-api-key: $ANTHROPIC_ADMIN_KEY" -H "anthropic-version: 2023-06-01" \\\n'
                '    -d "starting_at=$since" -d bucket_width=1d -d limit=31 \\\n'
                "    $([ $report = cost_report ] && echo -d group_by[]=description ||"
                " echo -d group_by[]=model -d group_by[]=service_tier) \\\n"
                '    -d "group_by[]=workspace_id" > anthropic-$(basename $report).json\n'
                "done",
            ),
            _import("anthropic-*.json"),
        ),
        formats=("anthropic_usage", "anthropic_csv"),
    ),
    Connection(
        "bedrock", "Bedrock", "vendor's log",
        "Every call of every model, with its caller and its tokens.",
        "money, project, duration",
        (
            Step(
                "Switch on model invocation logging, into a bucket that Bedrock may write to; what"
                " it logs of prompts and answers is never stored here:",
                "aws bedrock put-model-invocation-logging-configuration --logging-config '{\n"
                '  "s3Config": {"bucketName": "BUCKET"}, "textDataDeliveryEnabled": true,\n'
                '  "imageDataDeliveryEnabled": false, "embeddingDataDeliveryEnabled": true}\'',
            ),
            Step("Fetch what is there:",
                 "aws s3 sync s3://BUCKET/AWSLogs bedrock-logs --exclude '*/data/*'"),
            _import("bedrock-logs"),
        ),
        formats=("bedrock",),
    ),
    Connection(
        "file", "A file", "anything else",
        "Exports, logs, dumps and tables of more than forty formats, found by looking into"
        " them; other tables by naming their columns.",
        "what its columns do not",
        (
            Step("Look first at what would become of it:", "spendscope import PATH --dry-run"),
            Step("Import it here, with “Import a file”, or where Spendscope runs:",
                 "spendscope import PATH"),
            Step("Where its columns have other names:",
                 "spendscope import usage.csv"
                 ' --map "ts=when,user=employee,model=llm,input_tokens=prompt,cost=total_usd"'),
        ),
    ),
)  # fmt: skip
CONNECTIONS: Final = (*GATEWAYS, *PROGRAMS, *AGENTS, *VENDORS)


def connection(key: str) -> Connection:
    """The way in of a key, or `Unknown`."""
    found = next((one for one in CONNECTIONS if one.key == key), None)
    if found is None:
        known = ", ".join(one.key for one in CONNECTIONS)
        raise Unknown("connection", f"there is no way in {key[:40]!r}; see {known}")
    return found
