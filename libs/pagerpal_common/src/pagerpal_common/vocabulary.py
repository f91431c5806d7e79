"""The words with a fixed set of values, and what each value means in the physical world."""

from enum import StrEnum


class Severity(StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class AlertStatus(StrEnum):
    """What the monitoring system says of its own alert."""

    FIRING = "firing"
    RESOLVED = "resolved"
    ACKNOWLEDGED = "acknowledged"  # somebody took it in a system in front of us
    UNKNOWN = "unknown"  # it cannot tell, or does not look: neither opens nor ends anything


class AlertOutcome(StrEnum):
    """What became of one alert."""

    OPENED = "opened"  # it opened an incident
    UPDATED = "updated"  # it was folded into the open incident with its dedup key
    RESOLVED = "resolved"  # it resolved that incident
    REOPENED = "reopened"  # it fired again so soon that the incident it was resolved in goes on
    ACKNOWLEDGED = "acknowledged"  # it acknowledged that incident
    NOTED = "noted"  # it is on that incident's timeline, and changed nothing else
    DUPLICATE = "duplicate"  # this very alert was handled before
    IGNORED = "ignored"  # it speaks of something that is not open, or is older than what is known
    PARKED = "parked"  # it could not be handled; kept aside, in sight


class RawPlace(StrEnum):
    """Which of an incident's alerts is kept as it was sent."""

    FIRST = "first"  # the one that opened it
    LAST = "last"  # the newest after that


class SourceEnding(StrEnum):
    """What an alert or a request of a source came to, beside the outcomes of alerts (`AlertOutcome`)."""

    KEPT = "kept"  # answered 202: durably kept, to be handled later
    REFUSED_KEY = "refused_key"  # with its key of before, or while it is switched off
    REFUSED_REQUEST = "refused_request"  # a 4xx, or one alert of a group: the sender will not send it again
    LIMITED = "limited"  # a 503, because of the source's own limit: the sender sends it again
    UNAVAILABLE = "unavailable"  # a 503, because of our own trouble


class IncidentStatus(StrEnum):
    TRIGGERED = "triggered"  # someone is wanted
    ACKNOWLEDGED = "acknowledged"  # someone is on it
    RESOLVED = "resolved"


class Role(StrEnum):
    """What an account may do. Each role may do what the ones after it may."""

    ADMIN = "admin"
    RESPONDER = "responder"
    VIEWER = "viewer"


class SourceType(StrEnum):
    GENERIC = "generic"
    GRAFANA = "grafana"
    CLOUDWATCH = "cloudwatch"
    ALERTMANAGER = "alertmanager"


class ReplyCommand(StrEnum):
    """What somebody can ask for with an SMS."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    ESCALATE = "escalate"


class AssigneeType(StrEnum):
    USER = "user"
    SCHEDULE = "schedule"


class OnCallReason(StrEnum):
    """Why a schedule names a person at an instant."""

    OVERRIDE = "override"
    ENTRY = "entry"
    ROTATION = "rotation"


class RotationKind(StrEnum):
    """What the length of a rotation's turns is counted in."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Channel(StrEnum):
    SMS = "sms"
    VOICE = "voice"
    EMAIL = "email"
    WEBHOOK = "webhook"  # a signed POST to a URL of the person's own
    SLACK = "slack"  # an incoming webhook of a chat
    APPRISE = "apprise"  # a messenger or push service, by its Apprise URL
    WEB_PUSH = "web_push"  # a browser that has subscribed to them


class RuleSeverity(StrEnum):
    """For which incidents a notification rule holds."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"
    ANY = "any"


class CheckKind(StrEnum):
    """What is sent to a contact method to see that it reaches its person."""

    CODE = "code"  # a number that they type in, which proves it
    TEST = "test"  # a test page, which proves nothing: only they know whether it came


class NotificationStatus(StrEnum):
    QUEUED = "queued"  # waits for its due time
    SENDING = "sending"  # claimed; the provider may or may not have it
    SENT = "sent"  # the provider has it
    DELIVERED = "delivered"  # the handset has it
    FAILED = "failed"  # definitely refused
    EXHAUSTED = "exhausted"  # every try is spent
    CANCELLED = "cancelled"  # nobody wants it any more


class CircuitState(StrEnum):
    """How the notifiers stand with a provider."""

    CLOSED = "closed"  # pages go out
    OPEN = "open"  # it is left alone for a while
    PROBING = "probing"  # one page is out, to see whether it answers


class ReceiptState(StrEnum):
    """How far a message has come since the provider took it, by the provider's later word. Each outdoes the ones
    before it: the handset's word is the last."""

    PENDING = "pending"  # on its way
    AT_OPERATOR = "at_operator"  # the network has it, the handset may not
    FAILED = "failed"  # definitely not delivered
    DELIVERED = "delivered"  # the handset has it
