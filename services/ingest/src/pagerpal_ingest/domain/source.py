"""What may the owner of a key do: for which team may an alert be sent, and by which policy is it escalated?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pagerpal_common.errors import Forbidden


@dataclass(frozen=True)
class Source:
    """An alert source, as the directory has it."""

    source_id: int
    team_id: int
    escalation_policy_id: int | None
    config: Mapping[str, Any] | None
    is_active: bool
    is_key_replaced: bool = False
    """It was found by the key that it had before."""

    @property
    def may_send(self) -> bool:
        """Whether the key that it was found by is good."""
        return self.is_active and not self.is_key_replaced


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


def _other_teams(source: Source) -> frozenset[int]:
    """The teams its configuration adds. Configurations are written by hand: what is no list of numbers adds none."""
    listed = (source.config or {}).get("routing_team_ids")
    if not isinstance(listed, list):
        return frozenset()
    return frozenset(team for team in listed if type(team) is int)
