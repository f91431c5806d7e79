"""What do the providers' answers mean? Infobip's HTTP statuses and message statuses, SMTP reply codes, and the HTTP
statuses of webhooks."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pagerpal_notifier.domain.delivery import BACKOFF, Outcome, Verdict
from pagerpal_notifier.domain.privacy import scrub

# https://www.infobip.com/docs/essentials/response-status-and-error-codes: the general status groups. Expired
# (4) is a definite end of that message, and says nothing against another one.
GROUPS: Mapping[int, Verdict] = {
    0: Verdict.ACCEPTED,  # ACCEPTED
    1: Verdict.ACCEPTED,  # PENDING
    2: Verdict.REFUSED,  # UNDELIVERABLE
    3: Verdict.ACCEPTED,  # DELIVERED
    4: Verdict.DEFERRED,  # EXPIRED
    5: Verdict.REFUSED,  # REJECTED
}
GROUP_IDS: Mapping[str, int] = {
    "ACCEPTED": 0,
    "PENDING": 1,
    "UNDELIVERABLE": 2,
    "DELIVERED": 3,
    "EXPIRED": 4,
    "REJECTED": 5,
}
# Statuses that do not mean what their group does. The flooding filter (20) is left with its group: it holds for an
# hour, so the person's next channel is worth more than another try.
STATUSES: Mapping[str, Verdict] = {
    "REJECTED_DUPLICATE_MESSAGE_ID": Verdict.ACCEPTED,  # an earlier try with this id did reach it
    "REJECTED_NOT_ENOUGH_CREDITS": Verdict.DEFERRED,
    "REJECTED_PREPAID_PACKAGE_EXPIRED": Verdict.DEFERRED,
    "REJECTED_SYSTEM_ERROR": Verdict.DEFERRED,
    "UNDELIVERABLE_REJECTED_PLATFORM": Verdict.DEFERRED,
}
STATUS_NAMES: Mapping[int, str] = {
    23: "REJECTED_DUPLICATE_MESSAGE_ID",
    12: "REJECTED_NOT_ENOUGH_CREDITS",
    17: "REJECTED_PREPAID_PACKAGE_EXPIRED",
    21: "REJECTED_SYSTEM_ERROR",
    100: "UNDELIVERABLE_REJECTED_PLATFORM",
}

SMTP_UNAVAILABLE = 421
"""The one temporary reply that is about the server and not the mail (RFC 5321, 4.2.3)."""

LONGEST_WAIT = BACKOFF[-1]
"""What a provider may ask us to wait before the next try."""


class _Status(BaseModel):
    """`MessageStatus` of the SMS API, `SingleMessageStatus` of the voice API."""

    model_config = ConfigDict(extra="ignore")

    group_id: int | None = Field(None, alias="groupId")
    group_name: str = Field("", alias="groupName")
    id: int | None = None
    name: str = ""
    description: str = ""


class _Message(BaseModel):
    status: _Status


class _Sent(BaseModel):
    """`SmsResponseEnvelope`, `StandardVoiceResponse`: one message, as one was given."""

    messages: list[_Message] = Field(min_length=1, max_length=1)


class _ServiceException(BaseModel):
    code: str = Field("", alias="messageId")
    text: str = ""


class _RequestError(BaseModel):
    exception: _ServiceException | None = Field(None, alias="serviceException")


class _Problem(BaseModel):
    """`ApiError` of the SMS API, `ApiException` of the voice API."""

    code: str = Field("", alias="errorCode")
    description: str = ""
    error: _RequestError | None = Field(None, alias="requestError")


def read_infobip(status: int, body: bytes, *, retry_after: str | None) -> Outcome:
    """What Infobip's answer to one message says. What cannot be read leaves the outcome unknown."""
    if 200 <= status < 300:
        return _read_sent(body)
    detail = f"Infobip: HTTP {status}{_explanation(body)}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Outcome(Verdict.DEFERRED, detail, _wait(retry_after))
    if status == HTTPStatus.UNAUTHORIZED:  # of our key, not of the message: 403 may be of one channel alone
        return Outcome(Verdict.DEFERRED, detail, is_outage=True, is_locked_out=True)
    if status >= 500 or status == HTTPStatus.REQUEST_TIMEOUT:
        return Outcome(Verdict.UNKNOWN, detail, is_outage=True)
    return Outcome(Verdict.REFUSED, detail)


def read_smtp(code: int, text: str) -> Outcome:
    """What an SMTP reply that is not a success says (RFC 5321, 4.2.1)."""
    detail = f"mail server: {code} {scrub(text)}"
    if 400 <= code < 500:
        return Outcome(Verdict.DEFERRED, detail, is_outage=code == SMTP_UNAVAILABLE)
    if 500 <= code < 600:
        return Outcome(Verdict.REFUSED, detail)
    return Outcome(Verdict.UNKNOWN, detail)


def read_http(name: str, status: int, *, retry_after: str | None, why: str = "") -> Outcome:
    """What the HTTP status says that somebody's own receiver answers with (RFC 9110, 15).

    Args:
        name: the channel's, for the outcome.
        why: the receiver's reason, if it is one that may be shown.
    """
    detail = f"{name}: HTTP {status} {why}".rstrip()
    if 200 <= status < 300:
        return Outcome(Verdict.ACCEPTED, detail)
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.TOO_EARLY}:
        return Outcome(Verdict.DEFERRED, detail, _wait(retry_after))
    if status >= 500 or status == HTTPStatus.REQUEST_TIMEOUT:  # it may have come through before it went wrong
        return Outcome(Verdict.UNKNOWN, detail, _wait(retry_after))
    return Outcome(Verdict.REFUSED, detail)


def _read_sent(body: bytes) -> Outcome:
    try:
        status = _Sent.model_validate_json(body).messages[0].status
    except ValidationError:
        return Outcome(Verdict.UNKNOWN, "Infobip: an answer that cannot be read", is_outage=True)
    name = STATUS_NAMES.get(status.id or 0, status.name)
    group = GROUP_IDS.get(status.group_name) if status.group_id is None else status.group_id
    verdict = STATUSES.get(name) or GROUPS.get(-1 if group is None else group, Verdict.UNKNOWN)
    return Outcome(verdict, scrub(f"Infobip: {name or status.group_name} {status.description}"))


def _explanation(body: bytes) -> str:
    try:
        problem = _Problem.model_validate_json(body)
    except ValidationError:
        return ""
    code, text = problem.code, problem.description
    if problem.error is not None and problem.error.exception is not None:
        code, text = problem.error.exception.code, problem.error.exception.text
    return f" {scrub(f'{code} {text}')}".rstrip()


def _wait(retry_after: str | None) -> timedelta:
    """The header's seconds, within reason; a date (RFC 9110, 10.2.3) is not worth a clock."""
    if retry_after is None or not retry_after.isascii() or not retry_after.isdigit():
        return timedelta(0)
    return min(timedelta(seconds=int(retry_after[:6])), LONGEST_WAIT)
