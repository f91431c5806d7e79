"""What do the tests of the deployment need? Tools, what is in the image, and a whole installation of it."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pagerpal_common.testing.rabbitmq import RabbitMQNode, rabbitmq_node

from tests.deploy.image import build
from tests.deploy.installation import Installation, installation
from tests.deploy.tools import BIN, DEPLOY, run
from tests.e2e.conftest import create_database
from tests.e2e.fake_infobip import fake_infobip


@pytest.fixture(scope="session", autouse=True)
def tools() -> None:
    """These tests are not for `pytest` alone."""
    if not (BIN / "kubectl").exists():
        pytest.exit("tests/deploy needs its tools: run `make test-deploy`", returncode=2)


@pytest.fixture(scope="session")
def image() -> Iterator[Path]:
    """What the image has in /opt/pagerpal, built by the Dockerfile's own steps; or where it was before, while one works
    on these tests: PAGERPAL_TEST_IMAGE."""
    if given := os.environ.get("PAGERPAL_TEST_IMAGE"):
        yield Path(given)
        return
    directory = Path(tempfile.mkdtemp(prefix="pagerpal-image-"))
    try:
        yield build(directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def broker() -> Iterator[RabbitMQNode]:
    with rabbitmq_node() as node:
        yield node


@pytest.fixture(scope="session")
def here(
    image: Path, broker: RabbitMQNode, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Five services of the image behind the edge; shared, so whoever changes something puts it back."""
    database_url = asyncio.run(create_database(postgres_url, "pp_deploy")).replace("postgresql+asyncpg:", "postgresql:")
    with (
        fake_infobip() as infobip,
        installation(
            image / "bin" / "python", tmp_path_factory.mktemp("here"), database_url, broker, infobip
        ) as running,
    ):
        yield running
        assert "Traceback" not in running.log


@dataclass(frozen=True)
class Demo:
    """What the demo said, each time that it was started, and the admin that it made."""

    said: list[list[str]]
    admin: tuple[str, str]


@pytest.fixture(scope="session")
def demo(here: Installation) -> Demo:
    """The demo of compose, twice: six alerts each."""
    secrets = here.secrets / "demo"
    environ = {
        "PAGERPAL_SETUP_TOKEN_FILE": str(secrets / "setup-token"),
        "PAGERPAL_DEMO_PASSWORD_FILE": str(secrets / "demo-password"),
        "PAGERPAL_DEMO_SECONDS": "0",
        "PAGERPAL_DEMO_ALERTS": "6",
    }
    command = (here.python, DEPLOY / "compose" / "demo.py", here.url)
    said = [run(*command, environ=environ).splitlines() for _ in range(2)]
    return Demo(said, ("demo@example.org", (secrets / "demo-password").read_text()))
