"""Alembic's entry: migrates the connection that `review.store.database` hands it. Loaded by alembic alone."""

from __future__ import annotations

from alembic import context

from lesion_measure.review.store.models import Base


def _migrate() -> None:
    context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
    with context.begin_transaction():
        context.run_migrations()


_migrate()
