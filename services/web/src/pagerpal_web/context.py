"""What does every endpoint of web work with?"""

from dataclasses import dataclass, field

from pagerpal_common.bus import Bus
from pagerpal_common.clock import Now
from pagerpal_common.db import Database

from pagerpal_web.domain.attempts import Attempts
from pagerpal_web.domain.budget import Budget
from pagerpal_web.domain.recent import Recent
from pagerpal_web.logins import Logins
from pagerpal_web.passwords import Passwords
from pagerpal_web.pulse import Pulse
from pagerpal_web.settings import WebSettings
from pagerpal_web.tokens import Tokens


@dataclass(frozen=True)
class Context:
    """The way to everything outside this process, and what the process remembers of who came."""

    settings: WebSettings
    db: Database
    bus: Bus
    now: Now
    passwords: Passwords
    logins: Logins
    attempts: Attempts
    failures: Budget
    """What may be written down of failed logins."""
    ignored_replies: Budget
    """What may be written down of SMS that nothing is done for."""
    callers: Recent
    """Who has come with a password of late, and from where: each of them is one login in the audit log."""
    session_tokens: Tokens
    ack_keys: tuple[bytes, ...] = field(repr=False)
    """What one-tap links are signed with, the current one first."""
    form_keys: tuple[bytes, ...] = field(repr=False)
    """What the tokens in our pages' forms are made with, the current one first."""
    pulse: Pulse
    setup_token: str = field(repr=False)
