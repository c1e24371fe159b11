"""How Alembic runs the migrations of the store: in the transaction of whoever opens it."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlalchemy.types import TypeDecorator

from bettercare.store.schema import metadata


def plainly(what: str, item: Any, _: Any) -> str | Literal[False]:
    """A migration names the database's own types, so that it stays what it was when ours change."""
    return f"sa.{item.impl!r}" if what == "type" and isinstance(item, TypeDecorator) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter a table; Alembic then makes a new one and copies
    render_item=plainly,
)
with context.begin_transaction():
    context.run_migrations()
