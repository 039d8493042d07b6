"""The audit trail is only ever added to: the database itself refuses everything else.

Whoever may delete old entries says so first, in `audit_retention`: see `audit.trim`.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

CHANGED: Final = "entries of the audit trail are never changed"
DELETED: Final = "entries of the audit trail are deleted by its retention alone"
MAY_GO: Final = "EXISTS (SELECT 1 FROM audit_retention WHERE OLD.at < audit_retention.before)"

SQLITE: Final = (
    f"CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit"
    f" BEGIN SELECT RAISE(ABORT, '{CHANGED}'); END",
    f"CREATE TRIGGER audit_stays BEFORE DELETE ON audit WHEN NOT {MAY_GO}"
    f" BEGIN SELECT RAISE(ABORT, '{DELETED}'); END",
    f"CREATE TRIGGER audit_is_never_replaced BEFORE INSERT ON audit"
    f" WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)"
    f" BEGIN SELECT RAISE(ABORT, '{CHANGED}'); END",
)

POSTGRESQL: Final = (
    f"CREATE FUNCTION audit_is_never_changed() RETURNS trigger LANGUAGE plpgsql AS"
    f" $$ BEGIN RAISE EXCEPTION '{CHANGED}' USING ERRCODE = 'restrict_violation'; END $$",
    f"CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS"
    f" $$ BEGIN IF {MAY_GO} THEN RETURN OLD; END IF;"
    f" RAISE EXCEPTION '{DELETED}' USING ERRCODE = 'restrict_violation'; END $$",
    "CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit"
    " FOR EACH ROW EXECUTE FUNCTION audit_is_never_changed()",
    "CREATE TRIGGER audit_stays BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_stays()",
    "CREATE TRIGGER audit_is_never_emptied BEFORE TRUNCATE ON audit"
    " FOR EACH STATEMENT EXECUTE FUNCTION audit_is_never_changed()",
)


def guard(connection: sa.Connection) -> None:
    """Have the trail of new tables refuse changes."""
    statements = POSTGRESQL if connection.dialect.name == "postgresql" else SQLITE
    for statement in statements:
        connection.exec_driver_sql(statement)
