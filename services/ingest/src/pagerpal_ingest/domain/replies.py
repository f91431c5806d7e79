"""What does somebody want who answers a page by SMS? (`SmsMoReport` of Infobip's SMS API)

Forgiving of how it is written, and strict in what it does: a text that asks for two things, or says anything beside,
asks for nothing. The text itself never leaves this function, nor does the number, but to be looked up.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from pagerpal_common.contracts.replies import SmsReply
from pagerpal_common.infobip import part
from pagerpal_common.vocabulary import ReplyCommand

from pagerpal_ingest.domain.infobip import results_in

LONGEST_TEXT = 100
"""Characters. Whoever writes more has more to say than a command."""

LONGEST_MESSAGE_ID = 200

_REPLIES = UUID("7d7a3a5e-6b0c-4e0e-9d62-3f1f5d0b8a4c")
"""What the numbers of replies are made under: the provider's own may be anything, of any length."""

_WORDS: Mapping[str, ReplyCommand] = {
    "a": ReplyCommand.ACKNOWLEDGE,
    "ack": ReplyCommand.ACKNOWLEDGE,
    "acknowledge": ReplyCommand.ACKNOWLEDGE,
    "r": ReplyCommand.RESOLVE,
    "res": ReplyCommand.RESOLVE,
    "resolve": ReplyCommand.RESOLVE,
    "e": ReplyCommand.ESCALATE,
    "esc": ReplyCommand.ESCALATE,
    "escalate": ReplyCommand.ESCALATE,
}

# Word, number: with or without a space, a hash sign, a colon between them. 18 digits always fit the database's column.
_COMMAND = re.compile(r"([a-z]{1,11})[\s:=.,_-]{0,9}#?\s{0,9}([0-9]{1,18})?")
_AROUND = " \t\r\n\f\v\u00a0!\"'()*,.:;<>?[]_`{|}~\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\u2026"
"""Spaces, quotes and punctuation that telephones and thumbs put around a text."""

_NUMBER = re.compile(r"\+?([1-9][0-9]{6,14})")


@dataclass(frozen=True)
class Reply:
    """One SMS, before anybody knows whose number it came from."""

    reply_id: UUID
    phone: str | None
    """E.164; None when it came from no telephone number."""
    command: ReplyCommand | None
    incident_id: int | None

    def of(self, user_ids: Sequence[int]) -> SmsReply:
        """The same, from these people: what may be passed on."""
        return SmsReply(
            reply_id=self.reply_id,
            user_ids=tuple(user_ids),
            sender=_masked(self.phone),
            command=self.command,
            incident_id=self.incident_id,
        )


@dataclass(frozen=True)
class Parsed:
    """What a body says."""

    replies: tuple[Reply, ...]
    ignored: int
    """Results that are no SMS to us: receipts, or unreadable."""


def parse(body: bytes) -> Parsed:
    """The SMS in a body.

    Raises:
        Unprocessable, TooLarge: as of `results_in`.
    """
    results = results_in(body)
    replies = tuple(reply for result in results if (reply := _reply(result)) is not None)
    return Parsed(replies, len(results) - len(replies))


def understood(text: str) -> tuple[ReplyCommand | None, int | None]:
    """What a text asks for, and of which incident; nothing unless it is one command and no more."""
    if len(text) > LONGEST_TEXT:
        return None, None
    found = _COMMAND.fullmatch(text.strip(_AROUND).casefold())
    command = _WORDS.get(found[1]) if found else None
    if found is None or command is None:
        return None, None
    return command, int(found[2]) if found[2] else None


def _reply(result: Any) -> Reply | None:
    """Without a number of its own it could be done twice; without a text or a sender it is no SMS."""
    message_id, sender, text = part(result, "messageId"), part(result, "from"), part(result, "text")
    if not isinstance(message_id, str) or not 0 < len(message_id) <= LONGEST_MESSAGE_ID:
        return None
    if not isinstance(sender, str) or not isinstance(text, str):
        return None
    command, incident_id = understood(text)
    rest = part(result, "cleanText")
    if command is None and isinstance(rest, str):  # behind the keyword of a number that several services share
        command, incident_id = understood(rest)
    return Reply(uuid5(_REPLIES, message_id), _phone(sender), command, incident_id)


def _phone(sender: str) -> str | None:
    """Infobip writes numbers without their plus."""
    found = _NUMBER.fullmatch(sender.strip()) if len(sender) <= 40 else None
    return f"+{found[1]}" if found else None


def _masked(phone: str | None) -> str:
    return "…" if phone is None or len(phone) <= 9 else f"{phone[:3]}…{phone[-4:]}"
