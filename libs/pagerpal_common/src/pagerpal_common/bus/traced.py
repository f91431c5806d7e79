"""How does a message show in a trace? As one span while the bus takes it, and one while it is handled.

Whoever handles it goes on from where it was made true, which every message carries, and not from where it was sent:
between the two it may have lain in an outbox, and a message that is lost is made good by rows.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from pagerpal_common import tracing
from pagerpal_common.contracts.alerts import AlertsReceived
from pagerpal_common.contracts.incidents import IncidentsTriggered
from pagerpal_common.contracts.message import Message
from pagerpal_common.tracing import Kind, Span


def producing(message: Message) -> tracing.within | tracing.span:
    """A span for as long as the bus takes to have it; none for what belongs to no trace."""
    traces = _traces(message) if tracing.is_on() else ()
    if not traces:
        return tracing.within(None)
    attributes = {**tracing.messaging("send", message.topic), "messaging.message.id": str(message.message_id)}
    if len(traces) > 1:
        attributes["messaging.batch.message_count"] = len(traces)
    return tracing.span(
        f"send {message.topic}", Kind.PRODUCER, parent=traces[0], links=traces[1:], attributes=attributes
    )


@contextmanager
def producing_all(messages: Sequence[Message]) -> Iterator[None]:
    """The same for messages that are handed over together."""
    with ExitStack() as stack:
        for message in messages if tracing.is_on() else ():
            stack.enter_context(producing(message))
        yield


def consuming(message: Message) -> Span:
    """A span for the handling of a message that belongs to a trace; what it causes goes on from this one."""
    if not tracing.is_on() or message.traceparent is None:
        return Span(message.traceparent)
    attributes = {**tracing.messaging("process", message.topic), "messaging.message.id": str(message.message_id)}
    incident_id = getattr(message, "incident_id", None)
    if incident_id is not None:
        attributes["pagerpal.incident.id"] = incident_id
    return tracing.begin(f"process {message.topic}", Kind.CONSUMER, parent=message.traceparent, attributes=attributes)


def _traces(message: Message) -> tuple[str, ...]:
    """Each of those that it belongs to, once."""
    if isinstance(message, AlertsReceived):
        found = [alert.traceparent for alert in message.alerts]
    elif isinstance(message, IncidentsTriggered):
        found = [incident.traceparent for incident in message.incidents]
    else:
        found = [message.traceparent]
    return tuple(dict.fromkeys(one for one in found if one is not None))
