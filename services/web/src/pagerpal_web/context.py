"""What does every endpoint of web work with?"""

from dataclasses import dataclass

from pagerpal_common.bus import Bus
from pagerpal_common.clock import Now
from pagerpal_common.db import Database

from pagerpal_web.logins import Logins
from pagerpal_web.passwords import Passwords


@dataclass(frozen=True)
class Context:
    """The way to everything outside this process."""

    db: Database
    bus: Bus
    now: Now
    passwords: Passwords
    logins: Logins
