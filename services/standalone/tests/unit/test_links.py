"""Do pages of `make run` have a link that acknowledges with one tap, without a setting?"""

from pathlib import Path

import pytest
from pagerpal_common.config import load
from pagerpal_notifier.settings import NotifierSettings
from pagerpal_standalone.settings import with_links
from pagerpal_web.secret_key import ack_keys, load_keys
from pagerpal_web.settings import WebSettings

INFOBIP = {"INFOBIP_BASE_URL": "https://x.api.infobip.com", "INFOBIP_API_KEY": "a-key-of-infobip"}
SECRET = "the secret key of today, of 32 bytes"


def notifier(folder: Path, **environ: str) -> NotifierSettings:
    return load(NotifierSettings, with_links({"PAGERPAL_DATA_DIR": str(folder), **environ}))


def test_development_makes_links_to_itself_that_its_web_believes(tmp_path: Path) -> None:
    told = notifier(tmp_path, PORT="8123")

    assert told.public_url == "http://127.0.0.1:8123"
    assert (told.link_key,) == ack_keys(load_keys(load(WebSettings, {"PAGERPAL_DATA_DIR": str(tmp_path)})))


def test_an_address_of_ipv6_is_written_as_urls_have_it(tmp_path: Path) -> None:
    assert notifier(tmp_path, HOST="::1").public_url == "http://[::1]:8000"


@pytest.mark.parametrize("environ", [INFOBIP, {"HOST": "0.0.0.0"}], ids=["a phone", "somebody else's machine"])
def test_an_address_that_leads_nowhere_from_there_is_not_sent_to(tmp_path: Path, environ: dict[str, str]) -> None:
    told = notifier(tmp_path, **environ)

    assert told.public_url is None
    assert told.link_key is not None, "with PAGERPAL_PUBLIC_URL alone there are links"


def test_what_is_set_is_what_holds(tmp_path: Path) -> None:
    environ = {"PAGERPAL_PUBLIC_URL": "https://pager.example.org", "PAGERPAL_SECRET_KEY": SECRET}

    told = notifier(tmp_path, **environ)

    assert told == load(NotifierSettings, environ)
    assert list(tmp_path.iterdir()) == []
    assert notifier(tmp_path, PAGERPAL_ENV="production", PAGERPAL_SECRET_KEY=SECRET).public_url is None
