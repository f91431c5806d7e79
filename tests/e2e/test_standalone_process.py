"""Does `make run` begin and end well, whatever happens to it?"""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pagerpal_standalone.postgres_orphans import processes_on

from tests.e2e.deployment import (
    DISTRIBUTED,
    ROOT,
    STANDALONE,
    START_SECONDS,
    data_directory,
    environment,
    free_ports,
    spawn,
    standalone,
    start,
    until,
)
from tests.e2e.fake_infobip import fake_infobip
from tests.e2e.pagerpal import minutes, story

SIGNAL_MASK = "SigCgt:"
PGDATA = "data/postgres/data"


async def test_without_a_provider_the_page_is_on_the_console(tmp_path: Path) -> None:
    with standalone(tmp_path, None) as running:
        assert "create_admin.py" in running.output
        async with story(running) as pagerpal:
            team = await pagerpal.given_team(levels=["ana"])
            await pagerpal.open_incident(team, title="Disk full on db-1")

            async def printed() -> str | None:
                lines = running.output.splitlines()
                return next((line for line in lines if line.startswith("PAGE ") and "Disk full" in line), None)

            line = await pagerpal.until("the page is on the console", printed)
            assert line.startswith("PAGE by sms to +49")
            assert pagerpal.people["ana"].phone not in line

        assert processes_on(tmp_path / PGDATA)
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(START_SECONDS) == 0
        assert "Traceback" not in running.log
        assert not processes_on(tmp_path / PGDATA)


async def test_one_instance_has_the_data_and_after_its_kill_the_next_goes_on(tmp_path: Path) -> None:
    with fake_infobip() as infobip, standalone(tmp_path, infobip) as running:
        async with story(running) as pagerpal:
            team = await pagerpal.given_team(levels=["ana", "bo"], timeout=minutes(5))
            await pagerpal.open_incident(team)
            await pagerpal.expect_sms("ana")
            pagerpal.allow_calls("ana")
            await pagerpal.expect_quiet()

            second = _refusal({**running.environ, "PORT": str(free_ports(1)[0])})
            assert f"already running on {(tmp_path / 'data').resolve()} (pid {running.process.pid})" in second

            assert processes_on(tmp_path / PGDATA)
            running.process.kill()
            running.process.wait()
            await _all_gone(tmp_path / PGDATA)
            running.process = start(STANDALONE, tmp_path, running.environ)
            assert "create_admin.py" not in running.output
            await pagerpal.advance(minutes(5))

            await pagerpal.expect_sms("bo")


def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path) -> None:
    with fake_infobip() as other:
        port = other.url.rpartition(":")[2]

        line = _refusal(environment(tmp_path, None, PORT=port))

        assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in line


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PAGERPAL_DATABASE_URL", "postgresql://nobody:secret-word@127.0.0.1:1/none", "the database cannot be used"),
        ("PAGERPAL_DATABASE_URL", "nonsense", "the database cannot be used"),
        ("HOST", "192.0.2.1", "cannot listen on 192.0.2.1"),
    ],
)
def test_a_setting_that_does_not_do_is_one_clear_line(tmp_path: Path, name: str, value: str, said: str) -> None:
    (tmp_path / "clock").touch()

    line = _refusal(environment(tmp_path, None, **{"PORT": str(free_ports(1)[0]), name: value}))

    assert said in line
    assert "secret-word" not in line


@pytest.mark.parametrize(
    ("moment", "number"),
    [("at once", signal.SIGINT), ("postgres_initialised", signal.SIGTERM), ("postgres_ready", signal.SIGINT)],
)
async def test_told_to_stop_while_it_starts_it_stops_cleanly(
    tmp_path: Path, moment: str, number: signal.Signals
) -> None:
    (tmp_path / "clock").touch()
    log = tmp_path / "log"
    with data_directory(tmp_path) as pgdata:
        process = spawn(STANDALONE, tmp_path, environment(tmp_path, None, PORT=str(free_ports(1)[0])))
        until(lambda: _heeds_signals(process) and (moment == "at once" or moment in log.read_text()), process, tmp_path)

        process.send_signal(number)

        assert process.wait(START_SECONDS) == 0
        assert "Traceback" not in log.read_text()
        await _all_gone(pgdata)


@pytest.mark.parametrize("module", [DISTRIBUTED, "pagerpal_ingest"])
def test_a_start_that_cannot_be_is_refused_with_one_message_that_lists_every_problem(
    tmp_path: Path, module: str
) -> None:
    wrong = {"PORT": "none", "PAGERPAL_AMQP_URL": "amqp://guest@broker/", "PAGERPAL_ENV": "production"}

    said = _last_words(environment(tmp_path, None, **wrong), module)

    assert said[0] == "PagerPal cannot start:"
    assert {
        "  PAGERPAL_DATABASE_URL: not set",
        "  PORT: Input should be a valid integer, unable to parse string as an integer",
        "  PAGERPAL_AMQP_URL: its password is one that everybody knows; production needs a login of its own",
        "  PAGERPAL_TEST_CLOCK: must not be set in production",
    } <= set(said)
    assert len(said) == len(set(said))


def _refusal(environ: dict[str, str], module: str = STANDALONE) -> str:
    """The one line that a process ends with when it cannot start."""
    (line,) = _last_words(environ, module)
    return line


def _last_words(environ: dict[str, str], module: str) -> list[str]:
    """All that a process says when it cannot start."""
    command = [sys.executable, "-m", module]
    ended = subprocess.run(
        command, env=environ, cwd=ROOT, capture_output=True, text=True, timeout=START_SECONDS, check=False
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    return ended.stderr.splitlines()


def _heeds_signals(process: subprocess.Popen[bytes]) -> bool:
    """Whether it catches SIGTERM, as PagerPal does from its first line on and Python never does by itself."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = int(status.partition(SIGNAL_MASK)[2].split()[0], 16)
    return bool(caught & 1 << (signal.SIGTERM - 1))


async def _all_gone(pgdata: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while processes_on(pgdata):
        assert time.monotonic() < deadline, f"PostgreSQL outlives us: {processes_on(pgdata)}"
        await asyncio.sleep(0.02)
