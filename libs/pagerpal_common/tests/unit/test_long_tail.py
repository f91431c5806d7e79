"""Which Apprise URLs are let through, where they lead, and all that are not."""

import pytest
from pagerpal_common.long_tail import MESSENGERS, Allowed, Destination, allowed, destination

EVERYTHING = ",".join(MESSENGERS)
OWN = "ntfy.example.org, Chat.example.org:8443, 127.0.0.1:8080"

KEY = "aB3-xyZ_" * 8
BOT = f"123456789:{KEY[:35]}"
HOOK = f"123456789012345678/{KEY}"
FLOW = (
    f"/workflows/643e69f83c89/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={KEY}"
)

LEADS = [
    (f"discord://{HOOK}", "discord", f"discord://{HOOK}/", "https://discord.com"),
    (f"https://discord.com/api/webhooks/{HOOK}", "discord", f"discord://{HOOK}/", "https://discord.com"),
    ("gchat://AAAA/key-1/tok%3D", "google_chat", "gchat://AAAA/key-1/tok%3D/", "https://chat.googleapis.com"),
    (
        "https://chat.googleapis.com/v1/spaces/AAAA/messages?key=key-1&token=tok%3D",
        "google_chat",
        "gchat://AAAA/key-1/tok%3D/",
        "https://chat.googleapis.com",
    ),
    (
        "gotifys://ntfy.example.org/AbC.def_12",
        "gotify",
        "gotifys://ntfy.example.org/AbC.def_12",
        "https://ntfy.example.org",
    ),
    (
        "matrixs://syt_abcdefgh@chat.example.org:8443/!abcdefghijkl:example.org",
        "matrix",
        "matrixs://syt_abcdefgh@chat.example.org:8443/!abcdefghijkl:example.org/?discovery=no&e2ee=no",
        "https://chat.example.org:8443",
    ),
    (
        "mmosts://chat.example.org:8443/3ccdd113474722377935511fc85d3dd4/",
        "mattermost",
        "mmosts://chat.example.org:8443/3ccdd113474722377935511fc85d3dd4",
        "https://chat.example.org:8443",
    ),
    ("ntfy://our-pages", "ntfy", "ntfy://our-pages", "https://ntfy.sh"),
    ("ntfys://NTFY.example.org:443/t", "ntfy", "ntfys://ntfy.example.org/t", "https://ntfy.example.org"),
    (
        "ntfys://tk_abcdefghijkl@ntfy.example.org/t",
        "ntfy",
        "ntfys://tk_abcdefghijkl@ntfy.example.org/t",
        "https://ntfy.example.org",
    ),
    ("ntfy://127.0.0.1:8080/t", "ntfy", "ntfy://127.0.0.1:8080/t", "http://127.0.0.1:8080"),
    (f"prowl://{'a1' * 20}", "prowl", f"prowl://{'a1' * 20}", "https://api.prowlapp.com"),
    (f"pbul://o.{'a1' * 16}", "pushbullet", f"pbul://o.{'a1' * 16}/", "https://api.pushbullet.com"),
    (
        f"pover://{'u' * 30}@{'t' * 30}/phone",
        "pushover",
        f"pover://{'u' * 30}@{'t' * 30}/phone",
        "https://api.pushover.net",
    ),
    (
        f"https://prod-1.westeurope.logic.azure.com:443{FLOW}",
        "teams",
        f"workflows://prod-1.westeurope.logic.azure.com/643e69f83c89/{KEY}/?ver=1",
        "https://prod-1.westeurope.logic.azure.com",
    ),
    (
        f"https://default12.8f.environment.api.powerplatform.com:443/powerautomate/automations/direct{FLOW}",
        "teams",
        f"workflows://default12.8f.environment.api.powerplatform.com/643e69f83c89/{KEY}/?pa=yes&ver=1",
        "https://default12.8f.environment.api.powerplatform.com",
    ),
    (f"tgram://{BOT}/-1001234567", "telegram", f"tgram://{BOT}/-1001234567/", "https://api.telegram.org"),
    (f"tgram://{BOT}/OpsChannel:7/", "telegram", f"tgram://{BOT}/OpsChannel:7/", "https://api.telegram.org"),
    (f"webex://{'W' * 80}", "webex", f"wxteams://{'W' * 80}/", "https://api.ciscospark.com"),
    (
        f"zulip://pager@acme/{'a' * 32}/on-call",
        "zulip",
        f"zulip://pager@acme/{'a' * 32}/on-call",
        "https://acme.zulipchat.com",
    ),
]


def everything(*, is_guarded: bool = False) -> Allowed:
    return allowed(EVERYTHING, OWN, is_guarded=is_guarded)


@pytest.mark.parametrize(("address", "messenger", "url", "origin"), LEADS)
def test_an_address_leads_to_one_origin_and_is_put_together_anew(
    address: str, messenger: str, url: str, origin: str
) -> None:
    assert destination(address, everything()) == Destination(messenger, url, origin)


def test_each_messenger_has_an_address_that_is_let_through() -> None:
    assert {messenger for _, messenger, _, _ in LEADS} == set(MESSENGERS)


@pytest.mark.parametrize(
    "address",
    [
        # Where anybody says where.
        "json://127.0.0.1:8080/",
        "jsons://example.org/hook",
        "xml://10.0.0.7/",
        "form://169.254.169.254/latest/meta-data",
        "https://example.org/hook",
        "http://127.0.0.1:8080/",
        "apprise://127.0.0.1:8080/token",
        "mailto://ana:password@example.org",
        "mqtt://127.0.0.1/topic",
        "syslog://",
        "rsyslog://10.0.0.7",
        "smpp://user:password@10.0.0.7:2775/1/2",
        # This machine's own.
        "dbus://",
        "gnome://",
        "macosx://",
        "windows://",
        "file:///etc/passwd",
        "memory://",
        "notify://",
        # Options of Apprise's.
        f"tgram://{BOT}/1?verify=no",
        f"tgram://{BOT}/1/?cto=60&rto=60",
        f"tgram://{BOT}/1?overflow=split",
        f"tgram://{BOT}/1?format=html",
        f"tgram://{BOT}/1?template=file:///etc/passwd",
        f"tgram://{BOT}/1?to=2",
        f"discord://{HOOK}?avatar_url=http://10.0.0.7/",
        f"discord://{HOOK}/?redirect=yes",
        f"discord://{HOOK}#",
        "ntfy://our-pages?attach=http://10.0.0.7/",
        "ntfy://our-pages?click=https://evil.example",
        "ntfy://our-pages?mode=private&host=10.0.0.7",
        "gotifys://ntfy.example.org/AbCdef.123?priority=10",
        f"pover://{'u' * 30}@{'t' * 30}?url=https://evil.example",
        f"wxteams://{'W' * 80}?+X-Header=1",
        # Other hosts, and what some parser or other takes for one.
        "ntfys://evil.example/t",
        "ntfys://ntfy.example.org.evil.example/t",
        "ntfys://ntfy.example.org:8443/t",
        "ntfys://ntfy.example.org@evil.example/t",
        "ntfys://evil.example@ntfy.example.org/t",
        "ntfys://user:password@ntfy.example.org/t",
        "ntfys://ntfy.example.org\\@evil.example/t",
        "ntfys://ntfy.example.org%2f@evil.example/t",
        "ntfys://ntfy.example.org/../t",
        "ntfys://ntfy.example.org//evil.example/t",
        "ntfys://ntfy.example.org/t/u",
        "ntfys://[::1]/t",
        "ntfys://ntfy.example.org./t",
        "ntfy://127.0.0.1/t",
        "mmosts://chat.example.org/3ccdd113474722377935511fc85d3dd4",
        "gotifys://10.0.0.7/AbCdef.12345",
        "matrixs://syt_abcdefgh@10.0.0.7/!abcdefghijkl:example.org",
        "matrixs://user:password@chat.example.org:8443/!abcdefghijkl",
        f"https://discord.com.evil.example/api/webhooks/{HOOK}",
        f"https://evil.example/discord.com/api/webhooks/{HOOK}",
        f"http://discord.com/api/webhooks/{HOOK}",
        f"https://logic.azure.com{FLOW}",
        f"https://evil.example/.logic.azure.com{FLOW}",
        f"https://evil.example#.logic.azure.com{FLOW}",
        f"https://user@prod-1.westeurope.logic.azure.com{FLOW}",
        f"https://prod-1.westeurope.logic.azure.com:444{FLOW}",
        f"https://prod-1.westeurope.logic.azure.com{FLOW}&template=https://evil.example",
        f"workflows://evil.example/643e69f83c89/{KEY}",
        f"zulip://pager@evil.example/{'a' * 32}/on-call",
        f"zulip://pager@evil/{'a' * 32}/on-call?to=x",
        # Several at once, and what is no text.
        f"tgram://{BOT}/1, json://127.0.0.1",
        f"tgram://{BOT}/1 json://127.0.0.1",
        f"tgram://{BOT}/1\njson://127.0.0.1",
        f"tgram://{BOT}/1\n",
        f" tgram://{BOT}/1",
        f"TGRAM://{BOT}/1",
        f"tgram://{BOT}",
        f"tgram://{BOT}/1/2",
        f"tgram://{BOT}/%2e%2e",
        "tgram://" + "\u0661" * 9 + f":{KEY[:35]}/1",
        "ntfy://" + "t" * 65,
        "ntfy://" + "t" * 10_000,
        "ntfy://",
        "",
    ],
)  # fmt: skip
def test_nothing_else_is_let_through_and_it_is_not_repeated(address: str) -> None:
    with pytest.raises(ValueError, match=r"Apprise URL|this host") as refusal:
        destination(address, everything())

    assert len(address) < 8 or address not in str(refusal.value)
    assert KEY[:35] not in str(refusal.value)


@pytest.mark.parametrize(("address", "messenger", "url", "origin"), LEADS)
def test_where_it_is_not_switched_on_it_leads_nowhere(address: str, messenger: str, url: str, origin: str) -> None:
    others = ",".join(MESSENGERS.keys() - {messenger})

    with pytest.raises(ValueError, match="is not switched on here"):
        destination(address, allowed(others, OWN, is_guarded=False))
    with pytest.raises(ValueError, match="no messenger is switched on here"):
        destination(address, allowed("", OWN, is_guarded=False))


def test_a_service_of_its_makers_needs_no_host_named() -> None:
    assert destination("ntfy://our-pages", allowed("ntfy", "", is_guarded=True)).origin == "https://ntfy.sh"


@pytest.mark.parametrize("address", [row[0] for row in LEADS if "example.org" in row[3] or "127.0.0.1" in row[3]])
def test_a_host_of_ones_own_has_to_be_named(address: str) -> None:
    with pytest.raises(ValueError, match="PAGERPAL_LONG_TAIL_HOSTS"):
        destination(address, allowed(EVERYTHING, "other.example.org", is_guarded=False))


def test_in_production_nothing_goes_without_tls() -> None:
    with pytest.raises(ValueError, match="ntfys://…"):
        destination("ntfy://127.0.0.1:8080/t", everything(is_guarded=True))

    assert destination("ntfys://ntfy.example.org/t", everything(is_guarded=True)).origin == "https://ntfy.example.org"


@pytest.mark.parametrize("names", ["pigeon", "telegram discord", "telegram,json", "Telegram"])
def test_a_messenger_that_is_unknown_is_no_setting(names: str) -> None:
    with pytest.raises(ValueError, match="of these: discord, google_chat"):
        allowed(names, "", is_guarded=True)


@pytest.mark.parametrize("hosts", ["https://ntfy.example.org", "ntfy.example.org/x", "a b", "*", "host:0", "[::1]"])
def test_what_is_no_host_is_no_setting(hosts: str) -> None:
    with pytest.raises(ValueError, match="hosts with commas between them"):
        allowed("ntfy", hosts, is_guarded=True)


def test_a_destination_does_not_show_where_it_leads() -> None:
    assert "our-pages" not in repr(destination("ntfy://our-pages", everything()))
