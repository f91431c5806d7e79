"""Which lines of the API reference (`docs/api-reference.txt`) say something, and which test says that it is so?"""

import ast
import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.e2e.pagerpal import Pagerpal, Team

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "api-reference.txt").read_text(encoding="utf-8")
TESTS = (
    ("tests/e2e/test_api_reference_cards.py", "tests/e2e/test_api_reference.py"),
    ("tests/ui/test_reference.py",),
)
"""The tests of the API, and those of the pages; each of the two goes through the reference in its order."""

T = TypeVar("T")
Json = Any

# Parts of a request or of an answer: the sentence before them speaks of them.
_CODE = re.compile(
    r"""[{}\[\]"]|curl |-[XHud] |https?://|[A-Z][A-Za-z-]+: [<aB]|(GET|POST) /\S+$|python scripts/|CURL$|RESPONSE"""
)
# Headings, and what introduces the lines after it.
_FRAME = re.compile(
    r"ROUTE INVENTORY|Endpoint Cards|.*#|.{,60}:|Location Example|Query parameter Default Notes|Method Path Purpose|"
    r"Resource Base path|Path Purpose|Status Meaning|Endpoint group Auth required Credential"
)

REFERENCE_ALERT = {
    "title": "CPU > 95% on prod-api-03",
    "description": "CPU has been above 95% for 10 minutes",
    "severity": "critical",
    "external_id": "prod-api-03-cpu-high",
}
GRAFANA_ALERTING = {
    "title": "RDS connection pool exhausted",
    "message": "Database connection pool is saturated",
    "state": "alerting",
    "ruleId": "rds-connection-pool",
}
ALARM = r'{"AlarmName":"prod-api-cpu-high","NewStateValue":"ALARM","NewStateReason":"CPU above threshold","Trigger":{}}'


def says(*_lines: str) -> Callable[[T], T]:
    """The lines of the reference that a test shows, by their beginnings; in the order of the reference."""
    return lambda test: test


def sentences() -> list[str]:
    """Every line that promises something, in order."""
    lines = (line.strip() for line in TEXT.splitlines())
    return [line for line in lines if line and not _CODE.match(line) and not _FRAME.fullmatch(line)]


def quoted() -> list[list[Any]]:
    """What the tests quote, in their order: those of the API, and those of the pages."""
    return [_quoted(paths) for paths in TESTS]


def _quoted(paths: tuple[str, ...]) -> list[Any]:
    calls = [call for path in paths for call in _calls(ROOT / path)]
    constants = (node for call in calls for argument in call.args for node in ast.walk(argument))
    return [node.value for node in constants if isinstance(node, ast.Constant)]


def _calls(path: Path) -> list[ast.Call]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    return sorted((call for call in calls if getattr(call.func, "id", "") == "says"), key=lambda call: call.lineno)


def client(pagerpal: Pagerpal) -> httpx.AsyncClient:
    """A browser's worth: cookies, and no account yet."""
    return httpx.AsyncClient(base_url=pagerpal.deployment.url, timeout=15, trust_env=False)


async def anonymous(pagerpal: Pagerpal, method: str, path: str, **more: Any) -> httpx.Response:
    async with client(pagerpal) as somebody:
        return await somebody.request(method, path, **more)


async def webhook(pagerpal: Pagerpal, team: Team, dialect: str, body: Json) -> httpx.Response:
    path = f"/api/v1/webhooks/{dialect}"
    return await pagerpal.ingest.post(path, json=body, headers={"X-API-Key": team.api_key})


async def receipts(pagerpal: Pagerpal, results: list[Json], token: str | None) -> httpx.Response:
    headers = {} if token is None else {"X-Infobip-Receipt-Token": token}
    path = "/api/v1/notifications/infobip/receipts"
    return await anonymous(pagerpal, "POST", path, json={"results": results}, headers=headers)


async def everything(pagerpal: Pagerpal, resource: str) -> list[Json]:
    return list(await pagerpal.get(f"/api/v1/{resource}?limit=1000"))


async def gone(pagerpal: Pagerpal) -> int:
    """Somebody who has been deactivated."""
    made = await pagerpal.create("/api/v1/users", {"name": "Gone", "email": new_email(), "role": "responder"})
    await pagerpal.api.patch(f"/api/v1/users/{made['id']}", json={"is_active": False})
    number: int = made["id"]
    return number


def new_email() -> str:
    return f"somebody-{asyncio.get_running_loop().time()}@example.org"
