"""What the handlers and loops of this service work with."""

from collections.abc import Mapping
from dataclasses import dataclass

from pagerpal_common.clock import Now
from pagerpal_common.db import Database
from pagerpal_common.outbox import Outbox
from pagerpal_common.service import Bell
from pagerpal_common.vocabulary import Channel

from pagerpal_notifier.channels import Provider
from pagerpal_notifier.in_flight import InFlight
from pagerpal_notifier.links import Link
from pagerpal_notifier.records import Records


@dataclass(frozen=True)
class Context:
    db: Database
    now: Now
    outbox: Outbox
    send_bell: Bell
    """Rung when a notification has become due."""
    providers: Mapping[Channel, Provider]
    """One for every channel."""
    rates: Mapping[str, float]
    """Messages per second that all notifiers together may give to a provider, by its name."""
    in_flight: InFlight
    records: Records
    link: Link
    """Adds the one-tap link to a claim that is to be sent."""
