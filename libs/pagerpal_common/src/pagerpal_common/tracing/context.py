"""Which trace does what is being done belong to? A W3C `traceparent` that goes with the task, and in every message."""

import re
from contextvars import ContextVar, Token

from structlog.contextvars import bind_contextvars, reset_contextvars

_CURRENT: ContextVar[str | None] = ContextVar("traceparent", default=None)

# W3C Trace Context §3.2.2: of a later version than ours the same fields are read, and what follows them is not.
_TRACEPARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.{0,400})?"
)
_SAMPLED = 1


def current() -> str | None:
    """The `traceparent` of what is being done; None when it belongs to no trace."""
    return _CURRENT.get()


def read_traceparent(text: str) -> str | None:
    """What a stranger's header says, in our own words; None when it is not to be understood."""
    found = _TRACEPARENT.fullmatch(text)
    if found is None or (found[1] == "00" and found[5] is not None):
        return None
    return f"00-{found[2]}-{found[3]}-{int(found[4], 16) & _SAMPLED:02x}"


def ids(traceparent: str) -> tuple[str, str]:
    """The trace's id and the span's, of one of our own."""
    return traceparent[3:35], traceparent[36:52]


class within:  # noqa: N801 - reads as what it does, and is too often used to be a generator
    """What is done, logged and said in here belongs to this trace, and to none when it is None."""

    __slots__ = ("_token", "_traceparent")

    def __init__(self, traceparent: str | None) -> None:
        self._traceparent = traceparent

    def __enter__(self) -> None:
        self._token: Token[str | None] = _CURRENT.set(self._traceparent)

    def __exit__(self, *_: object) -> None:
        _CURRENT.reset(self._token)


class caused_by:  # noqa: N801 - as above
    """What is said and logged in here goes back to this HTTP request and this trace, whoever else is in the batch."""

    __slots__ = ("_bound", "_request_id", "_within")

    def __init__(self, request_id: str | None, traceparent: str | None) -> None:
        self._request_id = request_id
        self._within = within(traceparent)

    def __enter__(self) -> None:
        self._within.__enter__()
        self._bound = bind_contextvars(request_id=self._request_id)

    def __exit__(self, *_: object) -> None:
        reset_contextvars(**self._bound)
        self._within.__exit__()
