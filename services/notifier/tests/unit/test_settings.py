"""What the environment may say."""

import pytest
from pagerpal_common.config import ConfigError, load
from pagerpal_notifier.settings import NotifierSettings


def test_nothing_is_needed() -> None:
    settings = load(NotifierSettings, {})

    assert settings.port == 8004
    assert settings.infobip_sender == "PagerPal"
    assert settings.infobip_base_url is None


def test_infobip_base_urls_are_taken_as_the_portal_shows_them() -> None:
    environ = {"INFOBIP_BASE_URL": "abc12.api.infobip.com/", "INFOBIP_API_KEY": "s3cret-key"}

    settings = load(NotifierSettings, environ)

    assert settings.infobip_base_url == "https://abc12.api.infobip.com"
    assert "s3cret-key" not in repr(settings)


@pytest.mark.parametrize(
    "environ",
    [
        {"INFOBIP_BASE_URL": "abc12.api.infobip.com"},
        {"INFOBIP_API_KEY": "s3cret-key"},
        {"PAGERPAL_PUBLIC_URL": "pagerpal.example.com"},
        {"PAGERPAL_PUBLIC_URL": "https://x.example.com/?a=b"},
        {"PAGERPAL_PUBLIC_URL": "https://x.example.com\n"},
        {"PAGERPAL_PUBLIC_URL": "https://" + "x" * 200},
        {"SMTP_URL": "mail.example.com"},
        {"SMTP_URL": "smtp://ana:s3cret/word@mail.example.com"},
        {"SMTP_URL": "smtp://ana:s3cret@mail.example.com:port"},
    ],
)
def test_what_cannot_work_stops_the_start_without_quoting_it(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(NotifierSettings, environ)

    assert "s3cret" not in str(caught.value)
    assert next(iter(environ)) in str(caught.value)
