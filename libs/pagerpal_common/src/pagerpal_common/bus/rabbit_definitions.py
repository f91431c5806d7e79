"""What does an empty RabbitMQ load to know us? `python -m pagerpal_common.bus.rabbit_definitions DIRECTORY`.

Prints the vhost, a login per service and its rights (`rabbit_permissions.py`) for `rabbitmqctl import_definitions`. The
directory has one for each service, with its `amqp-url`: the passwords are the ones that are in those.
"""

import base64
import hashlib
import json
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pagerpal_common.bus.rabbit_permissions import VHOST, permissions, services
from pagerpal_common.bus.rabbit_topology import Names

SALT_BYTES = 4


def login(service: str) -> str:
    """What a service is called there."""
    return f"pagerpal_{service}"


def definitions(passwords: Mapping[str, str]) -> dict[str, Any]:
    """What RabbitMQ loads. Queues are the services' own.

    Args:
        passwords: by service.
    """
    names = Names()
    rights = {service: permissions(service, names) for service in passwords}
    return {
        "vhosts": [{"name": VHOST}],
        "users": [
            {
                "name": login(service),
                "password_hash": _hashed(password),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": [],
            }
            for service, password in passwords.items()
        ],
        "permissions": [
            {"user": login(service), "vhost": VHOST, "configure": may.configure, "write": may.write, "read": may.read}
            for service, may in rights.items()
        ],
        "topic_permissions": [
            {
                "user": login(service),
                "vhost": VHOST,
                "exchange": names.exchange,
                "write": may.topics_written,
                "read": may.topics_read,
            }
            for service, may in rights.items()
        ],
    }


def _hashed(password: str) -> str:
    """RabbitMQ docs, Credentials and Passwords: a salt, and the SHA-256 of it and the password."""
    salt = secrets.token_bytes(SALT_BYTES)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _password_in(file: Path) -> str:
    password = urlsplit(file.read_text(encoding="utf-8").strip()).password
    if not password:
        sys.exit(f"{file} is no URL with a password")
    return unquote(password)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: rabbit_definitions DIRECTORY")
    found = {service: _password_in(Path(sys.argv[1]) / service / "amqp-url") for service in services()}
    sys.stdout.write(json.dumps(definitions(found), indent=2) + "\n")
