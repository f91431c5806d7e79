"""Is what nobody may read taken out of a sender's text, and nothing else?"""

import json

import pytest
from pagerpal_ingest.domain.secrets import MASK, without_secrets

KEY = "pp_" + "k" * 43
OTHER = "pp_" + "o" * 42 + "-"
WEBHOOK = "whsec_" + "w" * 43


@pytest.mark.parametrize(
    "text",
    [
        f'{{"title": "t", "note": "{KEY}"}}',
        f'{{"{KEY}": 1}}',
        f"curl -H 'X-API-Key: {KEY}' …",
        f"https://pagerpal.example/api/v1/webhooks/grafana?api_key={KEY}&x=1",
        json.dumps({"Message": json.dumps({"deep": json.dumps({"note": KEY})})}),
        '{"note": "\\u0070p_' + "k" * 43 + '"}',
        '{"note": "before ' + "".join(f"\\u{ord(letter):04X}" for letter in KEY) + ' after"}',
    ],
)
def test_the_source_s_own_key_is_masked_wherever_it_stands_and_however_it_is_spelled(text: str) -> None:
    masked = without_secrets(text, [KEY, ""])

    assert KEY not in masked
    assert "k" * 20 not in masked
    assert MASK in masked


def test_a_key_of_any_shape_is_masked_when_it_is_the_source_s() -> None:
    assert without_secrets("a legacy.key/1 b", ["legacy.key/1"]) == f"a {MASK} b"
    assert json.loads(without_secrets('{"a": "legacy.key\\u002f1"}', ["legacy.key/1"])) == {"a": MASK}


@pytest.mark.parametrize("secret", [OTHER, WEBHOOK])
def test_so_is_any_other_secret_of_ours_by_its_shape(secret: str) -> None:
    assert without_secrets(f'{{"note": "{secret}"}}', [KEY]) == f'{{"note": "{MASK}"}}'


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "DB_PASSWORD",
        "api_key",
        "apiKey",
        "x-api-key",
        "routing_key",
        "token",
        "accessToken",
        "client_secret",
    ],
)
def test_so_is_what_its_name_calls_a_secret(name: str) -> None:
    body = {"title": "t", name: 'hu"nt\\er2', "then": "stays"}

    assert json.loads(without_secrets(json.dumps(body), [])) == body | {name: MASK}


@pytest.mark.parametrize(
    "text",
    [
        '{"secret": "tls-cert"}',  # of Kubernetes: the name of one
        '{"dedup_key": "db-1", "groupKey": "{}:{}", "key": "cpu", "monkey": "x"}',
        '{"token": 5, "tokens": "many", "password_age": "90 d"}',
        "Grafana: https://grafana.example/d/abc?orgId=1&viewPanel=2",
        "mail ops@example.org, see http://host:8080/path",
        "pp_short",
        "été \\u00e9 日本",
    ],
)
def test_what_only_looks_a_little_like_one_stays(text: str) -> None:
    assert without_secrets(text, [KEY]) == text


def test_addresses_keep_everything_but_their_secrets() -> None:
    text = "https://ops:hunter2@db.example/x?Action=Confirm&Token=abc.def&TopicArn=arn"

    assert without_secrets(text, []) == f"https://ops:{MASK}@db.example/x?Action=Confirm&Token={MASK}&TopicArn=arn"


def test_a_long_run_of_letters_with_a_key_s_prefix_in_it_is_none() -> None:
    arn = "arn:aws:cloudwatch:us-east-1:111122223333:alarm:my-app_111122223333_us-east-1-test_node_monitor_failure_2"

    assert without_secrets(arn, [KEY]) == arn
    assert without_secrets(f'{{"note": "first line\\n{OTHER}\\nlast"}}', []) == (
        f'{{"note": "first line\\n{MASK}\\nlast"}}'
    )
