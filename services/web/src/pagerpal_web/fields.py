"""Which values does the management API take? Each kind once, with its bounds."""

import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from pagerpal_common.http import LARGEST_ID, Body
from pagerpal_common.long_tail import LONGEST_ADDRESS
from pagerpal_common.vocabulary import Channel
from pagerpal_common.web_push import LONGEST_SUBSCRIPTION, given
from pydantic import (
    AfterValidator,
    AwareDatetime,
    ConfigDict,
    Field,
    JsonValue,
    NaiveDatetime,
    SecretStr,
    StringConstraints,
    WithJsonSchema,
)

LONGEST_PHONE, LONGEST_EMAIL, LONGEST_URL = 32, 254, 2000
"""Characters."""

EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def _no_controls(value: str) -> str:
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in value):
        raise ValueError("control characters are not allowed")
    return value


def _no_controls_but_lines(value: str) -> str:
    _no_controls(value.translate({ord("\n"): None, ord("\r"): None, ord("\t"): None}))
    return value


def _email(value: str) -> str:
    """As written, its domain in lower case. A private mail server may have a name without a dot, or under `test`."""
    try:
        found = validate_email(value, check_deliverability=False, globally_deliverable=False, test_environment=True)
        return found.normalized
    except EmailNotValidError:
        raise ValueError("this is no email address") from None


def _phone(value: str) -> str:
    """In E.164. Possible is enough: number plans change, and a refused number is a person who stays asleep."""
    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException:
        raise ValueError("this is no phone number in E.164 (+491701234567)") from None
    if not phonenumbers.is_possible_number(number):
        raise ValueError("a phone number of this country has another length")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _url(value: str) -> str:
    """An absolute http(s) URL in ASCII, without a login in it: that would be shown, and sent to whom it is not for."""
    problem = "this is no URL of a webhook (https://example.org/hook)"
    if len(value) > LONGEST_URL or not value.isascii() or not value.isprintable() or set(value) & set(' <>"\\^`{|}#'):
        raise ValueError(problem)
    try:
        parts = urlsplit(value)
        is_right = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError(problem) from None
    if not is_right or "@" in parts.netloc:
        raise ValueError(problem)
    return value


def _apprise_url(value: str) -> str:
    """As much of it as holds for every messenger; which ones are let through is for the settings to say."""
    if "://" not in value or not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("this is no Apprise URL (tgram://bot-token/chat-id)")
    return value


def _subscription(value: str) -> str:
    """As a browser says it; which push services are let through is for the settings to say."""
    return given(value).address


_BY_CHANNEL: Mapping[Channel, tuple[Callable[[str], str], int]] = {
    Channel.SMS: (_phone, LONGEST_PHONE),
    Channel.VOICE: (_phone, LONGEST_PHONE),
    Channel.EMAIL: (_email, LONGEST_EMAIL),
    Channel.WEBHOOK: (_url, LONGEST_URL),
    Channel.SLACK: (_url, LONGEST_URL),
    Channel.APPRISE: (_apprise_url, LONGEST_ADDRESS),
    Channel.WEB_PUSH: (_subscription, LONGEST_SUBSCRIPTION),
}


def address_of(channel: Channel, value: str) -> str:
    """An address of this channel as it is stored.

    Raises:
        ValueError: it is none; the text does not repeat it.
    """
    read, longest = _BY_CHANNEL[channel]
    if len(value) > longest:
        raise ValueError(f"at most {longest} characters")
    return read(value)


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def _timezone(value: str) -> str:
    if value not in _timezones():
        raise ValueError("this is no IANA time zone (Europe/Berlin)")
    return value


def _in_range(value: datetime) -> datetime:
    if not EARLIEST <= value < LATEST:
        raise ValueError("the year must be from 2000 to 2099")
    return value.astimezone(UTC)


def _in_local_range(value: datetime) -> datetime:
    if not EARLIEST.year <= value.year < LATEST.year:
        raise ValueError("the year must be from 2000 to 2099")
    if value.microsecond:
        raise ValueError("give whole seconds")
    return value


def _storable(value: JsonValue) -> JsonValue:
    """What PostgreSQL's jsonb takes, and every reader reads the same."""
    match value:
        case str():
            _no_controls_but_lines(value)
        case dict():
            for name, part in value.items():
                _no_controls(name)
                _storable(part)
        case list():
            for part in value:
                _storable(part)
        case bool() | None:
            pass
        case int() | float() if not abs(value) <= LARGEST_ID:  # also true of NaN
            raise ValueError("a number is out of range")
    return value


Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), AfterValidator(_no_controls)
]
Description = Annotated[str, StringConstraints(max_length=16 * 1024), AfterValidator(_no_controls_but_lines)]
Note = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000), AfterValidator(_no_controls_but_lines)
]
Email = Annotated[str, StringConstraints(max_length=LONGEST_EMAIL), AfterValidator(_email)]
Phone = Annotated[str, StringConstraints(max_length=LONGEST_PHONE), AfterValidator(_phone)]
Timezone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_timezone)]

Password = Annotated[SecretStr, Field(min_length=12, max_length=128)]
"""Its exact characters count: nothing is trimmed, nothing must be in it (ASVS 5.0, 6.2)."""

TypedPassword = Annotated[SecretStr, Field(max_length=1024)]
"""A password that is checked, not chosen: whatever somebody types."""

Instant = Annotated[AwareDatetime, AfterValidator(_in_range)]

_LOCAL = WithJsonSchema({"type": "string", "maxLength": 32, "examples": ["2026-05-21T09:00:00"]})

LocalMoment = Annotated[NaiveDatetime, _LOCAL]
"""A date and a time by the clock on the wall. JSON Schema's `date-time` has an offset, and so is none."""

LocalInstant = Annotated[NaiveDatetime, AfterValidator(_in_local_range), _LOCAL]
"""By the clock on the wall, in the zone of whatever it belongs to."""

ClockTime = Annotated[
    str, StringConstraints(max_length=5, pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$"), Field(examples=["09:00"])
]
"""The time of a day: `09:00`."""

Weekday = Annotated[int, Field(ge=0, le=6)]
"""Monday is 0."""

Minutes = Annotated[float, Field(ge=0.001, le=525_600, allow_inf_nan=False)]
"""A duration, fractions allowed. The least keeps a time-out from rounding to nothing, the most is a year."""

JsonObject = Annotated[dict[str, JsonValue], AfterValidator(_storable)]


class Restriction(Body):
    """Hours of the week that a rotation is limited to. When `to` is not after `from` it is on the day after."""

    model_config = ConfigDict(serialize_by_alias=True)

    weekdays: list[Weekday] = Field(min_length=1, max_length=7)
    from_: ClockTime = Field(alias="from")
    to: ClockTime
