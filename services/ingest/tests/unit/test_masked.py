"""Is what nobody may read taken out of what everybody does: title, description, labels, links and note?"""

import json
from typing import Any

import pytest
from pagerpal_common.contracts.alerts import Alert
from pagerpal_common.contracts.incidents import Link
from pagerpal_ingest.domain.labels import LABELS_LIMIT, VALUE_LIMIT
from pagerpal_ingest.domain.masked import masked
from pagerpal_ingest.domain.pagerduty import addressed, alert_in, event_of
from pagerpal_ingest.domain.secrets import MASK
from pagerpal_ingest.domain.texts import DESCRIPTION_LIMIT, TITLE_LIMIT, cut_bytes, cut_characters

from services.ingest.tests.conftest import START, an_alert
from services.ingest.tests.unit.dialects import NAUGHTY, SOURCE, firing, group, only

KEY = "pp_" + "k" * 43
OTHER = "pp_" + "o" * 43


def shown(**fields: Any) -> Alert:
    return masked(an_alert().model_copy(update=fields), [KEY, "s3cret of signatures", "db"])


def test_every_text_of_an_alert_is_masked() -> None:
    alert = shown(
        title=f"password=hunter2 {KEY}",
        description=f"see https://ops:hunter2@db.example/\nsigned with s3cret of signatures\n{OTHER}",
        labels={"instance": "db-1", "db_password": "a b c", "note": "token: abc", OTHER: "x"},
        links=(Link(href="https://x.example/?api_key=abc&y=1", text=f"By {KEY}"),),
        note=f"Its label team_id is {KEY}",
    )

    assert alert.title == "password=[masked] [masked]"
    assert alert.description == f"see https://ops:{MASK}@db.example/\nsigned with {MASK}\n{MASK}"
    assert alert.labels == {"instance": "db-1", "db_password": "[masked]", "note": "token: [masked]", "[masked]": "x"}
    assert alert.links == (Link(href="https://x.example/?api_key=[masked]&y=1", text="By [masked]"),)
    assert alert.note == "Its label team_id is [masked]"


def test_what_holds_no_secret_is_the_same_alert() -> None:
    alert = an_alert("password expired for user bob on db-1")

    assert masked(alert, [KEY, "db"]) is alert, "a secret of two letters is none to look for in words"


def test_the_external_id_is_what_it_was() -> None:
    assert shown(external_id=f"a {KEY}", title=KEY).external_id == f"a {KEY}"


@pytest.mark.parametrize("secret", [KEY, OTHER, "https://ops:hunter2@db.example/x"])
@pytest.mark.parametrize("kept", [15, 17, 19])
def test_half_a_secret_at_a_cut_is_no_secret(secret: str, kept: int) -> None:
    half = secret[:kept]
    title = cut_characters("x" * (TITLE_LIMIT - kept - 2) + " " + secret + " more", TITLE_LIMIT)
    description = cut_bytes("x" * (DESCRIPTION_LIMIT - kept - 4) + " " + secret + " more", DESCRIPTION_LIMIT)
    assert half in title
    assert half in description

    alert = shown(title=title, description=description)

    assert half not in alert.title
    assert half not in alert.description


def test_masks_keep_every_text_within_its_bounds() -> None:
    words = "password=x " * 6000
    alert = shown(
        title=words[:TITLE_LIMIT],
        description=words[:DESCRIPTION_LIMIT],
        labels={f"{number} token": words[:VALUE_LIMIT] for number in range(LABELS_LIMIT)},
    )

    assert len(alert.title) <= TITLE_LIMIT
    assert len(alert.description.encode()) <= DESCRIPTION_LIMIT
    assert len(alert.labels) == LABELS_LIMIT
    assert max(len(text.encode()) for text in alert.labels.values()) <= VALUE_LIMIT


def test_an_address_that_is_none_without_its_secret_is_left_out() -> None:
    alert = shown(links=(Link(href=f"https://{OTHER}.example/", text="x"), Link(href="https://x.example/", text="y")))

    assert alert.links == (Link(href="https://x.example/", text="y"),)


def test_what_the_name_of_an_annotation_or_a_detail_calls_a_secret_is_masked_whole() -> None:
    annotations = {"summary": "x", "db_password": "correct horse\nbattery", "info": "y"}
    details = {"db_password": "correct horse\nbattery", "info": "y"}
    event = {"routing_key": "k", "event_action": "trigger", "payload": {"summary": "x", "custom_details": details}}

    _, said = addressed(json.dumps(event).encode())
    descriptions = [
        only(group(firing(annotations=annotations))).description,
        alert_in(event_of(said), SOURCE, START).description,
    ]

    assert descriptions == ["db_password: [masked]\ninfo: y"] * 2


def test_no_text_of_any_kind_makes_an_alert_fail() -> None:
    for text in NAUGHTY:
        found = only(group(firing(labels={"alertname": text, text: text}, annotations={"summary": text, "x": text})))
        alert = masked(found, [KEY])
        assert Alert.model_validate_json(alert.model_dump_json()) == alert
        assert alert.external_id == found.external_id
