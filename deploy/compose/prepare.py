"""Who knows which secret? `prepare.py secrets` makes them for compose, and `prepare.py logins` tells PostgreSQL.

Each directory under /secrets is a volume that only its owner sees. What is there is kept: running it again changes
nothing, unless a file was deleted to have it made anew. Every service gets a login of its own for PostgreSQL and for
RabbitMQ, with the rights of `pagerpal_common`, and no more.
"""

import asyncio
import json
import os
import secrets
import sys
from pathlib import Path

import asyncpg
from pagerpal_common.bus.rabbit_definitions import definitions, login
from pagerpal_common.bus.rabbit_permissions import VHOST, services
from pagerpal_common.migrations.grants import role_of
from pagerpal_web.secret_key import SecretKeys, setup_token

SECRETS = Path(os.environ.get("PAGERPAL_SECRETS_DIR", "/secrets"))
OF_MIGRATE = Path(os.environ.get("PAGERPAL_MIGRATE_SECRETS_DIR", "/run/secrets/pagerpal"))
POSTGRES = os.environ.get("PAGERPAL_POSTGRES_HOST", "postgres:5432")
BROKER = os.environ.get("PAGERPAL_BROKER_HOST", "broker:5672")
DATABASE = os.environ.get("PAGERPAL_DATABASE_NAME", "pagerpal")
LOGINS = "logins.json"


def make_secrets() -> None:
    """Everything that is not there yet."""
    for owner in (*services(), "postgres", "rabbitmq", "migrate", "demo", "grafana"):
        (SECRETS / owner).mkdir(exist_ok=True)
    of_postgres = _kept(SECRETS / "postgres" / "password")
    _write(SECRETS / "migrate" / "database-url", f"postgresql://postgres:{of_postgres}@{POSTGRES}/{DATABASE}")
    of_database = {service: _password_in(SECRETS / service / "database-url") for service in services()}
    of_broker = {service: _password_in(SECRETS / service / "amqp-url") for service in services()}
    for service in services():
        to_database = _url("postgresql", service, of_database[service], POSTGRES, DATABASE)
        _write(SECRETS / service / "database-url", to_database)
        _write(SECRETS / service / "amqp-url", _url("amqp", login(service), of_broker[service], BROKER, VHOST))
    _write(SECRETS / "migrate" / LOGINS, json.dumps(of_database))
    _write(SECRETS / "rabbitmq" / "definitions.json", json.dumps(definitions(of_broker), indent=2))
    _kept(SECRETS / "rabbitmq" / "erlang-cookie")
    key = _kept(SECRETS / "web" / "secret-key")
    _write(SECRETS / "notifier" / "secret-key", key)
    _kept(SECRETS / "ingest" / "receipt-token")
    _kept(SECRETS / "grafana" / "password")
    _kept(SECRETS / "demo" / "demo-password")
    _write(SECRETS / "demo" / "setup-token", setup_token(SecretKeys(key.encode())))


async def make_logins() -> None:
    """A PostgreSQL login for each service, in its role. The roles are there: the migrations have made them."""
    passwords: dict[str, str] = json.loads((OF_MIGRATE / LOGINS).read_text(encoding="utf-8"))
    connection = await asyncpg.connect((OF_MIGRATE / "database-url").read_text(encoding="utf-8"), timeout=10)
    try:
        for service, password in passwords.items():
            if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", service):
                await connection.execute(f'CREATE ROLE "{service}"')
            secret = await connection.fetchval("SELECT quote_literal($1)", password)
            await connection.execute(f'ALTER ROLE "{service}" LOGIN PASSWORD {secret}')
            await connection.execute(f'GRANT {role_of(service)} TO "{service}"')
    finally:
        await connection.close(timeout=10)


def _url(scheme: str, user: str, password: str, host: str, name: str) -> str:
    return f"{scheme}://{user}:{password}@{host}/{name}"


def _kept(file: Path) -> str:
    """The secret in a file; made, when there is none."""
    if not file.exists():
        _write(file, secrets.token_urlsafe(36))
    return file.read_text(encoding="utf-8")


def _password_in(file: Path) -> str:
    """The password of the URL in a file; a new one, when there is none."""
    if not file.exists():
        return secrets.token_urlsafe(36)
    return file.read_text(encoding="utf-8").split("@")[0].rpartition(":")[2]


def _write(file: Path, text: str) -> None:
    """Whole or not at all. Anybody may read it who sees the volume: each container has an account of its own."""
    draft = file.with_suffix(".new")
    draft.write_text(text, encoding="utf-8")
    draft.chmod(0o444)
    draft.rename(file)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["secrets"]:
            make_secrets()
        case ["logins"]:
            asyncio.run(make_logins())
        case _:
            sys.exit("usage: prepare.py secrets|logins")
