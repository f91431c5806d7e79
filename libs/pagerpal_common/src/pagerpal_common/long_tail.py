"""Which Apprise URLs may a person's pages go to? Web asks when one is written down, the notifier before each page.

Apprise reads some 170 kinds of URL: of files, programs, this machine's own desktop, and of any host. Here is the list
of what is let through. A URL has to match one of its forms from end to end, so nothing of Apprise's own options
(`?verify=no`, `?cto=`, `?overflow=`, templates, attachments, other hosts) can be in it; what Apprise is given is put
together anew from the parts; and each form names the one origin that its messages go to, which whoever sends holds
Apprise to. Services run by their makers have an origin that nobody can write into a URL. One's own server is let
through only where whoever runs PagerPal has named its host.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import AfterValidator, Field

LONGEST_LIST = 2000
"""Characters of a setting."""

LONGEST_ADDRESS = 1000
"""Characters; the longest form has fewer."""


@dataclass(frozen=True)
class Messenger:
    """A service of the long tail."""

    title: str
    """As people call it."""
    examples: tuple[str, ...]
    """How an address there may be written, with secrets that are none."""
    has_own_hosts: bool = False
    """Whether it also runs, or only runs, on hosts of one's own."""


MESSENGERS: Mapping[str, Messenger] = {
    "discord": Messenger("Discord", ("discord://webhook-id/webhook-token", "the webhook's URL, as Discord shows it")),
    "google_chat": Messenger("Google Chat", ("gchat://space/key/token", "the webhook's URL, as Google Chat shows it")),
    "gotify": Messenger("Gotify", ("gotifys://host/app-token",), has_own_hosts=True),
    "matrix": Messenger("Matrix", ("matrixs://access-token@host/!room:server",), has_own_hosts=True),
    "mattermost": Messenger("Mattermost", ("mmosts://host/webhook-token",), has_own_hosts=True),
    "ntfy": Messenger("ntfy", ("ntfy://topic", "ntfys://access-token@host/topic"), has_own_hosts=True),
    "prowl": Messenger("Prowl", ("prowl://api-key",)),
    "pushbullet": Messenger("Pushbullet", ("pbul://access-token",)),
    "pushover": Messenger("Pushover", ("pover://user-key@app-token", "pover://user-key@app-token/device")),
    "teams": Messenger("Teams", ("the workflow's URL, as Teams shows it",)),
    "telegram": Messenger("Telegram", ("tgram://bot-token/chat-id",)),
    "webex": Messenger("Webex", ("wxteams://webhook-token",)),
    "zulip": Messenger("Zulip", ("zulip://bot@organisation/token/stream",)),
}
"""By the names that `PAGERPAL_LONG_TAIL` uses."""


@dataclass(frozen=True)
class Allowed:
    """What whoever runs PagerPal has switched on."""

    messengers: frozenset[str]
    hosts: frozenset[str]
    """Of services of one's own: `host`, or `host:port` where that is not the usual one."""
    is_guarded: bool
    """Nothing goes without TLS."""


@dataclass(frozen=True)
class Destination:
    """Where a message goes."""

    messenger: str
    url: str = field(repr=False)  # whoever has it may write there
    """As Apprise is given it."""
    origin: str = field(repr=False)
    """`https://host` or `https://host:port`: whatever Apprise asks for is there, or is not asked for."""


@dataclass(frozen=True)
class _Form:
    """One way to write an address."""

    messenger: str
    pattern: re.Pattern[str]
    url: str
    """What is made of the pattern's parts for Apprise."""
    origin: str
    """The same, of where it leads."""


_KEY = r"[A-Za-z0-9_-]"
_NAME = r"[A-Za-z0-9]"
_OWN_HOST = rf"(?P<host>{_NAME}(?:[A-Za-z0-9.-]{{0,251}}{_NAME})?(?::[1-9][0-9]{{0,4}})?)"
_DISCORD = rf"(?P<id>[0-9]{{15,25}})/(?P<token>{_KEY}{{20,120}})"
_GOOGLE = {name: rf"(?P<{name}>{_KEY}{{1,128}}(?:%3D){{0,2}})" for name in ("space", "key", "token")}
_ROOM = rf"!{_KEY}{{10,80}}(?::[a-z0-9.-]{{1,120}}(?::[0-9]{{1,5}})?)?"
_CHAT = rf"(?:-?[0-9]{{1,20}}|[A-Za-z]{_KEY}{{3,63}})(?::[0-9]{{1,10}})?"
_STREAM = r"[A-Za-z0-9_.+-]{1,60}(?:@[A-Za-z0-9.-]{1,120})?"
_TENANT = r"(?P<tenant>[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4})"
_WORKFLOW = (
    rf"/workflows/(?P<flow>{_KEY}{{10,80}})/triggers/manual/paths/invoke/?"
    r"\?api-version=(?P<version>[0-9-]{1,12})&sp=%2Ftriggers%2Fmanual%2Frun&sv=1\.0"
    rf"&sig=(?P<sig>{_KEY}{{20,100}})"
)
_OWN_ORIGIN = "http{s}://{host}"


def _form(messenger: str, pattern: str, url: str, origin: str) -> _Form:
    return _Form(messenger, re.compile(pattern, re.ASCII), url, origin)


_FORMS = (
    _form("discord", f"discord://{_DISCORD}/?", "discord://{id}/{token}/", "https://discord.com"),
    _form(
        "discord",
        rf"https://discord(?:app)?\.com/api/webhooks/{_DISCORD}",
        "discord://{id}/{token}/",
        "https://discord.com",
    ),
    _form(
        "google_chat",
        "gchat://{space}/{key}/{token}/?".format(**_GOOGLE),
        "gchat://{space}/{key}/{token}/",
        "https://chat.googleapis.com",
    ),
    _form(
        "google_chat",
        r"https://chat\.googleapis\.com/v1/spaces/{space}/messages\?key={key}&token={token}".format(**_GOOGLE),
        "gchat://{space}/{key}/{token}/",
        "https://chat.googleapis.com",
    ),
    _form(
        "gotify",
        rf"gotify(?P<s>s?)://{_OWN_HOST}/(?P<token>[A-Za-z0-9._-]{{10,64}})/?",
        "gotify{s}://{host}/{token}",
        _OWN_ORIGIN,
    ),
    _form(
        "matrix",
        rf"matrix(?P<s>s?)://(?P<token>[A-Za-z0-9._~-]{{8,256}})@{_OWN_HOST}/(?P<room>{_ROOM})/?",
        "matrix{s}://{token}@{host}/{room}/?discovery=no&e2ee=no",
        _OWN_ORIGIN,
    ),
    _form(
        "mattermost",
        rf"mmost(?P<s>s?)://{_OWN_HOST}/(?P<token>[a-z0-9]{{20,40}})/?",
        "mmost{s}://{host}/{token}",
        _OWN_ORIGIN,
    ),
    _form("ntfy", rf"ntfy://(?P<topic>{_KEY}{{1,64}})/?", "ntfy://{topic}", "https://ntfy.sh"),
    _form(
        "ntfy",
        rf"ntfy(?P<s>s?)://(?P<login>tk_{_NAME}{{10,64}}@)?{_OWN_HOST}/(?P<topic>{_KEY}{{1,64}})/?",
        "ntfy{s}://{login}{host}/{topic}",
        _OWN_ORIGIN,
    ),
    _form("prowl", rf"prowl://(?P<key>{_NAME}{{40}})/?", "prowl://{key}", "https://api.prowlapp.com"),
    _form(
        "pushbullet",
        r"pbul://(?P<token>[A-Za-z0-9.]{20,64})/?",
        "pbul://{token}/",
        "https://api.pushbullet.com",
    ),
    _form(
        "pushover",
        rf"pover://(?P<user>{_NAME}{{30}})@(?P<token>{_NAME}{{30}})(?P<device>/{_KEY}{{1,25}})?/?",
        "pover://{user}@{token}{device}",
        "https://api.pushover.net",
    ),
    _form(
        "teams",
        rf"https://{_TENANT}\.logic\.azure\.com(?::443)?{_WORKFLOW}",
        "workflows://{tenant}.logic.azure.com/{flow}/{sig}/?ver={version}",
        "https://{tenant}.logic.azure.com",
    ),
    _form(
        "teams",
        rf"https://{_TENANT}\.api\.powerplatform\.com(?::443)?/powerautomate/automations/direct{_WORKFLOW}",
        "workflows://{tenant}.api.powerplatform.com/{flow}/{sig}/?pa=yes&ver={version}",
        "https://{tenant}.api.powerplatform.com",
    ),
    _form(
        "telegram",
        rf"tgram://(?P<token>[0-9]{{5,20}}:{_KEY}{{30,80}})/(?P<chat>{_CHAT})/?",
        "tgram://{token}/{chat}/",
        "https://api.telegram.org",
    ),
    _form(
        "webex",
        rf"(?:wxteams|webex)://(?P<token>{_NAME}{{80,160}})/?",
        "wxteams://{token}/",
        "https://api.ciscospark.com",
    ),
    _form(
        "zulip",
        rf"zulip://(?P<bot>{_KEY}{{1,32}})@(?P<org>{_NAME}[A-Za-z0-9-]{{0,31}})/(?P<token>{_NAME}{{32}})"
        rf"/(?P<stream>{_STREAM})/?",
        "zulip://{bot}@{org}/{token}/{stream}",
        "https://{org}.zulipchat.com",
    ),
)


def allowed(messengers: str, hosts: str, *, is_guarded: bool) -> Allowed:
    """What the two settings switch on.

    Raises:
        ValueError: they are not how they ought to be; the text quotes nothing of them.
    """
    names = frozenset(_listed(messengers))
    if names - MESSENGERS.keys():
        raise ValueError(f"names with commas between them, of these: {', '.join(MESSENGERS)}")
    own = frozenset(_usual(host) for host in _listed(hosts))
    if not all(re.fullmatch(_OWN_HOST, host, re.ASCII) for host in own):
        raise ValueError("hosts with commas between them (ntfy.example.org, chat.example.org:8443)")
    return Allowed(names, own, is_guarded)


def _names_of_messengers(given: str) -> str:
    allowed(given, "", is_guarded=True)
    return given


def _names_of_hosts(given: str) -> str:
    allowed("", given, is_guarded=True)
    return given


MessengerList = Annotated[str, Field(max_length=LONGEST_LIST), AfterValidator(_names_of_messengers)]
"""`PAGERPAL_LONG_TAIL`, as every process that reads it checks it."""
HostList = Annotated[str, Field(max_length=LONGEST_LIST), AfterValidator(_names_of_hosts)]
"""`PAGERPAL_LONG_TAIL_HOSTS`, likewise."""


def destination(address: str, let_through: Allowed) -> Destination:
    """Where an address leads.

    Raises:
        ValueError: nowhere that is let through; the text says why and does not repeat it.
    """
    if not let_through.messengers:
        raise ValueError("no messenger is switched on here (PAGERPAL_LONG_TAIL)")
    for form in _FORMS if len(address) <= LONGEST_ADDRESS else ():
        found = form.pattern.fullmatch(address)
        if found is not None:
            return _let_through(form, found, let_through)
    titles = ", ".join(MESSENGERS[name].title for name in sorted(let_through.messengers))
    raise ValueError(f"this is no plain Apprise URL of what is switched on here: {titles}")


def _let_through(form: _Form, found: re.Match[str], let_through: Allowed) -> Destination:
    parts = found.groupdict(default="")
    title = MESSENGERS[form.messenger].title
    if form.messenger not in let_through.messengers:
        raise ValueError(f"{title} is not switched on here (PAGERPAL_LONG_TAIL)")
    if form.origin is _OWN_ORIGIN:
        parts["host"] = _usual(parts["host"]) if parts["s"] else parts["host"].lower()
        if parts["host"] not in let_through.hosts:
            raise ValueError("this host is not one that pages may go to here (PAGERPAL_LONG_TAIL_HOSTS)")
        if let_through.is_guarded and not parts["s"]:
            raise ValueError(f"a page goes to {title} by TLS, or not at all: {form.url.partition('{')[0]}s://…")
    return Destination(form.messenger, form.url.format(**parts), form.origin.format(**parts).lower())


def _usual(host: str) -> str:
    """Without the port that TLS has anyway."""
    return host.lower().removesuffix(":443")


def _listed(given: str) -> list[str]:
    return [part for part in (one.strip() for one in given.split(",")) if part]
