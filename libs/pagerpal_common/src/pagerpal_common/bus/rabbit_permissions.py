"""What must each service be allowed on RabbitMQ, and nothing else? `python -m pagerpal_common.bus.rabbit_permissions`.

Prints the commands for a vhost of PagerPal's own and a login per service. RabbitMQ docs, Access Control: permissions
are regular expressions over the names of exchanges and queues, topic permissions over the topics of one exchange.

A service that only speaks (ingest) may put its own messages into the one exchange, and nothing more: it can read
no queue, not even what is parked, and cannot speak for another service. One that listens declares and reads its own
queues, and what is parked. It also writes to the default exchange, where replies and parked messages go, and that way
reaches any queue by its name: topic permissions hold for what it says by the usual way only.
"""

import re
import shlex
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from pagerpal_common.bus.rabbit_topology import Names
from pagerpal_common.contracts import PUBLISHERS, SUBSCRIBERS

VHOST = "pagerpal"
DEFAULT_EXCHANGE = "amq.default"
"""RabbitMQ docs, Access Control: under this name permissions on the nameless exchange are given."""
NOTHING = "^$"


@dataclass(frozen=True)
class Permissions:
    """Regular expressions, as `rabbitmqctl set_permissions` and `set_topic_permissions` take them."""

    configure: str
    write: str
    read: str
    topics_written: str
    topics_read: str


def services() -> list[str]:
    """Everybody who says or hears a message."""
    return sorted({service for table in (PUBLISHERS, SUBSCRIBERS) for names in table.values() for service in names})


def permissions(service: str, names: Names) -> Permissions:
    """What this service's login needs."""
    said = _one_of(re.escape(message.topic) for message, by in PUBLISHERS.items() if service in by)
    heard = _one_of(re.escape(message.topic) for message, by in SUBSCRIBERS.items() if service in by)
    exchange = re.escape(names.exchange)
    if heard == NOTHING:
        return Permissions(NOTHING, _one_of([exchange]), NOTHING, said, NOTHING)
    own = (exchange, re.escape(names.parked), rf"{re.escape(f'{names.prefix}{service}.')}.+")
    return Permissions(_one_of(own), _one_of([*own, re.escape(DEFAULT_EXCHANGE)]), _one_of(own), said, heard)


def commands(names: Names) -> Iterable[str]:
    """What an operator runs once; each login's password is asked for."""
    yield f"rabbitmqctl add_vhost {VHOST}"
    for service in services():
        login, may = f"pagerpal_{service}", permissions(service, names)
        yield f"rabbitmqctl add_user {login}"
        yield _command("set_permissions", login, may.configure, may.write, may.read)
        yield _command("set_topic_permissions", login, names.exchange, may.topics_written, may.topics_read)
    yield "rabbitmqctl delete_user guest"


def _command(name: str, login: str, *expressions: str) -> str:
    return shlex.join(["rabbitmqctl", name, "-p", VHOST, login, *expressions])


def _one_of(expressions: Iterable[str]) -> str:
    found = list(expressions)
    return f"^({'|'.join(found)})$" if found else NOTHING


if __name__ == "__main__":
    sys.stdout.write("\n".join(commands(Names())) + "\n")
