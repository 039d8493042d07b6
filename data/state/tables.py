"""Every table of the state store, as the steps in `upgrades.py` leave them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

META: Final = sa.MetaData()

ACCOUNTS: Final = sa.Table(
    "accounts",
    META,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("email", sa.Text, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("is_admin", sa.Boolean, nullable=False),
    sa.Column("applications", sa.JSON, nullable=False),
    sa.Column("applications_admin", sa.JSON, nullable=False),
    sa.Column("created", sa.BigInteger, nullable=False),
)

SETUP: Final = sa.Table("setup", META, sa.Column("token_hash", sa.Text, nullable=False))

AUDIT: Final = sa.Table(
    "audit",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("thing", sa.Text, nullable=False),
    sa.Column("before", sa.JSON(none_as_null=True)),
    sa.Column("after", sa.JSON(none_as_null=True)),
)

ALIASES: Final = sa.Table(
    "aliases",
    META,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("name", sa.Text),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
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
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("period", sa.Text, nullable=False),
    sa.Column("days", sa.Integer),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("start", sa.Text, nullable=False),
    sa.Column("soft", sa.BigInteger),
    sa.Column("hard", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("kind", "subject", "period"),
)

SYNC_CURSORS: Final = sa.Table(
    "followed",
    META,
    sa.Column("source", sa.Text, primary_key=True),
    *(sa.Column(name, sa.Text) for name in ("started", "request", "event", "created")),
)

IMPORTS: Final = sa.Table(
    "imports",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("last", sa.BigInteger, nullable=False),
    sa.Column("way", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("format", sa.Text, nullable=False),
    *(
        sa.Column(name, sa.BigInteger, nullable=False)
        for name in ("read", "accepted", "duplicates", "rejected", "unpriced")
    ),
    sa.Column("cost_nano", sa.BigInteger, nullable=False),
    sa.Column("tokens", sa.BigInteger, nullable=False),
    sa.Column("rejections", sa.JSON, nullable=False),
    sa.Column("notes", sa.JSON, nullable=False),
)

SOURCE_TOTALS: Final = sa.Table(
    "imported_sources",
    META,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("last", sa.BigInteger),  # null where nothing but rejections came
    *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("duplicates", "rejected")),
    sa.Column("reasons", sa.JSON, nullable=False),  # the latest rejections, newest import first
)

INGEST_KEYS: Final = sa.Table(
    "ingest_keys",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("shown", sa.Text, nullable=False),
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),
    sa.Column("source", sa.Text),
    sa.Column("project", sa.Text),
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("revoked", sa.BigInteger),
    sa.Column("used", sa.BigInteger),
    sa.Column("user", sa.Text),
)

PRICES: Final = sa.Table(
    "prices",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("start", sa.Text, nullable=False),
    *(
        sa.Column(name, sa.Text)
        for name in ("input", "cached_input", "cache_write", "output", "request")
    ),
    *(
        sa.Column(name, sa.Text)
        for name in (
            "cache_write_1h",
            "input_audio",
            "output_audio",
            "input_image",
            "output_image",
            "web_searches",
        )
    ),
    sa.Column("alias", sa.Text),
    sa.Column("discount", sa.Text),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("service_tier", sa.Text, nullable=False),
    sa.UniqueConstraint("provider", "model", "service_tier", "start"),
)

EXCHANGE_RATES: Final = sa.Table(
    "exchange_rates",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("start", sa.Text, nullable=False),
    sa.Column("dollars", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.UniqueConstraint("currency", "start"),
)

RELEASES: Final = sa.Table(
    "public_releases",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("start", sa.Text),  # null: it holds for all time
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("book", sa.Text, nullable=False),
)

REPRICINGS: Final = sa.Table(
    "repricings",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("price", sa.Integer),
    sa.Column("entry", sa.JSON(none_as_null=True)),
    sa.Column("start", sa.BigInteger, nullable=False),
    sa.Column("end", sa.BigInteger, nullable=False),
    sa.Column("models", sa.JSON(none_as_null=True)),
    sa.Column("events", sa.BigInteger),
    sa.Column("compared", sa.BigInteger),
    sa.Column("before", sa.BigInteger),
    sa.Column("after", sa.BigInteger),
    sa.Column("projects", sa.JSON(none_as_null=True)),
    sa.Column("reverted_at", sa.BigInteger),
    sa.Column("reverted_by", sa.Text),
)

PREFERENCES: Final = sa.Table(
    "preferences",
    META,
    sa.Column("user", sa.Text, primary_key=True),
    *(sa.Column(name, sa.Text) for name in ("preset", "zone", "theme", "mode")),
    sa.Column("n", sa.Integer),
)
