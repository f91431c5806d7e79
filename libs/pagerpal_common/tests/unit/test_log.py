"""The last net under the rule that nobody logs a secret."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from pagerpal_common import log


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("refused pp_8i_2gA1lbDaoKc4Tm_sf0sMbJAz64791JvtPVDPm3AQ", "2gA1lbDa"),
        ("Authorization: Basic YW5hOmh1bnRlcjI=", "YW5hOmh1"),
        ("Authorization: Bearer pp-not-a-key-0123456789", "0123456789"),
        ("Authorization: App 003026abc133714df1834b8638bb496e", "003026abc"),
        ("cannot reach amqp://pagerpal:hunter2@broker:5672/", "hunter2"),
        ("cannot reach postgresql://pagerpal:hun@ter2@db/pagerpal", "ter2"),
        ("GET /api/v1/alerts?api_key=hunter2&x=1", "hunter2"),
        ("GET /x?token=hunter2", "hunter2"),
        ("destination +4915112345678 is unknown", "4915112345678"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(line: str, secret: str) -> None:
    assert secret not in log.redact(line)


@pytest.mark.parametrize(
    "line",
    [
        "incident 42 entered level 2",
        "2026-05-21T12:00:00+00:00",
        "CPU > 95% on prod-api-03",
        "pp_",
        "in wrap_app_handling_x",
    ],
)
def test_ordinary_words_are_left_alone(line: str) -> None:
    assert log.redact(line) == line


@pytest.fixture
def restored() -> Iterator[None]:
    """Puts logging back as other tests of this process know it."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_traceback_is_redacted_too(capsys: pytest.CaptureFixture[str], restored: None) -> None:
    log.configure(pretty=False)
    try:
        raise ValueError("no such number: +4915112345678")
    except ValueError as error:
        structlog.get_logger("test").error("send.failed", notification_id=7, exc_info=error)

    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["notification_id"]) == ("send.failed", 7)
    assert "ValueError" in line["exception"]
    assert "4915112345678" not in line["exception"]
