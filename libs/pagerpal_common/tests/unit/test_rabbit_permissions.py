"""Are the rights that an operator reads of those that the code works out?"""

from pathlib import Path

import pytest
from pagerpal_common.bus.rabbit_permissions import commands, permissions, services
from pagerpal_common.bus.rabbit_topology import Names

OPERATIONS = Path(__file__).parents[4] / "docs" / "operations.md"


@pytest.mark.parametrize("service", services())
def test_the_operations_page_says_what_each_login_needs(service: str) -> None:
    may = permissions(service, Names())
    (row,) = [
        line for line in OPERATIONS.read_text().splitlines() if line.startswith("| ") and service in _logins(line)
    ]

    _, _, configure, write, read, _ = row.replace("\\|", "\0").split("|")

    assert _expression(configure) == may.configure
    assert _expression(write) == may.write
    assert (_expression(configure) if "as configure" in read else _expression(read)) == may.read


def test_two_installations_on_one_broker_do_not_reach_each_other() -> None:
    may = permissions("incidents", Names("blue."))

    assert may.configure == r"^(blue\.pagerpal|blue\.pagerpal\.parked|blue\.incidents\..+)$"


def test_the_commands_name_no_password() -> None:
    lines = list(commands(Names()))

    assert "rabbitmqctl add_user pagerpal_ingest" in lines
    assert "rabbitmqctl set_permissions -p pagerpal pagerpal_ingest '^$' '^(pagerpal)$' '^$'" in lines
    assert len(lines) == 2 + 3 * len(services())


def _logins(row: str) -> list[str]:
    """Whom a row of the table is about; nobody, in other tables."""
    cells = row.replace("\\|", "\0").split("|")
    return cells[1].strip().split(", ") if len(cells) == 6 and "`^" in cells[2] else []


def _expression(cell: str) -> str:
    return cell.strip().strip("`").replace("\0", "|")
