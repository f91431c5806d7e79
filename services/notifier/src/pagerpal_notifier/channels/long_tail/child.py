"""A program of its own that hands one message at a time to Apprise. It is started by its path: nothing of PagerPal is
in it.

It is given lines of JSON on its standard input, and answers each with one on its standard output. What it is given
holds secrets, which is why they come this way: its arguments and its environment are for others to read. Whatever
hangs, crashes or eats memory in here is this process, which its parent kills; and should there be no parent any more,
it ends by itself.

At first it says `ready`, or `absent` where Apprise is not installed.

    {"messenger": "ntfy", "url": "ntfy://topic", "origin": "https://ntfy.sh", "text": "…", "seconds": 4.5}
    {"is_sent": false, "status": 429, "retry_after": "3", "trouble": null}

`trouble` is what became of the last request, if it has no status: `unreachable` (nothing of it has left), `broken` (it
may have arrived), `elsewhere` (it was for another origin, and was not made); or why there was none: `no_url` (Apprise
makes nothing of the URL), `bug`.
"""

import json
import logging
import os
import resource
import signal
import sys
from importlib import import_module
from typing import Any, TextIO
from urllib.parse import urlsplit

MEMORY = 512 * 1024 * 1024
"""Bytes of address space; about 45 MB of it are really used."""

LONGEST_ANSWER = 64 * 1024
"""Bytes that are read of what a service says. Apprise would read it to its end, if it has one."""

LONGEST_WAIT = 20
"""Characters of what a service says of when to come again. Its parent takes short answers only."""

CONNECT_SECONDS = 1.5
"""As of `channels/outward.py`: what cannot be reached is known to have nothing."""

READ_SECONDS = 5.0
"""Between two bytes of an answer. The parent's patience ends before."""

PLUGINS = {
    "discord": ("discord", "NotifyDiscord"),
    "google_chat": ("google_chat", "NotifyGoogleChat"),
    "gotify": ("gotify", "NotifyGotify"),
    "matrix": ("matrix", "NotifyMatrix"),
    "mattermost": ("mattermost", "NotifyMattermost"),
    "ntfy": ("ntfy", "NotifyNtfy"),
    "prowl": ("prowl", "NotifyProwl"),
    "pushbullet": ("pushbullet", "NotifyPushBullet"),
    "pushover": ("pushover", "NotifyPushover"),
    "teams": ("workflows", "NotifyWorkflows"),
    "telegram": ("telegram", "NotifyTelegram"),
    "webex": ("webexteams", "NotifyWebexTeams"),
    "zulip": ("zulip", "NotifyZulip"),
}
"""Apprise's own class for each messenger. It is asked for by name: the scheme of a URL chooses nothing, and no plugin
of anybody else's is ever looked for."""


def confine() -> TextIO:
    """Take from this process what it does not need; where to answer is what it gets back.

    Nothing that is printed in here is an answer, and nothing that is logged is seen: both may quote a token.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    logging.disable(logging.CRITICAL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.environ.clear()
    os.environ["NETRC"] = os.devnull  # or requests looks for one in the home directory
    return answers


class Line:
    """The one way out: every request of Apprise's goes through here, to one origin, and what came of it is noted."""

    def __init__(self) -> None:
        self.origin = ""
        self.status: int | None = None
        self.retry_after: str | None = None
        self.trouble: str | None = None

    def open_to(self, origin: str) -> None:
        """For the next message."""
        self.origin, self.status, self.retry_after, self.trouble = origin, None, None, None

    def install(self, requests: Any) -> None:
        """In the place of the sessions that `requests.post` and its like make for each request."""
        line = self

        class Session(requests.Session):  # type: ignore[misc] # requests is known here as Any
            """Without proxies, logins and certificates out of the environment, and without redirects."""

            def __init__(self) -> None:
                super().__init__()
                self.trust_env = False

            def send(self, prepared: Any, **options: Any) -> Any:
                if origin_of(prepared.url) != line.origin:
                    line.status, line.trouble = None, "elsewhere"
                    raise requests.exceptions.InvalidURL("not there")
                mine = {"timeout": (CONNECT_SECONDS, READ_SECONDS), "verify": True}
                try:
                    answer = super().send(prepared, **{**options, **mine, "allow_redirects": False, "stream": True})
                except requests.exceptions.RequestException as error:
                    line.status, line.trouble = None, "unreachable" if nothing_left(requests, error) else "broken"
                    raise
                line.status, line.trouble = answer.status_code, None
                line.retry_after = answer.headers.get("Retry-After", "")[:LONGEST_WAIT] or None
                shorten(answer)
                return answer

        requests.Session = requests.sessions.Session = Session


def shorten(answer: Any) -> None:
    """Read the beginning of what a service says, in the place of all of it."""
    try:
        said = answer.raw.read(LONGEST_ANSWER, decode_content=True)
    except Exception:  # noqa: BLE001 - the library below has its own; the status has been read by now, and decides
        said = b""
    answer._content, answer._content_consumed = said, True  # noqa: SLF001 - as `Response.content` leaves them
    answer.close()


def origin_of(url: str) -> str:
    """As `long_tail.Destination` has it: without a port that goes without saying."""
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    port = "" if parts.port in {None, usual} else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"


def nothing_left(requests: Any, error: Exception) -> bool:
    """Whether a request that failed had no connection: then nobody has it."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    # The library's own name for: the connection was not made.
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return type(reason).__name__ in {"NewConnectionError", "NameResolutionError", "SSLError"}


def notify(apprise: Any, order: dict[str, Any]) -> bool | None:
    """Whether Apprise says that it has sent the message; None when it makes nothing of the URL."""
    module, name = PLUGINS[order["messenger"]]
    plugin = getattr(import_module(f"apprise.plugins.{module}"), name)
    parts = plugin.parse_url(order["url"])
    if not parts:
        return None
    # No pictures: they are at a host that readers' programs would ask for them.
    asset = apprise.AppriseAsset(
        app_id="PagerPal", app_desc="PagerPal", app_url="", image_url_mask="", image_url_logo="", http_redirects=False
    )
    try:
        one = plugin(**parts, asset=asset)
    except TypeError:  # how plugins say that a part is not as it ought to be
        return None
    one.request_rate_per_sec = 0  # how often is for the notifier to say
    if not isinstance(one.notify_format, tuple):
        one.notify_format = apprise.NotifyFormat.TEXT
    return bool(one.notify(body=order["text"], body_format=apprise.NotifyFormat.TEXT))


def answer(apprise: Any, line: Line, order: dict[str, Any]) -> dict[str, object]:
    """What came of one message."""
    line.open_to(order["origin"])
    try:
        is_sent = notify(apprise, order)
    except Exception:  # noqa: BLE001 - its text may quote a token, and whoever reads this can do nothing with its name
        is_sent, line.status, line.trouble = False, None, line.trouble or "bug"
    if is_sent is None:
        line.trouble = "no_url"
    return {
        "is_sent": bool(is_sent),
        "status": line.status,
        "retry_after": line.retry_after,
        "trouble": line.trouble,
    }


def main() -> None:
    """Until there is nobody who asks."""
    answers = confine()
    try:
        apprise, line = import_module("apprise"), Line()
    except ImportError:
        answers.write("absent\n")
        answers.flush()
        return
    line.install(import_module("requests"))
    answers.write("ready\n")
    answers.flush()
    for order in sys.stdin:
        read = json.loads(order)
        signal.setitimer(signal.ITIMER_REAL, read["seconds"])  # its signal's default is the end of the process
        answers.write(json.dumps(answer(apprise, line, read)) + "\n")
        answers.flush()
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main()
