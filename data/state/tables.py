"""Every table of the state store, as the steps in `upgrades.py` leave them."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

META: Final = sa.MetaData()
JSON_OR_NULL: Final = sa.JSON(none_as_null=True)


def _number() -> sa.Column[int]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _required(kind: Any, *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name in names]


def _optional(kind: Any, *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind) for name in names]


ACCOUNTS: Final = sa.Table(
    "accounts",
    META,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("email", sa.Text, unique=True),
    *_required(sa.Text, "name", "password_hash"),
    *_required(sa.Boolean, "is_admin", "is_auditor"),
    *_required(sa.JSON, "applications", "applications_admin"),
    *_required(sa.BigInteger, "created"),
    *_optional(sa.BigInteger, "disabled", "password_set"),
    *_required(sa.Integer, "epoch"),
    *_optional(sa.Text, "link_hash"),
    *_optional(sa.BigInteger, "link_until"),
)

SETUP: Final = sa.Table("setup", META, sa.Column("token_hash", sa.Text, nullable=False))

# What a browser is signed in with: the way (`account`, `demo`, `token`, `oidc`), what it holds on
# to (`stamp`) and, of a token or a provider, its claims. Instants are by the real clock.
SESSIONS: Final = sa.Table(
    "sessions",
    META,
    _number(),
    sa.Column("id_hash", sa.Text, nullable=False, unique=True),
    *_required(sa.Text, "way", "user", "name", "stamp"),
    *_optional(JSON_OR_NULL, "claims"),
    *_required(sa.BigInteger, "created", "seen", "expires"),
    *_required(sa.Text, "address", "agent"),
    *_optional(sa.Text, "provider_user", "provider_session", "sealed"),
    *_optional(sa.BigInteger, "checked"),
    *_optional(sa.Integer, "viewing"),  # which of `viewings`, while it looks as somebody
)

# A platform admin looked at the dashboard as somebody: by a session, until `until` or `ended`.
VIEWINGS: Final = sa.Table(
    "viewings",
    META,
    _number(),
    *_required(sa.Text, "viewer", "viewer_name", "user", "name"),
    *_optional(sa.BigInteger, "account"),
    *_required(sa.BigInteger, "started", "until"),
    *_optional(sa.BigInteger, "ended"),
)

AUDIT: Final = sa.Table(
    "audit",
    META,
    _number(),
    *_required(sa.BigInteger, "at"),
    *_required(sa.Text, "who", "name", "action", "thing"),
    *_optional(JSON_OR_NULL, "before", "after"),
    *_optional(sa.Text, "address", "request"),
)

# Entries from before this instant may be deleted, while it stands here: see `audit.trim`.
AUDIT_RETENTION: Final = sa.Table(
    "audit_retention", META, sa.Column("before", sa.BigInteger, primary_key=True)
)

ALIASES: Final = sa.Table(
    "aliases",
    META,
    sa.Column("id", sa.Text, primary_key=True),
    *_required(sa.Text, "person"),
    *_optional(sa.Text, "name"),
    *_required(sa.Text, "who"),
    *_required(sa.BigInteger, "at"),
)

# Pairs that are different persons, whatever they look like; the smaller id stands first.
NOT_ALIASES: Final = sa.Table(
    "not_aliases",
    META,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("other", sa.Text, primary_key=True),
)

BUDGETS: Final = sa.Table(
    "budgets",
    META,
    _number(),
    *_required(sa.Text, "kind", "subject", "period"),
    *_optional(sa.Integer, "days"),
    *_required(sa.Text, "zone", "start"),
    *_optional(sa.BigInteger, "soft"),
    *_required(sa.BigInteger, "hard"),
    sa.UniqueConstraint("kind", "subject", "period"),
)

SYNC_CURSORS: Final = sa.Table(
    "followed",
    META,
    sa.Column("source", sa.Text, primary_key=True),
    *_optional(sa.Text, "started", "request", "event", "created"),
)

IMPORTS: Final = sa.Table(
    "imports",
    META,
    _number(),
    *_required(sa.BigInteger, "at", "last"),
    *_required(sa.Text, "way", "who", "what", "format"),
    *_required(sa.BigInteger, "read", "accepted", "duplicates", "rejected", "unpriced"),
    *_required(sa.BigInteger, "cost_nano", "tokens"),
    *_required(sa.JSON, "rejections", "notes"),
)

SOURCE_TOTALS: Final = sa.Table(
    "imported_sources",
    META,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("last", sa.BigInteger),  # null where nothing but rejections came
    *_required(sa.BigInteger, "duplicates", "rejected"),
    sa.Column("reasons", sa.JSON, nullable=False),  # the latest rejections, newest import first
)

INGEST_KEYS: Final = sa.Table(
    "ingest_keys",
    META,
    _number(),
    *_required(sa.Text, "name", "shown"),
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),
    *_optional(sa.Text, "source", "project"),
    *_required(sa.BigInteger, "created"),
    *_required(sa.Text, "created_by"),
    *_optional(sa.BigInteger, "revoked", "used"),
    *_optional(sa.Text, "user"),
)

PRICES: Final = sa.Table(
    "prices",
    META,
    _number(),
    *_required(sa.Text, "provider", "model", "start"),
    *_optional(sa.Text, "input", "cached_input", "cache_write", "output", "request"),
    *_optional(
        sa.Text,
        "cache_write_1h",
        "input_audio",
        "output_audio",
        "input_image",
        "output_image",
        "web_searches",
    ),
    *_optional(sa.Text, "alias", "discount"),
    *_required(sa.Text, "note"),
    *_required(sa.BigInteger, "at"),
    *_required(sa.Text, "who", "name", "service_tier"),
    sa.UniqueConstraint("provider", "model", "service_tier", "start"),
)

API_TOKENS: Final = sa.Table(
    "api_tokens",
    META,
    _number(),
    *_required(sa.Text, "user", "name", "shown"),
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),
    *_required(sa.Text, "scopes"),
    *_required(sa.BigInteger, "account", "created", "expires"),
    *_optional(sa.BigInteger, "revoked", "used"),
)

RETENTION: Final = sa.Table(
    "retention",
    META,
    _number(),
    sa.Column("source", sa.Text, nullable=False, unique=True),
    sa.Column("days", sa.Integer, nullable=False),
    *_required(sa.BigInteger, "at"),
    *_required(sa.Text, "who"),
)

EXCHANGE_RATES: Final = sa.Table(
    "exchange_rates",
    META,
    _number(),
    *_required(sa.Text, "currency", "start", "dollars"),
    *_required(sa.BigInteger, "at"),
    *_required(sa.Text, "who"),
    sa.UniqueConstraint("currency", "start"),
)

RELEASES: Final = sa.Table(
    "public_releases",
    META,
    _number(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("start", sa.Text),  # null: it holds for all time
    *_required(sa.BigInteger, "at"),
    *_required(sa.Text, "book"),
)

REPRICINGS: Final = sa.Table(
    "repricings",
    META,
    _number(),
    *_required(sa.BigInteger, "at"),
    *_required(sa.Text, "who", "name", "what"),
    *_optional(sa.Integer, "price"),
    *_optional(JSON_OR_NULL, "entry"),
    *_required(sa.BigInteger, "start", "end"),
    *_optional(JSON_OR_NULL, "models"),
    *_optional(sa.BigInteger, "events", "compared", "before", "after"),
    *_optional(JSON_OR_NULL, "projects"),
    *_optional(sa.BigInteger, "reverted_at"),
    *_optional(sa.Text, "reverted_by"),
)

PREFERENCES: Final = sa.Table(
    "preferences",
    META,
    sa.Column("user", sa.Text, primary_key=True),
    *_optional(sa.Text, "preset", "zone", "theme", "mode"),
    *_optional(sa.Integer, "n"),
)
