"""Alembic's entry: runs on the connection that `pagerpal_common.migrations` hands over."""

from alembic import context

from pagerpal_common.schema import metadata

connection = context.config.attributes["connection"]
schemas = {table.schema for table in metadata.tables.values()}


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """Only our own schemas: others may share the database."""
    return kind != "schema" or name in schemas


context.configure(connection=connection, target_metadata=metadata, include_schemas=True, include_name=include_name)
with context.begin_transaction():
    context.run_migrations()
