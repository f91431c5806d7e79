"""The last net under the rule that nobody logs a secret."""

import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

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
        ("GET /lookup?number=%2B4915112345678", "4915112345678"),
        ("cannot reach https://hunter2@hooks.example.org/x", "hunter2"),
        ("set-cookie: pagerpal_session=hunter2; HttpOnly", "hunter2"),
        ("session eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl ended", "eyJzdWIiOiI3In0"),
        ('POST body: {"current_password": "hunter2 and \\"more", "x": 1}', "hunter2"),
        ('POST body: {"current_password": "hunter2 and \\"more", "x": 1}', "more"),
        ("got {'api_key': 'hunter2', 'name': 'x'}", "hunter2"),
        ("got {'routing_key': 'hunter2'", "hunter2"),
        ("X-API-Key: hunter2", "hunter2"),
        ("x-alert-source-key:hunter2", "hunter2"),
        ("X-Infobip-Receipt-Token: hunter2", "hunter2"),
        ("Authorization: Digest username=ana, response=hunter2", "hunter2"),
        ("Cookie: a=b; pagerpal_session=hunter2", "hunter2"),
        ("login(password=hunter2)", "hunter2"),
        ("GET /?access_token=hunter2&x=1", "hunter2"),
        ("GET /?Api_Key=hunter2", "hunter2"),
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
        "GET http://127.0.0.1:8000/api/v1/incidents?page=2",
        "in _token at tokens.py:12, expected a token: none",
        "ana@example.org logged in",
        "{'incident_id': 42, 'level': 2}",
        "+1 level",
    ],
)
def test_ordinary_words_are_left_alone(line: str) -> None:
    assert log.redact(line) == line


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", ["-token", "token': '", "//a@", "eyJaaaaaaaa.", "basic ", "\\", "cookie: ", "+1234567", " "]
)
@pytest.mark.parametrize("beginning", ["", "x-", "'token': '", "eyJaaaaaaaa"])
def test_no_text_keeps_the_search_busy(beginning: str, piece: str) -> None:
    log.redact(beginning + piece * 20_000)


@pytest.fixture
def restored() -> Iterator[None]:
    """Puts logging back as other tests of this process know it."""
    root = logging.getLogger()
    handlers, level, hook = list(root.handlers), root.level, sys.excepthook
    yield
    sys.excepthook = hook
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


@dataclass
class Provider:
    """Something with a secret in it that somebody puts into a log line whole."""

    url: str


@pytest.mark.parametrize("is_pretty", [True, False])
@pytest.mark.parametrize(
    "fields",
    [
        {"answer": {"destinations": [{"to": "+4915112345678", "text": "X-API-Key: canary"}]}},
        {"error": ValueError("amqp://pagerpal:canary@broker/ refused +4915112345678")},
        {"given": ("Bearer canary-0123456789", {"number": "+4915112345678"})},
        {"body": b"api_key=canary&number=%2B4915112345678"},
        {"provider": Provider("https://canary@example.org/+4915112345678")},
        {"headers": {"Authorization": "canary", "Cookie": "canary", "X-API-Key": "canary"}},
        {"api_key": "canary", "new_password": "canary", "setup_token": ["canary"]},
        {"seen": {"+4915112345678": 3}},
        {"deep": [[[[[[[[[[{"token": "canary"}]]]]]]]]]]},
    ],
    ids=str,
)
def test_nothing_hides_in_a_field_however_deep(
    fields: dict[str, Any], is_pretty: bool, capsys: pytest.CaptureFixture[str], restored: None
) -> None:
    log.configure(pretty=is_pretty)

    structlog.get_logger("test").info("send.failed", notification_id=7, **fields)
    logging.getLogger("library").warning("cannot send: %s", fields)

    shown = capsys.readouterr().err
    assert "send.failed" in shown
    assert "canary" not in shown
    assert "4915112345678" not in shown


def test_what_is_not_secret_is_shown_as_it_is(capsys: pytest.CaptureFixture[str], restored: None) -> None:
    log.configure(pretty=False)
    fields = {"ms": 1.5, "ok": True, "none": None, "ids": [1, 2], "who": {"name": "Ana"}}

    structlog.get_logger("test").info("request", alert_id=UUID(int=7), at=datetime(2026, 5, 21, tzinfo=UTC), **fields)

    line = json.loads(capsys.readouterr().err)
    assert {name: line[name] for name in fields} == fields
    assert line["alert_id"] == "00000000-0000-0000-0000-000000000007"
    assert line["at"] == "2026-05-21 00:00:00+00:00"


def test_what_ends_the_process_is_redacted_too(capsys: pytest.CaptureFixture[str], restored: None) -> None:
    log.configure(pretty=False)
    try:
        raise ValueError("cannot reach amqp://pagerpal:hunter2@broker/")
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)

    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"]) == ("process.crashed", "critical")
    assert "ValueError" in line["exception"]
    assert "hunter2" not in line["exception"]
