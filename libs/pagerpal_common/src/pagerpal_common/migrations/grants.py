"""Anyone may read, only the owner writes: said to PostgreSQL, from the list of owners in `schema`."""

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from pagerpal_common.schema import APPEND_ONLY, OWNERS, SECRET, metadata


def role_of(service: str) -> str:
    """The PostgreSQL role that a service acts as."""
    return f"pagerpal_{service}"


async def apply_grants(connection: AsyncConnection) -> None:
    """Create the roles where they are missing, and give each exactly its rights on the tables of today."""
    for service in OWNERS:
        await connection.execute(text(_role(role_of(service))))
    for statement in _statements():
        await connection.execute(text(statement))


def _role(role: str) -> str:
    """Roles belong to the whole server, so another database may just be creating the same one."""
    return f"""
    DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
            CREATE ROLE {role} NOLOGIN;
        END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END $$;
    """


def _statements() -> list[str]:
    everyone = ", ".join(role_of(service) for service in OWNERS)
    schemas = ", ".join(sorted({table.schema for table in metadata.tables.values() if table.schema}))
    statements = [
        # So that one login can act as any service in development; in production each has a login of its own.
        f"GRANT {everyone} TO CURRENT_USER",
        f"GRANT USAGE ON SCHEMA {schemas} TO {everyone}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {schemas} FROM {everyone}",
        f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schemas} FROM {everyone}",
        f"GRANT SELECT ON alembic_version TO {everyone}",  # which schema this is
    ]
    for service, tables in OWNERS.items():
        role = role_of(service)
        for table in tables:
            readers = role if table in SECRET else everyone
            statements.append(f"GRANT SELECT ON {table.fullname} TO {readers}")
            writes = "INSERT" if table in APPEND_ONLY else "INSERT, UPDATE, DELETE"
            statements.append(f"GRANT {writes} ON {table.fullname} TO {role}")
        schema = _schema_of(tables)
        statements.append(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {role}")
    return statements


def _schema_of(tables: tuple[Table, ...]) -> str:
    (schema,) = {table.schema for table in tables}
    return str(schema)
