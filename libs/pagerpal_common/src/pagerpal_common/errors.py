"""Everything PagerPal raises on purpose. What is not in this tree is a bug, and loud.

PagerPalError
├── Refusal                  the request cannot be done as asked; repeating it unchanged will not help
│   ├── Invalid              a wrong value, or a move the state does not allow
│   ├── Unauthenticated      no credential, or a wrong one
│   ├── Forbidden            a credential that may not do this
│   ├── NotFound
│   ├── Conflict             it contradicts what is already there
│   ├── TooLarge
│   ├── Unsupported          a media type or an encoding that is not taken
│   ├── Unprocessable        a body or a query that does not fit its schema
│   └── TooManyTries         wrong passwords from the same place, or codes, one after the other
└── Unavailable              our own trouble; the same request may succeed later
    ├── DatabaseUnavailable
    └── BusUnavailable       not confirmed: the message may or may not have gone
        └── NoReply          confirmed, so it is kept, but nobody has answered in time

The HTTP status of each is in `http.py`; the bus carries refusals by class name (`bus/wire.py`).
"""


class PagerPalError(Exception):
    """The root of what is raised on purpose."""


class Refusal(PagerPalError):
    """The request cannot be done as asked. The text is shown to the caller: no secrets, no phone numbers."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Invalid(Refusal):
    """A wrong value, or a move that the present state does not allow."""


class Unauthenticated(Refusal):
    """No credential, or one that is not right."""


class Forbidden(Refusal):
    """A credential that may not do this."""


class NotFound(Refusal):
    """Nothing has this id."""


class Conflict(Refusal):
    """It contradicts what is already there; the text names it."""


class TooLarge(Refusal):
    """More bytes than this route takes."""


class Unsupported(Refusal):
    """A media type or a content encoding that this route does not take."""


class Unprocessable(Refusal):
    """A body or a query that does not fit its schema; `problems` says where, never what was sent."""

    def __init__(self, problems: list[dict[str, object]]) -> None:
        super().__init__("the request does not fit its schema")
        self.problems = problems


class TooManyTries(Refusal):
    """Too many wrong passwords or codes, or codes sent. For people alone: what sends alerts is never told this."""

    def __init__(self, seconds: int, what: str = "too many wrong passwords from here") -> None:
        super().__init__(f"{what}: try again in {seconds} s")
        self.seconds = seconds


class Unavailable(PagerPalError):
    """Our own trouble. The same request may succeed later."""


class DatabaseUnavailable(Unavailable):
    """PostgreSQL cannot be reached, or cannot commit just now."""


class BusUnavailable(Unavailable):
    """The broker has not confirmed: the message may or may not have gone."""


class NoReply(BusUnavailable):
    """The broker has the message, but no answer came in time."""


REFUSALS: tuple[type[Refusal], ...] = (
    Invalid,
    Unauthenticated,
    Forbidden,
    NotFound,
    Conflict,
    TooLarge,
    Unsupported,
)
