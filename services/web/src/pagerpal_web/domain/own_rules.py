"""What must be added to somebody's rules for every page to use a new way, too? Pure: what they have is given."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from pagerpal_common.notification_rules import WITH_PHONE, WITHOUT_PHONE
from pagerpal_common.vocabulary import Channel, RuleSeverity, Severity

CALL_AFTER = next(rule.delay for rule in WITH_PHONE if rule.channel is Channel.VOICE)
"""As of the default rules: somebody who has read the SMS is not called."""


@dataclass(frozen=True)
class Addition:
    """A rule to be made."""

    severity: RuleSeverity
    channel: Channel | None
    """Their own phone or mail."""
    method_id: int | None
    delay: timedelta


def additions(
    method_id: int, channel: Channel, severities: Collection[RuleSeverity], *, has_phone: bool
) -> list[Addition]:
    """The rules by which every page goes that way, too, in the order in which they are to be made.

    A rule of one's own ends the default rules for its severity: those that apply now are made one's own before that,
    so that no phone that rings now falls silent.

    Args:
        severities: for which there are rules already.
    """
    left = (
        [] if RuleSeverity.ANY in severities else [one for one in map(RuleSeverity, Severity) if one not in severities]
    )
    if len(left) == len(Severity):
        left = [RuleSeverity.ANY]
    defaults = WITH_PHONE if has_phone else WITHOUT_PHONE
    kept = [Addition(severity, rule.channel, None, rule.delay) for severity in left for rule in defaults]
    delay = CALL_AFTER if channel is Channel.VOICE else timedelta(0)
    return [*kept, Addition(RuleSeverity.ANY, None, method_id, delay)]
