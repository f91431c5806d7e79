"""Where does the secret key come from, and what keeps a start from going without?"""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pagerpal_common.config import ConfigError, load
from pagerpal_web.secret_key import FILE, load_keys, setup_token
from pagerpal_web.settings import WebSettings

KEY, BEFORE = "a planted secret key of 32 bytes and more", "the planted secret key that was before it"


def settings(data_dir: Path, **environ: str) -> WebSettings:
    return load(WebSettings, {"PAGERPAL_DATA_DIR": str(data_dir), **environ})


def test_production_does_not_start_without_a_key_and_says_so_beside_every_other_problem() -> None:
    with pytest.raises(ConfigError) as caught:
        load(WebSettings, {"PAGERPAL_ENV": "production", "PORT": "x", "PAGERPAL_TRUSTED_PROXIES": "*"})
    text = str(caught.value)
    assert all(name in text for name in ("PAGERPAL_SECRET_KEY", "32 bytes", "PORT", "PAGERPAL_TRUSTED_PROXIES"))


@pytest.mark.parametrize("env", ["development", "production"])
@pytest.mark.parametrize("name", ["PAGERPAL_SECRET_KEY", "PAGERPAL_SECRET_KEY_PREVIOUS"])
def test_a_short_key_stops_the_start_and_is_not_quoted(name: str, env: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name}: .*32 bytes") as caught:
        load(WebSettings, {"PAGERPAL_SECRET_KEY": KEY, "PAGERPAL_ENV": env, name: "planted-but-31-bytes-long-only-"})
    assert "planted" not in str(caught.value)


def test_a_key_may_be_a_file_and_is_never_shown(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    told = settings(tmp_path, PAGERPAL_SECRET_KEY_FILE=str(tmp_path / "key"), PAGERPAL_SECRET_KEY_PREVIOUS=BEFORE)
    keys = load_keys(told)
    assert keys == load_keys(settings(tmp_path, PAGERPAL_SECRET_KEY=KEY, PAGERPAL_SECRET_KEY_PREVIOUS=BEFORE))
    for shown in (repr(told), repr(keys), told.model_dump_json()):
        assert "planted" not in shown
    assert not (tmp_path / FILE).exists()


def test_in_development_a_key_is_made_once_for_this_user_alone(tmp_path: Path) -> None:
    told = settings(tmp_path / "data")

    keys = load_keys(told)

    assert load_keys(told) == keys
    assert stat.S_IMODE((tmp_path / "data" / FILE).stat().st_mode) == 0o600
    assert [file.name for file in (tmp_path / "data").iterdir()] == [FILE]
    assert load_keys(settings(tmp_path / "elsewhere")) != keys


def test_many_that_start_at_once_have_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as threads:
        keys = set(threads.map(load_keys, [settings(tmp_path / "data")] * 64))
    assert len(keys) == 1


def test_a_kept_key_that_is_none_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("short")
    with pytest.raises(ConfigError, match="at least 32 bytes"):
        load_keys(settings(tmp_path))


def test_a_place_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="PagerPal cannot start"):
        load_keys(settings(tmp_path / "file" / "data"))


def test_each_purpose_has_keys_of_its_own_and_the_current_one_comes_first(tmp_path: Path) -> None:
    keys = load_keys(settings(tmp_path, PAGERPAL_SECRET_KEY=KEY, PAGERPAL_SECRET_KEY_PREVIOUS=BEFORE))
    one, other = keys.ring("one"), keys.ring("another")
    assert len({*one, *other, KEY.encode(), BEFORE.encode()}) == 6
    assert one[:1] == load_keys(settings(tmp_path, PAGERPAL_SECRET_KEY=KEY)).ring("one")


def test_the_setup_token_is_the_same_wherever_the_key_is(tmp_path: Path) -> None:
    token = setup_token(load_keys(settings(tmp_path / "a", PAGERPAL_SECRET_KEY=KEY)))
    assert token == setup_token(load_keys(settings(tmp_path / "b", PAGERPAL_SECRET_KEY=KEY)))
    assert len(token) == 24
    assert token != setup_token(load_keys(settings(tmp_path, PAGERPAL_SECRET_KEY=BEFORE)))


@pytest.mark.parametrize(
    ("environ", "is_exposed"),
    [
        ({}, False),
        ({"HOST": "localhost"}, False),
        ({"HOST": "0.0.0.0"}, True),
        ({"HOST": "192.0.2.1"}, True),
        ({"PAGERPAL_EDGE_HOST": "0.0.0.0"}, True),
        ({"PAGERPAL_EDGE_HOST": "127.0.0.1"}, False),
        ({"PAGERPAL_ENV": "production"}, True),
    ],
    ids=str,
)
def test_only_what_nobody_else_reaches_needs_no_setup_token(environ: dict[str, str], is_exposed: bool) -> None:
    assert load(WebSettings, {"PAGERPAL_SECRET_KEY": KEY, **environ}).is_exposed is is_exposed


@pytest.mark.parametrize("url", ["pager.example.org", "https://", "ftp://pager.example.org", "https://x:port"])
def test_a_public_url_that_browsers_would_not_understand_stops_the_start(url: str) -> None:
    with pytest.raises(ConfigError, match="PAGERPAL_PUBLIC_URL"):
        load(WebSettings, {"PAGERPAL_PUBLIC_URL": url})
