"""The tables of the state store, in the modules that know them: importing this makes META whole."""

from __future__ import annotations

import data.aliases
import data.audit
import data.budgets
import data.followed
import data.imports
import data.ingest_keys
import data.preferences
import data.price_entries
import data.public_rows
import data.repricing_log

__all__ = ["data"]
