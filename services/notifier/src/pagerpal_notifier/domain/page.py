"""What goes out, and to whom."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from pagerpal_common.reasons import Known
from pagerpal_common.vocabulary import Channel, NotificationStatus, Severity

NOTHING = Known({}, {})

UTC = ZoneInfo("UTC")


@dataclass(frozen=True)
class Notice:
    """What PagerPal says in its own name: a code, or that this is a test."""

    subject: str
    text: str = field(repr=False)  # may hold a code
    spoken: str = field(repr=False)
    code: str | None = field(default=None, repr=False)
    """The code that it holds, for a reader that is no person."""


@dataclass(frozen=True)
class Page:
    """What a person is told. The texts are the monitoring system's: not to be trusted."""

    incident_id: int
    severity: Severity
    title: str
    description: str = field(repr=False)  # may hold a code
    reason: tuple[str, ...]
    """The chain that led to this person: policy level, schedule entry, rule. As it is stored, with numbers."""
    level: int = 0
    """The escalation level that pages; 0 is not worth saying."""
    next_up: str | None = None
    """Who is paged after this person, if that is known: names, or "on call for" a schedule. Not to be trusted."""
    pass_number: int = 1
    """How often its escalation has begun at the first level."""
    delayed: int = 0
    """Minutes since it should have gone out; 0 is not worth saying."""
    ack_link: str | None = field(default=None, repr=False)  # whoever has it may acknowledge
    """Where this person acknowledges with one tap."""
    known: Known = field(default=NOTHING, hash=False)
    """What is called how of that which the chain speaks of by number, as far as it was looked up. Not to be trusted."""
    zone: ZoneInfo = UTC
    """In which this person reads times."""


@dataclass(frozen=True)
class Digest:
    """What a person is told of several incidents at once, when there are too many for a page each."""

    pages: tuple[Page, ...]
    """The most urgent, of an incident each: as many as the longest text can name."""
    incidents: int
    """How many there are in all."""
    severity: Severity
    """The worst."""
    delayed: int = 0
    """Minutes since the first of its pages should have gone out; 0 is not worth saying."""


Words = Page | Notice | Digest


@dataclass(frozen=True)
class Member:
    """Another notification that a claim's message tells of."""

    notification_id: int
    incident_id: int
    page_request_id: int
    step: int
    attempts: int
    tries: int
    """As of a claim."""


@dataclass(frozen=True)
class Claim:
    """A message that is ours to send, once, before its deadline: the notification that it is for, and the others that
    it tells of."""

    notification_id: int
    incident_id: int
    page_request_id: int
    user_id: int
    escalation_id: int
    channel: Channel
    step: int
    attempts: int
    """How many tries there have been, this one included."""
    tries: int
    """How many of them since it was queued, or since a person last had it tried again."""
    attempt_id: UUID
    """The provider's message id of this try: the same as last time while that one's outcome is unknown."""
    address: str = field(repr=False)  # secret: goes to the provider and nowhere else
    page: Words
    signing_secret: str | None = field(default=None, repr=False)
    """The key of a webhook's HMAC."""
    others: tuple[Member, ...] = ()
    """They share this try and whatever comes of it."""
    wanted_at: datetime | None = None
    """When it should have gone out."""
    opened_at: datetime | None = None
    """When its incident opened, if nobody was told of that before."""
    request_id: str | None = None
    """The HTTP request that it goes back to, if that is known."""
    traces: tuple[str, ...] = ()
    """Those of its notifications, its own before the others'."""


@dataclass(frozen=True)
class Unsendable:
    """A notification that was due and may not be sent; the flags say why."""

    notification_id: int
    incident_id: int
    page_request_id: int
    channel: Channel
    step: int
    attempts: int
    tries: int
    """As of a claim."""
    status: NotificationStatus
    is_wanted: bool
    is_active: bool
    has_address: bool
    contact_method_id: int | None = None
    """None: the person's own phone or mail."""


@dataclass(frozen=True)
class Lost:
    """A notification that has failed or is exhausted, in the light of a wish to have it tried again."""

    notification_id: int
    status: NotificationStatus
    is_wanted: bool
    is_active: bool
    has_address: bool
    is_in_doubt: bool
    """Whether the provider took the last try is not known."""


@dataclass(frozen=True)
class Told:
    """A notification whose provider has said more of its last message."""

    notification_id: int
    incident_id: int
    page_request_id: int
    step: int
    attempts: int
    status: NotificationStatus
    channel: Channel
    message_id: UUID


@dataclass(frozen=True)
class Watched:
    """A notification whose provider has it, and whose handset has not been heard of."""

    notification_id: int
    incident_id: int
    page_request_id: int
    step: int
    channel: Channel
    message_id: UUID
    sent_at: datetime
