"""In which dialect is the body of a webhook, and what does it say?

Decided by a list `alerts`, never by `title`, `state` or `message`: today's Grafana sends those as well, about the
whole group. Alertmanager and Grafana may each be pointed at either of the two routes. A list of which nothing can be
made out is none: then the body itself is the alert.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pagerpal_common.contracts.alerts import Alert

from pagerpal_ingest.domain.alert_group import read_group, read_whole
from pagerpal_ingest.domain.json_body import loads, not_understood
from pagerpal_ingest.domain.lone_alert import SETS_APART
from pagerpal_ingest.domain.reading import Reading, Unreadable
from pagerpal_ingest.domain.source import Source
from pagerpal_ingest.domain.texts import line


@dataclass(frozen=True)
class Delivery:
    """What one body said."""

    readings: tuple[Reading, ...]
    is_group: bool
    """Whether its sender thinks in groups of alerts."""

    @property
    def alerts(self) -> list[Alert]:
        return [reading for reading in self.readings if not isinstance(reading, Unreadable)]


def parse(body: bytes, source: Source, *, at: datetime) -> Delivery:
    """The alerts in a body that arrived `at` with this source's key: at least one.

    Raises:
        Unprocessable: nothing in it can be understood.
    """
    said = loads(body)
    if isinstance(said, list):
        said = {"alerts": said}  # what Prometheus posts to an Alertmanager
    if not isinstance(said, Mapping):
        raise not_understood("not_an_object", "The body must be a JSON object")
    if isinstance(said.get("alerts"), Mapping):
        said = {**said, "alerts": [said["alerts"]]}
    is_group = isinstance(said.get("alerts"), list) and bool(said["alerts"])
    if not is_group and _is_one_of_a_group(said):
        said = {"alerts": [said]}
    delivery = Delivery(_read(said, source, at), is_group)
    if is_group and not delivery.alerts:
        whole = Delivery((read_whole(said, source, at),), is_group=False)
        delivery = whole if whole.alerts else delivery
    if not delivery.alerts:
        raise _nothing(delivery)
    return delivery


def _is_one_of_a_group(said: Mapping[str, object]) -> bool:
    """An alert without its group, as a template that ranges over the alerts may send it."""
    if any(line(said.get(field)) for field in SETS_APART):
        return False
    return isinstance(said.get("annotations"), Mapping) and isinstance(said.get("labels"), Mapping)


def _read(said: Mapping[str, object], source: Source, at: datetime) -> tuple[Reading, ...]:
    if isinstance(said.get("alerts"), list) and said["alerts"]:
        return tuple(read_group(said, source, at))
    return (read_whole(said, source, at),)


def _nothing(delivery: Delivery) -> Exception:
    reason = next(reading.reason for reading in delivery.readings if isinstance(reading, Unreadable))
    return not_understood("no_alert", f"No alert can be made out: {reason}")
