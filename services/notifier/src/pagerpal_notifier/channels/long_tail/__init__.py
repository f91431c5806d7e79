"""The long tail: messengers and push services that Apprise knows, by a process of its own (`children.py`).

Where a page may go is decided in `pagerpal_common.long_tail`, here and when the address is written down. Apprise says
no more than whether it has sent a message; what the service's own server said is noted beside it (`child.py`), so that
an outcome is as exact as a webhook's. None of these services knows an id by which a repeat is told: as in a chat, a try
in doubt goes again, and may be seen twice.
"""

from importlib.util import find_spec
from typing import Any

import structlog
from pagerpal_common.clock import Now
from pagerpal_common.long_tail import MESSENGERS, Destination, destination

from pagerpal_notifier.channels import Provider
from pagerpal_notifier.channels.long_tail.children import Absent, Children, Died, NotReady
from pagerpal_notifier.channels.long_tail.words import message
from pagerpal_notifier.domain.answers import read_http
from pagerpal_notifier.domain.delivery import SEND_SECONDS, Outcome, Verdict
from pagerpal_notifier.domain.page import Claim
from pagerpal_notifier.settings import NotifierSettings

log = structlog.get_logger(__name__)

PATIENCE = SEND_SECONDS - 0.3
"""Seconds. Before the caller's ends, so that what is known is said."""

REFUSALS = 3
"""How often a messenger may say no without a reason that is known, before the person's next contact is tried."""

TWICE = "it goes again, and may come twice"


def provider(settings: NotifierSettings, _now: Now) -> Provider | None:
    """Sends to what `PAGERPAL_LONG_TAIL` names."""
    if not settings.long_tail.messengers:
        return None
    if find_spec("apprise") is None:
        log.warning("long_tail.not_installed", messengers=sorted(settings.long_tail.messengers))
    children = Children()

    async def send(claim: Claim) -> Outcome:
        """One message to one address."""
        try:
            there = destination(claim.address, settings.long_tail)
        except ValueError as error:
            return Outcome(Verdict.REFUSED, f"the address cannot be used: {error}")
        return await _send(children, there, message(claim.page, settings.public_url), claim.tries)

    return Provider("apprise", send, close=children.close)


async def _send(children: Children, there: Destination, text: str, tries: int) -> Outcome:
    name = MESSENGERS[there.messenger].title
    order = {"messenger": there.messenger, "url": there.url, "origin": there.origin, "text": text}
    try:
        said = await children.ask(order, seconds=PATIENCE)
    except Absent:
        return Outcome(Verdict.REFUSED, "the extra `apprise` is not installed where the notifier runs")
    except NotReady:
        return Outcome(Verdict.DEFERRED, f"{name}: nobody was free to send it in time")
    except TimeoutError:
        return Outcome(Verdict.UNKNOWN, f"{name}: no answer in time; {TWICE}")
    except Died:
        return Outcome(Verdict.UNKNOWN, f"{name}: what sends it has crashed; {TWICE}")
    return read(name, said, tries=tries)


def read(name: str, said: dict[str, Any], *, tries: int) -> Outcome:
    """What an answer of `child.py` means.

    Args:
        name: the messenger's, for the outcome.
        said: the answer.
        tries: how many there have been, this one included.
    """
    status, trouble = said.get("status"), said.get("trouble")
    if said.get("is_sent") is True:
        return Outcome(Verdict.ACCEPTED, f"{name}: accepted")
    if trouble is None and isinstance(status, int) and not 200 <= status < 300:
        outcome = read_http(name, status, retry_after=said.get("retry_after"))
        return Outcome(outcome.verdict, _in_doubt(outcome), outcome.wait)
    match trouble:
        case "unreachable":
            return Outcome(Verdict.DEFERRED, f"{name}: it cannot be reached")
        case "broken":
            return Outcome(Verdict.UNKNOWN, f"{name}: no answer; {TWICE}")
        case "elsewhere":
            return Outcome(Verdict.REFUSED, f"{name}: it would have gone to another host than its own")
        case "no_url":
            return Outcome(Verdict.REFUSED, f"{name}: Apprise makes nothing of the address")
    if tries < REFUSALS:
        return Outcome(Verdict.DEFERRED, f"{name}: not sent, and it is not known why")
    return Outcome(Verdict.REFUSED, f"{name}: not sent in {tries} tries, and it is not known why")


def _in_doubt(outcome: Outcome) -> str:
    return f"{outcome.detail}; {TWICE}" if outcome.verdict is Verdict.UNKNOWN else outcome.detail
