"""What a messenger is told, what its answers mean, and that Apprise asks for nothing but what it is for."""

from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pagerpal_common.config import ConfigError, load
from pagerpal_common.long_tail import MESSENGERS, allowed, destination
from pagerpal_common.vocabulary import Severity
from pagerpal_notifier.channels import long_tail
from pagerpal_notifier.channels.long_tail import read
from pagerpal_notifier.channels.long_tail.child import PLUGINS, Line, answer, origin_of
from pagerpal_notifier.channels.long_tail.words import message
from pagerpal_notifier.domain.delivery import Outcome, Verdict
from pagerpal_notifier.domain.page import Digest, Notice, Page
from pagerpal_notifier.settings import NotifierSettings

URL = "https://pagerpal.example.com"
PAGE = Page(42, Severity.CRITICAL, "Disk full on db1", "98 % used", ("policy 'Base', level 1",), 2, "Bo")
KEY = "aB3-xyZ_" * 8

ADDRESSES = {
    "discord": f"discord://123456789012345678/{KEY}",
    "google_chat": "gchat://AAAA/key-1/tok%3D",
    "gotify": "gotifys://push.example.org/AbC.def_12",
    "matrix": "matrixs://syt_abcdefgh@chat.example.org/!abcdefghijkl:example.org",
    "mattermost": "mmosts://chat.example.org/3ccdd113474722377935511fc85d3dd4",
    "ntfy": "ntfys://tk_abcdefghijkl@push.example.org/our-pages",
    "prowl": f"prowl://{'a1' * 20}",
    "pushbullet": f"pbul://o.{'a1' * 16}",
    "pushover": f"pover://{'u' * 30}@{'t' * 30}/phone",
    "teams": "https://default12.8f.environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows"
    f"/643e69f83c89/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={KEY}",
    "telegram": f"tgram://123456789:{KEY[:35]}/-1001234567",
    "webex": f"wxteams://{'W' * 80}",
    "zulip": f"zulip://pager@acme/{'a' * 32}/on-call",
}
ALLOWED = allowed(",".join(MESSENGERS), "push.example.org,chat.example.org", is_guarded=True)


def test_a_page_says_what_is_wrong_how_far_it_is_who_is_next_and_where() -> None:
    assert message(PAGE, URL).split("\n") == [
        "CRITICAL #42: Disk full on db1",
        "Escalation level 2. Next: Bo.",
        "https://pagerpal.example.com/incidents/42",
    ]
    assert message(replace(PAGE, level=0, next_up=None, delayed=7), None).split("\n") == [
        "CRITICAL #42: Disk full on db1",
        "Delayed 7 min.",
    ]


def test_a_digest_names_the_most_urgent_and_counts_the_rest() -> None:
    pages = tuple(replace(PAGE, incident_id=number) for number in range(1, 9))

    lines = message(Digest(pages, 12, Severity.CRITICAL), URL).split("\n")

    assert lines[0] == "CRITICAL: 12 incidents"
    assert lines[1:6] == [f"#{number} Disk full on db1" for number in range(1, 6)]
    assert lines[6:] == ["and 7 more", "https://pagerpal.example.com/incidents"]


def test_a_notice_is_sent_as_it_is() -> None:
    assert (
        message(Notice("Your code", "012345 is your PagerPal code.", "It is"), URL) == "012345 is your PagerPal code."
    )


def test_nothing_of_an_alert_calls_anybody_links_anywhere_or_goes_missing_as_markup() -> None:
    page = replace(PAGE, title="<@&123> @everyone see <b>this</b> [here](//evil.example)", next_up="@channel")

    said = message(page, None)

    assert not set(said) & set("@<>[]")
    assert "this" in said


def test_the_longest_page_is_taken_by_whoever_takes_the_least() -> None:
    page = replace(PAGE, title="\u20ac" * 5000, next_up="\u20ac" * 5000)

    assert len(message(page, URL)) < 1024
    assert len(message(Digest((page,) * 50, 50, Severity.CRITICAL), URL)) < 1024


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"is_sent": True, "status": 200}, Outcome(Verdict.ACCEPTED, "ntfy: accepted")),
        ({"status": 301}, Outcome(Verdict.REFUSED, "ntfy: HTTP 301")),
        ({"status": 401}, Outcome(Verdict.REFUSED, "ntfy: HTTP 401")),
        (
            {"status": 429, "retry_after": "9"},
            Outcome(Verdict.DEFERRED, "ntfy: HTTP 429", timedelta(seconds=9)),
        ),
        ({"status": 500}, Outcome(Verdict.UNKNOWN, "ntfy: HTTP 500; it goes again, and may come twice")),
        ({"trouble": "unreachable"}, Outcome(Verdict.DEFERRED, "ntfy: it cannot be reached")),
        ({"trouble": "broken"}, Outcome(Verdict.UNKNOWN, "ntfy: no answer; it goes again, and may come twice")),
        (
            {"trouble": "elsewhere"},
            Outcome(Verdict.REFUSED, "ntfy: it would have gone to another host than its own"),
        ),
        ({"trouble": "no_url"}, Outcome(Verdict.REFUSED, "ntfy: Apprise makes nothing of the address")),
        ({"status": 200}, Outcome(Verdict.DEFERRED, "ntfy: not sent, and it is not known why")),
        ({"trouble": "bug"}, Outcome(Verdict.DEFERRED, "ntfy: not sent, and it is not known why")),
        ({}, Outcome(Verdict.DEFERRED, "ntfy: not sent, and it is not known why")),
        ({"is_sent": "yes"}, Outcome(Verdict.DEFERRED, "ntfy: not sent, and it is not known why")),
    ],
)
def test_what_came_of_it_is_told_as_exactly_as_it_is_known(said: dict[str, Any], outcome: Outcome) -> None:
    assert read("ntfy", {"is_sent": False, **said}, tries=1) == outcome


def test_the_third_no_without_a_reason_is_the_last() -> None:
    verdicts = [read("ntfy", {"is_sent": False, "status": 200}, tries=tries).verdict for tries in (1, 2, 3, 4)]

    assert verdicts == [Verdict.DEFERRED, Verdict.DEFERRED, Verdict.REFUSED, Verdict.REFUSED]


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://ntfy.sh/", "https://ntfy.sh"),
        ("https://NTFY.sh:443/x", "https://ntfy.sh"),
        ("http://127.0.0.1:80/", "http://127.0.0.1"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("https://ntfy.sh@evil.example/", "https://evil.example"),
    ],
)
def test_an_origin_is_told_without_the_usual_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "environ", [{"PAGERPAL_LONG_TAIL": "telegram,pigeon"}, {"PAGERPAL_LONG_TAIL_HOSTS": "https://10.0.0.7"}]
)
def test_a_setting_that_is_wrong_is_told_at_the_start(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="PAGERPAL_LONG_TAIL"):
        load(NotifierSettings, environ)


def test_unless_it_is_switched_on_there_is_no_provider() -> None:
    assert long_tail.provider(load(NotifierSettings, {}), lambda: None) is None  # type: ignore[arg-type, return-value]


class Wire:
    """Where requests would leave this machine."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.options: list[dict[str, Any]] = []
        self.answers: list[Any] = []
        self.body = b'{"ok": true, "status": 1, "user_id": "@pp:example.org", "room_id": "!r", "event_id": "$1"}'

    def send(self, request: Any, options: dict[str, Any]) -> Any:
        requests = import_module("requests")
        self.requests.append(request)
        self.options.append(options)
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = 200, request.url, request
        answer.raw = Raw(self.body)
        self.answers.append(answer)
        return answer


class Raw(BytesIO):
    """The connection of an answer."""

    def read(self, amount: int | None = -1, **_options: bool) -> bytes:
        return super().read(amount)


@pytest.fixture
def apprise() -> Any:
    """The extra: where it is not installed, everything else has to work."""
    return pytest.importorskip("apprise")


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch, apprise: Any) -> Wire:
    requests, wire = import_module("requests"), Wire()
    monkeypatch.setattr(
        requests.adapters.HTTPAdapter, "send", lambda _, request, **options: wire.send(request, options)
    )
    return wire


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch, apprise: Any) -> Line:
    requests = import_module("requests")
    for where in (requests, requests.sessions):
        monkeypatch.setattr(where, "Session", where.Session)
    line = Line()
    line.install(requests)
    return line


def order(messenger: str, **other: str) -> dict[str, Any]:
    there = destination(ADDRESSES[messenger], ALLOWED)
    return {"messenger": messenger, "url": there.url, "origin": there.origin, "text": message(PAGE, URL), **other}


def test_each_messenger_has_a_plugin_and_an_address_here() -> None:
    assert set(PLUGINS) == set(ADDRESSES) == set(MESSENGERS)


@pytest.mark.parametrize("messenger", MESSENGERS)
def test_apprise_sends_all_of_it_to_the_one_origin(apprise: Any, wire: Wire, line: Line, messenger: str) -> None:
    said = answer(apprise, line, order(messenger))

    assert said == {"is_sent": True, "status": 200, "retry_after": None, "trouble": None}
    origins = {origin_of(request.url) for request in wire.requests}
    assert origins == {destination(ADDRESSES[messenger], ALLOWED).origin}
    sent = wire.requests[-1]
    body = sent.body.decode() if isinstance(sent.body, bytes) else sent.body
    for word in ("CRITICAL", "42", "Disk", "Escalation", "pagerpal.example.com"):
        assert word in body
    assert "github.com" not in body, "no pictures that readers' programs would ask for"
    assert sent.headers["User-Agent"] in {"PagerPal", "python-requests/" + import_module("requests").__version__}


@pytest.mark.parametrize("messenger", MESSENGERS)
def test_apprise_is_held_to_its_origin_whatever_it_makes_of_a_url(
    apprise: Any, wire: Wire, line: Line, messenger: str
) -> None:
    said = answer(apprise, line, order(messenger, origin="https://another.example.org"))

    assert (said["is_sent"], said["trouble"]) == (False, "elsewhere")
    assert wire.requests == []


def test_a_server_that_sends_matrix_elsewhere_is_not_followed(apprise: Any, wire: Wire, line: Line) -> None:
    wire.body = b'{"m.homeserver": {"base_url": "https://10.0.0.7"}}'
    asking = ADDRESSES["matrix"]

    said = answer(apprise, line, order("matrix", url=asking))

    assert (said["is_sent"], said["trouble"]) == (False, "elsewhere")
    assert {origin_of(request.url) for request in wire.requests} == {"https://chat.example.org"}


def test_neither_proxies_nor_logins_nor_redirects_nor_weak_tls_come_from_anywhere(
    apprise: Any, wire: Wire, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine push.example.org login ana password secret-word\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTPS_PROXY", "http://10.0.0.7:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    loose = f"{order('gotify')['url']}?verify=no&redirect=yes&cto=60&rto=60"

    answer(apprise, line, order("gotify", url=loose))

    (options,), (request,) = wire.options, wire.requests
    assert "Authorization" not in request.headers
    assert options["proxies"] == {}
    assert options["verify"] is True
    assert options["cert"] is None
    assert options["timeout"] == (1.5, 5.0)


def test_a_url_that_apprise_makes_nothing_of_is_told(apprise: Any, wire: Wire, line: Line) -> None:
    said = answer(apprise, line, order("telegram", url="tgram://no-bot/1"))

    assert (said["is_sent"], said["trouble"]) == (False, "no_url")


def test_no_more_is_read_of_an_answer_than_its_beginning(apprise: Any, wire: Wire, line: Line) -> None:
    wire.body = b"x" * 10_000_000

    answer(apprise, line, order("ntfy"))

    assert [len(one.content) for one in wire.answers] == [64 * 1024]
