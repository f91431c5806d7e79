"""What are the numbers of a person's own phone and mail among their contact methods?

They have no rows: they are what the person's row says at the moment, so they follow it whoever changes it. All other
methods are numbered from `FIRST_METHOD_ID` on.
"""

from collections.abc import Mapping

from pagerpal_common.vocabulary import Channel

OWN_METHODS: Mapping[int, Channel] = {1: Channel.SMS, 2: Channel.VOICE, 3: Channel.EMAIL}


def own_address(channel: Channel, *, phone: str | None, email: str) -> str | None:
    """Where the person's own phone or mail is; None when they have none."""
    return (email if channel is Channel.EMAIL else phone) or None
