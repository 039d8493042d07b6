"""Every table of the state store: the schema of today, on SQLite and PostgreSQL alike.

A new store is made of these; an older one comes to them by the revisions in `migrations/`, and a
test holds the two together.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

META: Final = sa.MetaData()
JSON_OR_NULL: Final = sa.JSON(none_as_null=True)
# In the order of SQLite, whatever the language of a PostgreSQL.
TEXT: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _numbered(name: str, *columns: Any) -> sa.Table:
    """A table whose rows have numbers: that of a deleted one is never given again."""
    number = sa.Column("id", sa.Integer, primary_key=True)
    return sa.Table(name, META, number, *columns, sqlite_autoincrement=True)


def _required(kind: Any, *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name in names]


def _optional(kind: Any, *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind) for name in names]


ACCOUNTS: Final = sa.Table(
    "accounts",
    META,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("email", TEXT, unique=True),
    *_required(TEXT, "name", "password_hash"),
    *_required(sa.Boolean, "is_admin", "is_auditor"),
    *_required(sa.JSON, "applications", "applications_admin"),
    *_required(sa.BigInteger, "created"),
    *_optional(sa.BigInteger, "disabled", "password_set"),
    *_required(sa.Integer, "epoch"),
    *_optional(TEXT, "link_hash"),
    *_optional(sa.BigInteger, "link_until"),
)

SETUP: Final = sa.Table("setup", META, sa.Column("token_hash", TEXT, nullable=False))

# What a browser is signed in with: the way (`account`, `demo`, `token`, `oidc`), what it holds on
# to (`stamp`) and, of a token or a provider, its claims. Instants are by the real clock.
SESSIONS: Final = _numbered(
    "sessions",
    sa.Column("id_hash", TEXT, nullable=False, unique=True),
    *_required(TEXT, "way", "user", "name", "stamp"),
    *_optional(JSON_OR_NULL, "claims"),
    *_required(sa.BigInteger, "created", "seen", "expires"),
    *_required(TEXT, "address", "agent"),
    *_optional(TEXT, "provider_user", "provider_session", "sealed"),
    *_optional(sa.BigInteger, "checked"),
    *_optional(sa.Integer, "viewing"),  # which of `viewings`, while it looks as somebody
)

# A platform admin looked at the dashboard as somebody: by a session, until `until` or `ended`.
VIEWINGS: Final = _numbered(
    "viewings",
    *_required(TEXT, "viewer", "viewer_name", "user", "name"),
    *_optional(sa.BigInteger, "account"),
    *_required(sa.BigInteger, "started", "until"),
    *_optional(sa.BigInteger, "ended"),
)

AUDIT: Final = _numbered(
    "audit",
    *_required(sa.BigInteger, "at"),
    *_required(TEXT, "who", "name", "action", "thing"),
    *_optional(JSON_OR_NULL, "before", "after"),
    *_optional(TEXT, "address", "request"),
)

# Entries from before this instant may be deleted, while it stands here: see `audit.trim`.
AUDIT_RETENTION: Final = sa.Table(
    "audit_retention", META, sa.Column("before", sa.BigInteger, primary_key=True)
)

ALIASES: Final = sa.Table(
    "aliases",
    META,
    sa.Column("id", TEXT, primary_key=True),
    *_required(TEXT, "person"),
    *_optional(TEXT, "name"),
    *_required(TEXT, "who"),
    *_required(sa.BigInteger, "at"),
)

# Pairs that are different persons, whatever they look like; the smaller id stands first.
NOT_ALIASES: Final = sa.Table(
    "not_aliases",
    META,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("other", TEXT, primary_key=True),
)

BUDGETS: Final = _numbered(
    "budgets",
    *_required(TEXT, "kind", "subject", "period"),
    *_optional(sa.Integer, "days"),
    *_required(TEXT, "zone", "start"),
    *_optional(sa.BigInteger, "soft"),
    *_required(sa.BigInteger, "hard"),
    sa.UniqueConstraint("kind", "subject", "period"),
)

SYNC_CURSORS: Final = sa.Table(
    "followed",
    META,
    sa.Column("source", TEXT, primary_key=True),
    *_optional(TEXT, "started", "request", "event", "created"),
)

# How reading a database goes, where servers share the store: one reads, all say how it goes.
SYNC_PASSES: Final = sa.Table(
    "sync_passes",
    META,
    sa.Column("source", TEXT, primary_key=True),
    *_required(sa.BigInteger, "last_success"),
    *_required(sa.Integer, "failures"),
)

IMPORTS: Final = _numbered(
    "imports",
    *_required(sa.BigInteger, "at", "last"),
    *_required(TEXT, "way", "who", "what", "format"),
    *_required(sa.BigInteger, "read", "accepted", "duplicates", "rejected", "unpriced"),
    *_required(sa.BigInteger, "cost_nano", "tokens"),
    *_required(sa.JSON, "rejections", "notes"),
)

SOURCE_TOTALS: Final = sa.Table(
    "imported_sources",
    META,
    sa.Column("source", TEXT, primary_key=True),
    sa.Column("last", sa.BigInteger),  # null where nothing but rejections came
    *_required(sa.BigInteger, "duplicates", "rejected"),
    sa.Column("reasons", sa.JSON, nullable=False),  # the latest rejections, newest import first
)

INGEST_KEYS: Final = _numbered(
    "ingest_keys",
    *_required(TEXT, "name", "shown"),
    sa.Column("token_hash", TEXT, nullable=False, unique=True),
    *_optional(TEXT, "source", "project"),
    *_required(sa.BigInteger, "created"),
    *_required(TEXT, "created_by"),
    *_optional(sa.BigInteger, "revoked", "used"),
    *_optional(TEXT, "user"),
)

PRICES: Final = _numbered(
    "prices",
    *_required(TEXT, "provider", "model", "start"),
    *_optional(TEXT, "input", "cached_input", "cache_write", "output", "request"),
    *_optional(
        TEXT,
        "cache_write_1h",
        "input_audio",
        "output_audio",
        "input_image",
        "output_image",
        "web_searches",
    ),
    *_optional(TEXT, "alias", "discount"),
    *_required(TEXT, "note"),
    *_required(sa.BigInteger, "at"),
    *_required(TEXT, "who", "name", "service_tier"),
    sa.UniqueConstraint("provider", "model", "service_tier", "start"),
)

# What an identity provider (`stamp`) said of somebody last, until it let them in no more.
CONFIRMATIONS: Final = sa.Table(
    "confirmations",
    META,
    sa.Column("user", TEXT, primary_key=True),
    sa.Column("stamp", TEXT, primary_key=True),
    *_required(TEXT, "provider_user"),
    *_required(sa.JSON, "claims"),
    *_required(sa.BigInteger, "at"),
    *_optional(sa.BigInteger, "ended"),
)

API_TOKENS: Final = _numbered(
    "api_tokens",
    *_required(TEXT, "user", "name", "shown"),
    sa.Column("token_hash", TEXT, nullable=False, unique=True),
    *_required(TEXT, "scopes"),
    *_required(sa.BigInteger, "account", "created", "expires"),
    *_optional(sa.BigInteger, "revoked", "used"),
    *_optional(TEXT, "stamp", "provider_user"),  # of who comes by an identity provider
)

RETENTION: Final = _numbered(
    "retention",
    sa.Column("source", TEXT, nullable=False, unique=True),
    sa.Column("days", sa.Integer, nullable=False),
    *_required(sa.BigInteger, "at"),
    *_required(TEXT, "who"),
)

EXCHANGE_RATES: Final = _numbered(
    "exchange_rates",
    *_required(TEXT, "currency", "start", "dollars"),
    *_required(sa.BigInteger, "at"),
    *_required(TEXT, "who"),
    sa.UniqueConstraint("currency", "start"),
)

RELEASES: Final = _numbered(
    "public_releases",
    sa.Column("name", TEXT, nullable=False, unique=True),
    sa.Column("start", TEXT),  # null: it holds for all time
    *_required(sa.BigInteger, "at"),
    *_required(TEXT, "book"),
)

REPRICINGS: Final = _numbered(
    "repricings",
    *_required(sa.BigInteger, "at"),
    *_required(TEXT, "who", "name", "what"),
    *_optional(sa.Integer, "price"),
    *_optional(JSON_OR_NULL, "entry"),
    *_required(sa.BigInteger, "start", "end"),
    *_optional(JSON_OR_NULL, "models"),
    *_optional(sa.BigInteger, "events", "compared", "before", "after"),
    *_optional(JSON_OR_NULL, "projects"),
    *_optional(sa.BigInteger, "reverted_at"),
    *_optional(TEXT, "reverted_by"),
)

SHOWN_AROUND: Final = sa.Table(
    "shown_around",
    META,
    sa.Column("user", TEXT, primary_key=True),
    *_required(sa.BigInteger, "at"),
)

# Tries at a password, where servers share the store: see `tries.py`. Instants are the database's.
TRIES: Final = _numbered(
    "tries",
    *_required(sa.BigInteger, "at"),
    *_required(TEXT, "account", "network"),
)

PREFERENCES: Final = sa.Table(
    "preferences",
    META,
    sa.Column("user", TEXT, primary_key=True),
    *_optional(TEXT, "preset", "zone", "theme", "mode"),
    *_optional(sa.Integer, "n"),
)

sa.Index("imports_last", IMPORTS.c.last)
sa.Index("sessions_user", SESSIONS.c.user)
sa.Index("api_tokens_user", API_TOKENS.c.user)
sa.Index("viewings_user", VIEWINGS.c.user)
sa.Index("audit_at", AUDIT.c.at)
# The last change is asked for at every request, as the version of people and prices.
CHANGES: Final = sa.text("action IN ('create', 'edit', 'delete')")
sa.Index("audit_changes", AUDIT.c.id, sqlite_where=CHANGES, postgresql_where=CHANGES)
