"""What can be chosen about an alert source on its page? The settings that ingest knows, over whatever else is there.

A source's `config` is JSON that people may also write themselves, by the API: what the form does not know it keeps.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pagerpal_common.http import Body
from pagerpal_common.vocabulary import Severity, SourceType
from pydantic import Field, StringConstraints

from pagerpal_web.fields import Id
from pagerpal_web.ui.forms import Form, fit

SHORTEST_SECRET, LONGEST_SECRET = 16, 255
"""Characters."""

_TopicArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+$")]


class Choices(Body):
    """What a form has chosen. None, and an empty list, is what PagerPal does by itself."""

    default_severity: Severity | None = None
    flap_seconds: int | None = Field(None, ge=0, le=24 * 3600)
    alerts_per_second: float | None = Field(None, gt=0, le=1_000_000, allow_inf_nan=False)
    routing_team_ids: tuple[Id, ...] = ()
    verify_signature: bool = False
    insufficient_data: bool = False
    topic_arns: tuple[_TopicArn, ...] = ()
    hmac_secret: str | None = Field(None, min_length=SHORTEST_SECRET, max_length=LONGEST_SECRET)
    is_unsigned: bool = False
    """The secret that is there is taken away."""


OF_ALL = ("default_severity", "flap_seconds", "alerts_per_second", "routing_team_ids")
OF_SNS = ("verify_signature", "insufficient_data", "topic_arns")


def read_choices(form: Form) -> Choices:
    """What was chosen.

    Raises:
        Unprocessable: something does not fit.
    """
    given: dict[str, object] = {
        **form.given("default_severity", "flap_seconds", "alerts_per_second", "hmac_secret"),
        "routing_team_ids": form.texts("routing_team_ids"),
        "topic_arns": form.text("topic_arns").split(),
    }
    boxes = ("verify_signature", "insufficient_data", "is_unsigned")
    return fit(Choices, {**given, **{name: form.is_on(name) for name in boxes}})


def config_with(before: Mapping[str, Any] | None, chosen: Choices, source_type: SourceType) -> dict[str, Any] | None:
    """The configuration with these choices; None when nothing is in it.

    Args:
        before: as the API shows it; what is masked in it stays as it is.
    """
    offered = OF_ALL + (OF_SNS if source_type is SourceType.CLOUDWATCH else ())
    kept = {name: value for name, value in (before or {}).items() if name not in offered}
    values = chosen.model_dump(mode="json", include=set(offered))
    if "insufficient_data" in values:
        values["insufficient_data"] = "open" if chosen.insufficient_data else None
    config = {**kept, **{name: value for name, value in values.items() if value not in (None, [], False)}}
    if chosen.hmac_secret is not None:
        config["hmac_secret"] = chosen.hmac_secret
    elif chosen.is_unsigned:
        config = {name: value for name, value in config.items() if not name.startswith("hmac_")}
    return config or None


def shown(config: Mapping[str, Any] | None) -> dict[str, Any]:
    """What stands in the form before anything is typed. Configurations are written by hand: what no form could have
    written stands in none."""
    found = config or {}
    return {
        "default_severity": found.get("default_severity") or "",
        "flap_seconds": _number(found.get("flap_seconds")),
        "alerts_per_second": _number(found.get("alerts_per_second")),
        "routing_team_ids": [str(team) for team in _list(found.get("routing_team_ids"))],
        "verify_signature": found.get("verify_signature") in (True, "true"),
        "insufficient_data": found.get("insufficient_data") == "open",
        "topic_arns": "\n".join(str(arn) for arn in _list(found.get("topic_arns"))),
        "is_signed": bool(found.get("hmac_secret")),
    }


def _number(value: Any) -> str:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _list(value: Any) -> list[Any]:
    """One topic may also stand for itself."""
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []
