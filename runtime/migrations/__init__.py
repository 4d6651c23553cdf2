"""Alembic revisions of the product's own tables. App tables never appear here: publishing changes them."""
