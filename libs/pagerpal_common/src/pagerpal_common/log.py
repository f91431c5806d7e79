"""Logs: one line per fact, a stable action name and ids as fields; nothing secret, even by accident."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# The last net, under the rule that nobody logs such things: source keys, credentials, URL userinfo, phone numbers.
_SECRETS = re.compile(
    r"\bpp_[A-Za-z0-9_-]{8,}"
    r"|(?i:\b(?:basic|bearer|app)\s+[A-Za-z0-9+/=_.-]{8,})"
    r"|(?<=//)[^/\s:@]+:[^/\s]+(?=@)"
    r"|(?i:(?<=api_key=)[^&\s]+|(?<=token=)[^&\s]+|(?<=password=)[^&\s]+)"
    r"|\+\d{7,15}\b"
)


def configure(*, pretty: bool | None = None) -> None:
    """Send structlog and the standard library's loggers to standard error, as JSON or, on a terminal, for people."""
    on_terminal = sys.stderr.isatty() if pretty is None else pretty
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
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
    for noisy in ("alembic", "httpx", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    for noisy in ("aio_pika", "aiormq"):  # a lost connection is a traceback to them; the bus says it in one line
        logging.getLogger(noisy).setLevel(logging.CRITICAL)


def redact(line: str) -> str:
    """The line without what looks like a credential or a phone number."""
    return _SECRETS.sub("[redacted]", line)


def _redact(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: redact(value) if isinstance(value, str) else value for name, value in fields.items()}
