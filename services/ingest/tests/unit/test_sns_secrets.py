"""What of an SNS message is masked, and where is one found?"""

import json

import pytest
from pagerpal_ingest.domain.sns_secrets import is_like_an_envelope, without_credentials

from services.ingest.tests.fake_amazon import TOKEN, confirmation, signed

BODY = json.dumps(signed(confirmation()))


def spelled(text: str) -> str:
    return "".join(f"\\u{ord(letter):04x}" if letter.isalnum() else letter for letter in text)


@pytest.mark.parametrize(
    "text",
    [
        BODY,
        BODY[:-1],
        json.dumps(BODY),
        json.dumps(json.dumps(json.dumps(BODY))),
        str(confirmation()),
        spelled(BODY),
        json.dumps(spelled(BODY)),
        BODY.replace(": ", "\n:\t"),
        BODY.encode("utf-16-le").decode("latin-1"),
    ],
)
def test_neither_token_nor_signature_is_left_of_a_message_of_sns(text: str) -> None:
    assert is_like_an_envelope(text)

    shown = without_credentials(text)

    for secret in (TOKEN, json.loads(BODY)["Signature"][:40]):
        assert secret not in shown
        assert secret not in shown.replace("\x00", "")
        assert spelled(secret) not in shown


@pytest.mark.parametrize(
    "text", ["disk full", '{"token": "kept for who masks everything"}', "\\" * 250_000, '"' * 250_000]
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    """Nor does a long one take long."""
    assert without_credentials(text) == text


@pytest.mark.parametrize("odd", ["\\", '"', "'", '"token', '"token\\', '{"', "\\u0022"])
def test_no_text_takes_long(odd: str) -> None:
    """A pattern that tries every beginning of a long run against its end would not be done today."""
    assert without_credentials(odd * (250_000 // len(odd)) + '"TopicArn"')


def test_what_is_masked_is_json_still() -> None:
    said = json.loads(without_credentials(json.dumps({"Message": BODY, "Token": TOKEN, "Kept": "\\u0022"})))

    assert (said["Token"], said["Kept"]) == ("[masked]", "\\u0022")
    assert json.loads(said["Message"])["SubscribeURL"] == "[masked]"
