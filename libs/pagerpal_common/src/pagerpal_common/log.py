"""Logs: one line per fact, a stable action name and ids as fields; nothing secret, even by accident."""

import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from datetime import date
from pathlib import PurePath
from types import TracebackType
from typing import Any
from uuid import UUID

import structlog

from pagerpal_common.tracing import context as tracing

MASK = "[redacted]"

# The last net, under the rule that nobody logs such things: source keys, credentials, signed tokens, URL userinfo,
# phone numbers, links that acknowledge.
_SECRETS = re.compile(
    r"\bpp_[A-Za-z0-9_-]{8,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+"
    r"|(?i:\b(?:basic|bearer|app)\s+[A-Za-z0-9+/=_.-]{8,})"
    r"|\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+)+"
    r"|(?<=//)[^/\s@]+(?:@[^/\s@]+)*(?=@)"
    r"|(?:\+|%2[Bb])\d{7,15}\b"
    r"|(?<=/a/)[A-Za-z0-9_-]{16,}"
)
_NAME = r"(?:api[_-]?key|token|passw(?:or)?d|secret(?:[_-]?key)?|routing[_-]?key|pagerpal_session|authorization|cookie)"
# What a name gives away: in a query or a form, in JSON or a printed dict, and as a header.
# Each begins with a word of its own and looks no further back, so that no text can keep the search busy.
_NAMED = re.compile(
    rf"(?i)({_NAME}=)[^&\s\"',;)}}\]]+"
    rf"|({_NAME}[\"']\s{{0,9}}:\s{{0,9}})(?:\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|\[[^\]]*|[^\s,}}]+)"
    rf"|((?:api-key|source-key|receipt-token|authorization|cookie):\s{{0,9}})[^\n]+"
)
_SECRET_FIELD = re.compile(rf"(?i){_NAME}$")
"""Names of fields whose value is never shown, whatever it looks like."""

TOLD_EACH = 10
"""Things done together that get a line each. In a storm a line for every one of them would cost more than the doing."""

DEEPEST = 8
"""Containers within containers that are looked through; what lies deeper is shown as one text."""


def configure(*, pretty: bool | None = None) -> None:
    """Send structlog and the standard library's loggers to standard error, as JSON or, on a terminal, for people."""
    on_terminal = sys.stderr.isatty() if pretty is None else pretty
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _name_cause,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Any] = [structlog.processors.format_exc_info, _redact]
    last.append(structlog.dev.ConsoleRenderer() if on_terminal else structlog.processors.JSONRenderer())
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    sys.excepthook = _log_crash
    for noisy in ("alembic", "httpx", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for noisy in ("aio_pika", "aiormq"):  # a lost connection is a traceback to them; the bus says it in one line
        logging.getLogger(noisy).setLevel(logging.CRITICAL)


def _name_cause(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The request, where there is one; and the trace, so that a line is found from its span, and the span from the line
    (OpenTelemetry, "Trace Context in non-OTLP Log Formats")."""
    if fields.get("request_id", "") is None:
        del fields["request_id"]
    if (traceparent := tracing.current()) is not None:
        fields["trace_id"], fields["span_id"] = tracing.ids(traceparent)
    return fields


def tell_each(say: Callable[..., Any], event: str, things: Sequence[Mapping[str, Any]]) -> None:
    """A line for each of these things that were done together; when there are many, one for all, with their incidents.

    Args:
        things: the fields of each line, `incident_id` among them.
    """
    if len(things) <= TOLD_EACH:
        for thing in things:
            say(event, **thing)
    else:
        say(event, number=len(things), incident_ids=[thing["incident_id"] for thing in things])


def redact(line: str) -> str:
    """The line without what looks like a credential or a phone number."""
    return _NAMED.sub(_without_value, _SECRETS.sub(MASK, line))


def _without_value(found: re.Match[str]) -> str:
    return f"{found[1] or found[2] or found[3]}{MASK}"


def _redact(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: _shown(name, value, DEEPEST) for name, value in fields.items()}


def _shown(name: object, value: Any, depth: int) -> Any:
    """What may be shown under this name. Objects of any kind are text by then: the renderer would print them whole."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if _SECRET_FIELD.search(str(name)):
        return MASK
    if isinstance(value, str):
        return redact(value)
    if depth and isinstance(value, Mapping):
        return {redact(str(key)): _shown(key, item, depth - 1) for key, item in value.items()}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [_shown(name, item, depth - 1) for item in value]
    return redact(str(value) if isinstance(value, UUID | date | PurePath) else repr(value))


def _log_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What ends the process is told like everything else: Python itself would print the error's text as it is."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        structlog.get_logger(__name__).critical("process.crashed", exc_info=(kind, error, trace))
