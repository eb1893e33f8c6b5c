"""Migrations of the database, run by alembic whenever it is opened (`review.store.database`)."""
