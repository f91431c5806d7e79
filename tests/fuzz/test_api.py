"""Does the running product keep to its document, whatever it is sent? Schemathesis makes the requests out of it.

Standalone, as people start it, with one of everything in it. The requests are the same in every run: examples, the
edges of every schema, a few values within and a few beyond it.
"""

import base64
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from pagerpal_common.contracts.http import OF_OTHERS
from pagerpal_common.contracts.http.operation import PERSON, SOURCE, Operation, Scheme
from pagerpal_common.http.described import described
from pagerpal_common.http.openapi import document
from pagerpal_web.api import ENDPOINTS
from pagerpal_web.ui import PAGES
from schemathesis.checks import not_a_server_error
from schemathesis.openapi.checks import IgnoredAuth
from schemathesis.specs.openapi import checks

from tests.e2e.deployment import ADMIN_EMAIL, ADMIN_PASSWORD, standalone
from tests.e2e.fake_infobip import RECEIPT_TOKEN, fake_infobip

PATHS_OF_PAGES = {row.path for row in PAGES}
"""The document says nothing of pages; where one has the path of an operation, it has another method."""


def methods_are_refused(ctx: Any, response: Any, case: Any) -> bool | None:
    """Schemathesis' own check, but for what is a page, too."""
    return None if case.path in PATHS_OF_PAGES else checks.unsupported_method(ctx, response, case)


def methods_are_allowed(ctx: Any, response: Any, case: Any) -> bool | None:
    """Schemathesis' own check, but for what is a page, too."""
    return None if case.path in PATHS_OF_PAGES else checks.allow_header_conformance(ctx, response, case)


CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    methods_are_refused,
    methods_are_allowed,
]
"""Of every answer. That credentials are looked at is checked once for each operation, on its first success."""

EXAMPLES = 8
"""Values of each operation beyond the examples and edges that its schema names."""

OPERATIONS = [*map(described, ENDPOINTS), *OF_OTHERS]
ASKED: Mapping[str, Sequence[Scheme]] = {operation.name: operation.asks_for for operation in OPERATIONS}

SEEN: dict[str, Counter[int]] = defaultdict(Counter)
"""How often each operation was answered with each status, by name."""

UNGUESSED = {"log_in", "change_password", "end_session", "receive_event", "update_contact_method"}
"""What succeeds only with a secret, a session or a number from a thousand on, which nothing made at random has."""

FOR_ONESELF = {"verify_contact_method", "send_test_page"}
"""What nobody does for somebody else: tried on the asker's own mail until it has succeeded."""

SETTINGS = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def schema_of(operations: Sequence[Operation]) -> Any:
    config = schemathesis.Config(seed=1)
    config.projects.default.generation.update(
        deterministic=True, max_examples=EXAMPLES, no_shrink=True, with_security_parameters=False
    )
    return schemathesis.openapi.from_dict(document(operations), config=config)


@dataclass(frozen=True)
class Running:
    """The product, and what lets one in, by what is asked for."""

    url: str
    headers: Mapping[tuple[Scheme, ...], Mapping[str, str]]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with fake_infobip() as infobip, standalone(tmp_path_factory.mktemp("fuzz"), infobip) as deployment:
        with httpx.Client(base_url=deployment.url, auth=(ADMIN_EMAIL, ADMIN_PASSWORD), trust_env=False) as api:
            key = one_of_everything(api)
        basic = base64.b64encode(f"{ADMIN_EMAIL}:{ADMIN_PASSWORD}".encode()).decode()
        headers: dict[tuple[Scheme, ...], Mapping[str, str]] = {
            (): {},
            PERSON: {"Authorization": f"Basic {basic}"},
            SOURCE: {"X-API-Key": key},
            (Scheme.RECEIPT_TOKEN,): {"X-Infobip-Receipt-Token": RECEIPT_TOKEN},
        }
        yield Running(deployment.url, headers)


def auth_is_looked_at(ctx: Any, response: Any, case: Any) -> bool | None:
    """Schemathesis' own check; but whoever has guessed too often hears 429, which lets nobody in either."""
    try:
        return bool(checks.ignored_auth(ctx, response, case))
    except IgnoredAuth as failure:
        if "got `429 " not in str(failure) + failure.message:
            raise
        return None


def one_of_everything(api: httpx.Client) -> str:
    """Something behind each id 1 in a path; the key of an alert source, 2, that stays."""

    def made(path: str, **body: Any) -> Any:
        answer = api.post(f"/api/v1/{path}", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    for _ in range(2):
        team = made("teams", name="Platform")["id"]
    person = made("users", name="Ana", email="ana@example.com", role="responder")["id"]
    made(f"users/{person}/contact-methods", channel="sms", address="+491701234567")
    made(f"users/{person}/notification-rules", severity="any", channel="email", delay_seconds=0)
    made("teams/1/members", user_id=person)
    made("schedules", team_id=1, name="First line")
    made("schedules/1/entries", user_id=person, starts_at="2026-05-01T00:00:00Z", ends_at="2026-05-02T00:00:00Z")
    made("escalation-policies", team_id=1, name="Default")
    made("escalation-policies/1/levels", level_number=100, timeout_minutes=5)
    made("escalation-policies/1/levels/1/assignees", assignee_type="user", user_id=person)
    made("alert-sources", team_id=1, name="Any", source_type="generic")
    key: str = made("alert-sources", team_id=team, name="Monitoring", source_type="generic")["api_key"]
    alert = {"title": "Disk full", "severity": "info", "external_id": "disk"}
    sent = httpx.post(str(api.base_url.join("/api/v1/alerts")), json=alert, headers={"X-API-Key": key})
    assert sent.status_code == 201, sent.text
    return key


def spare(case: Any) -> None:
    """Leave alone whom all requests come from, and the key that alerts come with: without them nothing is tried."""
    name = case.operation.definition.raw["operationId"]
    if name in FOR_ONESELF and not any(status < 300 for status in SEEN[name]):
        case.path_parameters.update(user_id=1, method_id=3)  # one's own mail
        return
    for parameter, keep, instead in (("user_id", "1", 2), ("source_id", "2", 1)):
        if str(case.path_parameters.get(parameter)) == keep:
            case.path_parameters[parameter] = instead


def try_out(case: Any, running: Running) -> None:
    spare(case)
    name = case.operation.definition.raw["operationId"]
    headers = running.headers[tuple(ASKED[name])]
    response = case.call(base_url=running.url, headers=headers)
    is_first_success = response.status_code < 300 and not any(status < 300 for status in SEEN[name])
    SEEN[name][response.status_code] += 1
    wanted = [*CHECKS, auth_is_looked_at] if is_first_success else CHECKS
    case.validate_response(response, wanted, headers=headers, transport_kwargs={"base_url": running.url})


@schema_of(OPERATIONS).exclude(method="DELETE").parametrize()  # type: ignore[untyped-decorator]
@SETTINGS
def test_every_answer_is_in_the_document(case: Any, running: Running) -> None:
    try_out(case, running)


@schema_of(OPERATIONS[::-1]).include(method="DELETE").parametrize()  # type: ignore[untyped-decorator]
@SETTINGS
def test_every_answer_to_a_deletion_is_in_the_document(case: Any, running: Running) -> None:
    """Last, and what uses something before what is used."""
    try_out(case, running)


def test_everything_has_succeeded_once() -> None:
    """Requests that are all turned away at the door would say nothing of what is behind it. Of a deletion it is enough
    that it was refused because something uses what was to go: the requests made that, too."""
    never = {name for name in SEEN if not any(status < 300 or status == 409 for status in SEEN[name])} - UNGUESSED
    assert len(SEEN) in {0, len(OPERATIONS)}, "only some of them were tried"
    assert never == set(), {name: dict(SEEN[name]) for name in never}
