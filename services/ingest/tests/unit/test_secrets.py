"""Is what nobody may read taken out of a sender's text, and nothing else?"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pagerpal_ingest.domain.secrets import MASK, may_hold_secrets, without_secrets

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
    ("text", "masked"),
    [
        ("login failed: password=hunter2 for bob", "login failed: password=[masked] for bob"),
        ("DB_PASSWORD=hunter2, host=db-1", "DB_PASSWORD=[masked], host=db-1"),
        ("token: abc.def", "token: [masked]"),
        ("Authorization: Bearer abc.def on /login", "Authorization: Bearer [masked] on /login"),
        ("authorization=Basic YTpi", "authorization=Basic [masked]"),
        (
            "curl -H 'X-Auth-Token: abc' -H \"X-API-Key: def\"",
            "curl -H 'X-Auth-Token: [masked]' -H \"X-API-Key: [masked]\"",
        ),
        ('passwd="correct horse" next', 'passwd="[masked]" next'),
        ("passwd='it is \"it' next", "passwd='[masked]\"it' next"),
        ("API key: abc (of ops)", "API key: [masked] (of ops)"),
        ("client_secret=a\\q\\\\c d", "client_secret=[masked] d"),
        ("api_key=abc&x=1", "api_key=[masked]&x=1"),
        ("http://h/?api_key=abc&token=[masked]", "http://h/?api_key=[masked]&token=[masked]"),
        ("password: hunter2\npassword:\nnext", "password: [masked]\npassword:\nnext"),
        ('{"note": "password=hunter2\\nnext"}', '{"note": "password=[masked]\\nnext"}'),
        ('{"note": "password=hunter2\\\\"}', '{"note": "password=[masked]\\\\"}'),
        ('{"note": "say password=\\"a b\\" here"}', '{"note": "say password=\\"[masked]\\" here"}'),
        ('{"Message": "{\\"password\\": \\"a b\\"}"}', '{"Message": "{\\"password\\": \\"[masked]\\"}"}'),
    ],
)
def test_so_is_what_a_sentence_calls_one_but_not_the_words_around_it(text: str, masked: str) -> None:
    assert without_secrets(text, []) == masked
    assert without_secrets(masked, []) == masked


PIECES = [KEY, WEBHOOK, "password", "Token", "api-key", "_secret", "Authorization", "Bearer ", "?Signature=", "://a:b@c",
          "\\u0070p_" + "k" * 43, " ", ": ", "=", '"', "'", "\\", "\n", "x", "[masked]"]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_what_is_not_worth_looking_at_holds_nothing_and_what_is_masked_stays_so(text: str) -> None:
    masked = without_secrets(text, [KEY])

    assert masked == text or may_hold_secrets(text, [KEY])
    assert KEY not in masked


def test_looking_for_secrets_takes_no_longer_than_the_text_is_long() -> None:
    for text in ("password=" + "\\" * 200_000, "token" * 50_000 + ":", "password='" + "a" * 200_000, "key: " * 50_000):
        assert len(without_secrets(text, [])) <= len(text)


@pytest.mark.parametrize(
    "text",
    [
        "password expired for user bob",
        "Passwords: see the vault's page on tokens",
        "The token of ana has expired: renew it",
        "monkey: 5, key: cpu, groupKey={}",
        "Authorization failed: 5 times",
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
