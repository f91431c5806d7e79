"""What does the body of `POST /api/v1/alerts` say, and which alert is it? (API reference, "Generic alert ingestion")

A text that cannot be stored is refused with a clear word; one that is merely too long to show is cut: an alert must
not be lost over its title.
"""

import re
from codecs import BOM_UTF8
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.ids import keyed_uuid, uuid7
from pagerpal_common.vocabulary import AlertStatus, Severity
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from pagerpal_ingest.domain.json_body import spelled_out
from pagerpal_ingest.domain.labels import EXTERNAL_ID_LIMIT
from pagerpal_ingest.domain.source import Source, route
from pagerpal_ingest.domain.texts import DESCRIPTION_LIMIT, cut_bytes, line, unturned

# PostgreSQL stores no NUL; the other C0 controls but tab and line ends only ever hurt whoever reads them.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def _storable(text: str) -> str:
    if _CONTROL.search(text):
        raise PydanticCustomError("control_character", "Text must not hold control characters")
    return text


def _title(text: str) -> str:
    title = line(text)
    if not title:
        raise PydanticCustomError("blank", "Text must not be blank")
    return title


def _description(text: str) -> str:
    return cut_bytes(unturned(text), DESCRIPTION_LIMIT)


class GenericAlert(BaseModel):
    """The body. Senders add fields of their own, which are ignored; `null` stands for a field left out."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    title: Annotated[str, AfterValidator(_storable), AfterValidator(_title)]
    description: Annotated[str, AfterValidator(_storable), AfterValidator(_description)] | None = None
    severity: Severity
    team_id: int | None = None
    external_id: Annotated[str, Field(min_length=1, max_length=EXTERNAL_ID_LIMIT), AfterValidator(_storable)] | None = (
        None
    )
    source_id: int | None = None
    status: Literal["firing", "resolved"] | None = None

    @model_validator(mode="after")
    def _resolves_something(self) -> "GenericAlert":
        if self.status == "resolved" and self.external_id is None:
            raise PydanticCustomError("external_id_missing", "A resolved alert must have an external_id")
        return self


def parse(body: bytes, source: Source, *, repeat_key: str | None, at: datetime) -> Alert:
    """The alert in a body that arrived `at` with this source's key.

    Args:
        repeat_key: the `Idempotency-Key` of the request: the same source and key make the same alert, whatever else
            the body says; without one every request makes a new alert.

    Raises:
        ValidationError: the body does not fit.
        Forbidden: it names a source or a team that this key is not good for.
    """
    given = _read(body.removeprefix(BOM_UTF8))
    routing = route(source, source_id=given.source_id, team_id=given.team_id)
    return Alert(
        alert_id=_alert_id(source, repeat_key),
        source_id=source.source_id,
        team_id=routing.team_id,
        escalation_policy_id=routing.escalation_policy_id,
        external_id=given.external_id,
        status=AlertStatus(given.status or "firing"),
        severity=given.severity,
        title=given.title,
        description=given.description or "",
        received_at=at,
        flap_seconds=source.flap_seconds,
    )


def _read(body: bytes) -> GenericAlert:
    """Strictly first, as nearly every body is; a line end within a text, as templates write them, is no reason to lose
    an alert."""
    try:
        return GenericAlert.model_validate_json(body)
    except ValidationError as error:
        if error.errors()[0]["type"] != "json_invalid" or (mended := spelled_out(body)) == body:
            raise
    return GenericAlert.model_validate_json(mended)


def _alert_id(source: Source, repeat_key: str | None) -> UUID:
    return uuid7() if repeat_key is None else keyed_uuid("idempotency", source.source_id, repeat_key)
