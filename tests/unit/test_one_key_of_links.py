"""Web believes the links that the notifier signs: both are told the same secret key, and may not import each other."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pagerpal_common.ack_links import ack_link, read
from pagerpal_common.config import ConfigError, load
from pagerpal_notifier.settings import NotifierSettings
from pagerpal_web.secret_key import ack_keys, load_keys
from pagerpal_web.settings import WebSettings

NOW = datetime(2026, 5, 21, 12, tzinfo=UTC)
OLD, NEW = "the secret key of before, of 32 bytes", "the secret key of today, of 32 bytes"


def token_of(secret: str) -> str:
    key = load(NotifierSettings, {"PAGERPAL_SECRET_KEY": secret}).link_key
    assert key is not None
    return ack_link("https://pager.example.org", key, 42, 3, 7, NOW).rpartition("/")[2]


def test_a_link_of_the_notifier_s_is_believed_by_web_also_after_the_key_was_changed() -> None:
    environ = {"PAGERPAL_SECRET_KEY": NEW, "PAGERPAL_SECRET_KEY_PREVIOUS": OLD}
    keys = ack_keys(load_keys(load(WebSettings, environ)))

    for secret in (OLD, NEW):
        link = read(token_of(secret), keys)
        assert link is not None
        assert (link.incident_id, link.user_id, link.escalation_id) == (42, 3, 7)
    assert read(token_of("the secret key of somebody else's"), keys) is None


def test_the_key_of_links_is_none_of_those_that_sessions_are_signed_with() -> None:
    keys = load_keys(load(WebSettings, {"PAGERPAL_SECRET_KEY": NEW}))

    assert set(ack_keys(keys)).isdisjoint({keys.current, *keys.ring("session"), *keys.ring("setup token")})


def test_without_a_secret_key_the_notifier_makes_no_links_and_a_short_one_is_refused(tmp_path: Path) -> None:
    assert load(NotifierSettings, {}).link_key is None
    assert load(NotifierSettings, {"PAGERPAL_ENV": "production"}).link_key is None
    (tmp_path / "key").write_text(NEW)
    assert load(NotifierSettings, {"PAGERPAL_SECRET_KEY_FILE": str(tmp_path / "key")}).link_key is not None
    with pytest.raises(ConfigError, match="PAGERPAL_SECRET_KEY: ") as refused:
        load(NotifierSettings, {"PAGERPAL_SECRET_KEY": "letmein"})
    assert "letmein" not in str(refused.value)
