"""Changes of the state store's schema, as revisions of Alembic: see `data/state/schema.py`."""
