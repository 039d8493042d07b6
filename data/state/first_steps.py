"""The steps that bring a file from before revisions, which counted them, to the first revision.

They are never edited and none is added: what changes in the tables is a revision now (`schema.py`).
"""

from __future__ import annotations

from typing import Final

# STEPS[v] brings a store of version v to v + 1.
STEPS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE accounts (
            id TEXT NOT NULL PRIMARY KEY,
            email TEXT UNIQUE,
            name TEXT NOT NULL,
            password_hash TEXT NOT NULL,
            is_admin BOOLEAN NOT NULL,
            applications TEXT NOT NULL,
            applications_admin TEXT NOT NULL,
            created BIGINT NOT NULL
        )""",
        "CREATE TABLE setup (token_hash TEXT NOT NULL)",
    ),
    (
        # AUTOINCREMENT: the number of a deleted budget is never given to another.
        """CREATE TABLE budgets (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            period TEXT NOT NULL,
            days INTEGER,
            zone TEXT NOT NULL,
            start TEXT NOT NULL,
            soft BIGINT,
            hard BIGINT NOT NULL,
            UNIQUE (kind, subject, period)
        )""",
        """CREATE TABLE audit (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            at BIGINT NOT NULL,
            who TEXT NOT NULL,
            name TEXT NOT NULL,
            action TEXT NOT NULL,
            thing TEXT NOT NULL,
            before TEXT,
            after TEXT
        )""",
    ),
    (
        """CREATE TABLE preferences (
            user TEXT NOT NULL PRIMARY KEY,
            preset TEXT,
            n INTEGER,
            zone TEXT,
            theme TEXT,
            mode TEXT
        )""",
    ),
    (
        """CREATE TABLE ingest_keys (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            shown TEXT NOT NULL,
            token_hash TEXT NOT NULL UNIQUE,
            source TEXT,
            project TEXT,
            created BIGINT NOT NULL,
            created_by TEXT NOT NULL,
            revoked BIGINT,
            used BIGINT
        )""",
    ),
    (
        # AUTOINCREMENT: what a re-pricing did is kept in the event store under its number.
        """CREATE TABLE prices (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            provider TEXT NOT NULL,
            model TEXT NOT NULL,
            start TEXT NOT NULL,
            input TEXT,
            cached_input TEXT,
            cache_write TEXT,
            output TEXT,
            request TEXT,
            alias TEXT,
            discount TEXT,
            note TEXT NOT NULL,
            at BIGINT NOT NULL,
            who TEXT NOT NULL,
            name TEXT NOT NULL,
            UNIQUE (provider, model, start)
        )""",
        """CREATE TABLE repricings (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            at BIGINT NOT NULL,
            who TEXT NOT NULL,
            name TEXT NOT NULL,
            what TEXT NOT NULL,
            price INTEGER,
            entry TEXT,
            start BIGINT NOT NULL,
            "end" BIGINT NOT NULL,
            models TEXT,
            events BIGINT,
            compared BIGINT,
            before BIGINT,
            after BIGINT,
            projects TEXT,
            reverted_at BIGINT,
            reverted_by TEXT
        )""",
    ),
    (
        """CREATE TABLE aliases (
            id TEXT NOT NULL PRIMARY KEY,
            person TEXT NOT NULL,
            name TEXT,
            who TEXT NOT NULL,
            at BIGINT NOT NULL
        )""",
        """CREATE TABLE not_aliases (
            id TEXT NOT NULL,
            other TEXT NOT NULL,
            PRIMARY KEY (id, other)
        )""",
    ),
    (
        """CREATE TABLE followed (
            source TEXT NOT NULL PRIMARY KEY,
            started TEXT,
            request TEXT,
            event TEXT,
            created TEXT
        )""",
    ),
    (
        """CREATE TABLE imports (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            at BIGINT NOT NULL,
            last BIGINT NOT NULL,
            way TEXT NOT NULL,
            who TEXT NOT NULL,
            what TEXT NOT NULL,
            format TEXT NOT NULL,
            read BIGINT NOT NULL,
            accepted BIGINT NOT NULL,
            duplicates BIGINT NOT NULL,
            rejected BIGINT NOT NULL,
            unpriced BIGINT NOT NULL,
            cost_nano BIGINT NOT NULL,
            tokens BIGINT NOT NULL,
            rejections TEXT NOT NULL,
            notes TEXT NOT NULL
        )""",
        "CREATE INDEX imports_last ON imports (last)",
        """CREATE TABLE imported_sources (
            source TEXT NOT NULL PRIMARY KEY,
            last BIGINT,
            duplicates BIGINT NOT NULL,
            rejected BIGINT NOT NULL
        )""",
    ),
    ("ALTER TABLE imported_sources ADD COLUMN reasons TEXT NOT NULL DEFAULT '[]'",),
    (
        """CREATE TABLE public_releases (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            start TEXT,
            at BIGINT NOT NULL,
            book TEXT NOT NULL
        )""",
    ),
    ('ALTER TABLE ingest_keys ADD COLUMN "user" TEXT',),
    (
        """CREATE TABLE exchange_rates (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            currency TEXT NOT NULL,
            start TEXT NOT NULL,
            dollars TEXT NOT NULL,
            at BIGINT NOT NULL,
            who TEXT NOT NULL,
            UNIQUE (currency, start)
        )""",
    ),
    (
        # The same with a service tier among what tells two prices apart, and all rates. No number
        # of a price that was deleted is given again.
        """CREATE TABLE tiered_prices (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            provider TEXT NOT NULL,
            model TEXT NOT NULL,
            start TEXT NOT NULL,
            input TEXT,
            cached_input TEXT,
            cache_write TEXT,
            output TEXT,
            request TEXT,
            alias TEXT,
            discount TEXT,
            note TEXT NOT NULL,
            at BIGINT NOT NULL,
            who TEXT NOT NULL,
            name TEXT NOT NULL,
            cache_write_1h TEXT,
            input_audio TEXT,
            output_audio TEXT,
            input_image TEXT,
            output_image TEXT,
            web_searches TEXT,
            service_tier TEXT NOT NULL DEFAULT '',
            UNIQUE (provider, model, service_tier, start)
        )""",
        "INSERT INTO sqlite_sequence (name, seq)"
        " SELECT 'tiered_prices', seq FROM sqlite_sequence WHERE name = 'prices'",
        "INSERT INTO tiered_prices (id, provider, model, start, input, cached_input, cache_write,"
        " output, request, alias, discount, note, at, who, name) SELECT id, provider, model, start,"
        " input, cached_input, cache_write, output, request, alias, discount, note, at, who, name"
        " FROM prices",
        "DROP TABLE prices",
        "ALTER TABLE tiered_prices RENAME TO prices",
    ),
    (
        "ALTER TABLE accounts ADD COLUMN disabled BIGINT",
        "ALTER TABLE accounts ADD COLUMN password_set BIGINT",
        "ALTER TABLE accounts ADD COLUMN epoch INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE accounts ADD COLUMN link_hash TEXT",
        "ALTER TABLE accounts ADD COLUMN link_until BIGINT",
        "UPDATE accounts SET password_set = created",
    ),
    (
        # AUTOINCREMENT: the number of a session that has ended is never another's.
        """CREATE TABLE sessions (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            id_hash TEXT NOT NULL UNIQUE,
            way TEXT NOT NULL,
            "user" TEXT NOT NULL,
            name TEXT NOT NULL,
            stamp TEXT NOT NULL,
            claims TEXT,
            created BIGINT NOT NULL,
            seen BIGINT NOT NULL,
            expires BIGINT NOT NULL,
            address TEXT NOT NULL,
            agent TEXT NOT NULL
        )""",
        'CREATE INDEX sessions_user ON sessions ("user")',
    ),
    (
        "ALTER TABLE audit ADD COLUMN address TEXT",
        "ALTER TABLE audit ADD COLUMN request TEXT",
        # Entries are added and stay: whoever may delete the old ones says so first, beside them.
        "CREATE TABLE audit_retention (before BIGINT NOT NULL PRIMARY KEY)",
        """CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit BEGIN
            SELECT RAISE(ABORT, 'entries of the audit trail are never changed');
        END""",
        """CREATE TRIGGER audit_stays BEFORE DELETE ON audit
        WHEN NOT EXISTS (SELECT 1 FROM audit_retention WHERE OLD.at < audit_retention.before)
        BEGIN
            SELECT RAISE(ABORT, 'entries of the audit trail are deleted by its retention alone');
        END""",
        """CREATE TRIGGER audit_is_never_replaced BEFORE INSERT ON audit
        WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
        BEGIN
            SELECT RAISE(ABORT, 'entries of the audit trail are never changed');
        END""",
        # The last change is asked for at every request, as the version of people and prices.
        "CREATE INDEX audit_changes ON audit (id) WHERE action IN ('create', 'edit', 'delete')",
        "CREATE INDEX audit_at ON audit (at)",
    ),
    (
        """CREATE TABLE retention (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            source TEXT NOT NULL UNIQUE,
            days INTEGER NOT NULL,
            at BIGINT NOT NULL,
            who TEXT NOT NULL
        )""",
    ),
    (
        "ALTER TABLE sessions ADD COLUMN provider_user TEXT",
        "ALTER TABLE sessions ADD COLUMN provider_session TEXT",
        "ALTER TABLE sessions ADD COLUMN sealed TEXT",
        "ALTER TABLE sessions ADD COLUMN checked BIGINT",
    ),
    (
        """CREATE TABLE api_tokens (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            "user" TEXT NOT NULL,
            name TEXT NOT NULL,
            shown TEXT NOT NULL,
            token_hash TEXT NOT NULL UNIQUE,
            scopes TEXT NOT NULL,
            account BIGINT NOT NULL,
            created BIGINT NOT NULL,
            expires BIGINT NOT NULL,
            revoked BIGINT,
            used BIGINT
        )""",
        'CREATE INDEX api_tokens_user ON api_tokens ("user")',
    ),
    ("ALTER TABLE accounts ADD COLUMN is_auditor BOOLEAN NOT NULL DEFAULT 0",),
    (
        "ALTER TABLE sessions ADD COLUMN viewing INTEGER",
        """CREATE TABLE viewings (
            id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
            viewer TEXT NOT NULL,
            viewer_name TEXT NOT NULL,
            "user" TEXT NOT NULL,
            name TEXT NOT NULL,
            account BIGINT,
            started BIGINT NOT NULL,
            until BIGINT NOT NULL,
            ended BIGINT
        )""",
        'CREATE INDEX viewings_user ON viewings ("user")',
    ),
)
