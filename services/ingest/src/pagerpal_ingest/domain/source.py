"""What may the owner of a key do: for which team may an alert be sent, and by which policy is it escalated?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pagerpal_common.errors import Forbidden
from pagerpal_common.vocabulary import Severity

from pagerpal_ingest.domain.aliases import severity_of
from pagerpal_ingest.domain.texts import line, text_of

LONGEST_FLAP_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Source:
    """An alert source, as the directory has it. What is odd in its configuration says nothing."""

    source_id: int
    team_id: int
    escalation_policy_id: int | None
    config: Mapping[str, Any] | None
    is_active: bool
    is_key_replaced: bool = False
    """It was found by the key that it had before."""
    topic_arn: str | None = None
    """The SNS topic whose subscription was confirmed first."""

    @property
    def may_send(self) -> bool:
        """Whether the key that it was found by is good."""
        return self.is_active and not self.is_key_replaced

    @property
    def default_severity(self) -> Severity:
        """Of alerts that do not say (`config.default_severity`); else critical: rather woken than not."""
        return severity_of([self.config.get("default_severity") if self.config else None], Severity.CRITICAL)

    @property
    def flap_seconds(self) -> int:
        """How soon after its end a new firing is still the same trouble (`config.flap_seconds`)."""
        seconds = self.config.get("flap_seconds") if self.config else None
        return min(max(seconds, 0), LONGEST_FLAP_SECONDS) if type(seconds) is int else 0

    @property
    def hmac_secret(self) -> str:
        """What its requests are signed with (`config.hmac_secret`); empty when they need no signature."""
        return text_of(self.config.get("hmac_secret")) if self.config else ""


@dataclass(frozen=True)
class Routing:
    """Whose incident an alert becomes. Without a policy the team's default holds."""

    team_id: int
    escalation_policy_id: int | None


def route(source: Source, *, source_id: int | None, team_id: int | None) -> Routing:
    """Where an alert from this source goes; `source_id` and `team_id` are what its body asked for.

    A source routes to its own team, and to those in `routing_team_ids` of its configuration. Its policy belongs to
    its own team: another team's alerts follow that team's default.

    Raises:
        Forbidden: the body names another source, or a team that this source may not route to.
    """
    if source_id is not None and source_id != source.source_id:
        raise Forbidden("source_id is not the source that this key belongs to")
    if team_id is None or team_id == source.team_id:
        return Routing(source.team_id, source.escalation_policy_id)
    if team_id not in _other_teams(source):
        raise Forbidden("this source may not route to this team")
    return Routing(team_id, None)


def route_labelled(source: Source, team: object) -> tuple[Routing, str | None]:
    """The same for a `team_id` that a rule's author wrote into a label; and a note when it was not followed.

    A label is not worth an alert: one that names no team of this source leads to the source's own.
    """
    wanted = line(team, 64)
    number = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) <= 18 else None
    if not wanted or number == source.team_id:
        return Routing(source.team_id, source.escalation_policy_id), None
    if number is not None and number in _other_teams(source):
        return Routing(number, None), None
    note = f"Its label team_id is {wanted}, which this source may not route to: it went to the source's own team"
    return Routing(source.team_id, source.escalation_policy_id), note


def _other_teams(source: Source) -> frozenset[int]:
    """The teams its configuration adds. Configurations are written by hand: what is no list of numbers adds none."""
    listed = (source.config or {}).get("routing_team_ids")
    if not isinstance(listed, list):
        return frozenset()
    return frozenset(team for team in listed if type(team) is int)
