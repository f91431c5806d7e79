"""Messengers by Apprise, in processes of its own: what arrives, what hangs, what crashes, and what is seen of it."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pagerpal_common.config import load
from pagerpal_common.contracts.notifications import CheckContact, CheckOutcome
from pagerpal_common.ids import uuid7
from pagerpal_common.testing.processes import end, spawn, watch
from pagerpal_common.vocabulary import Channel, Severity
from pagerpal_notifier.channels import Provider, long_tail
from pagerpal_notifier.channels.long_tail import children as processes
from pagerpal_notifier.channels.long_tail.children import Children, Died, NotReady
from pagerpal_notifier.checks import check_contact
from pagerpal_notifier.domain.delivery import Outcome, Verdict
from pagerpal_notifier.domain.page import Claim, Page
from pagerpal_notifier.loops import take_up
from pagerpal_notifier.settings import NotifierSettings

from services.notifier.tests.integration.fake_receiver import FakeReceiver, answer
from services.notifier.tests.integration.victim import FAILPOINTS
from services.notifier.tests.integration.ways import given_method, given_rule
from services.notifier.tests.integration.world import T0, World

ATTEMPT = UUID("01935a7e-0000-7000-8000-000000000001")
PAGE = Page(42, Severity.CRITICAL, "Disk full on db1", "98 % used", ("policy 'Base', level 1",), 1)
ORDER = {"messenger": "ntfy", "url": "ntfy://127.0.0.1:9/canary", "origin": "http://127.0.0.1:9", "text": "a page"}
TOPIC = "canary-topic"
"""Whoever knows it can write there, so nobody may see it."""

VICTIM = Path(__file__).parent / "victim.py"

needs_apprise = pytest.mark.usefixtures("apprise")


@pytest.fixture
def apprise() -> Any:
    """The extra: where it is not installed, everything else has to work."""
    return pytest.importorskip("apprise")


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has much to do takes its time to start a process."""
    monkeypatch.setattr(processes, "PLACE_SECONDS", 20.0)
    monkeypatch.setattr(long_tail, "PATIENCE", 20.0)


def address_of(receiver: FakeReceiver) -> str:
    return f"ntfy://{receiver.host}/{TOPIC}"


def environ_of(receiver: FakeReceiver) -> dict[str, str]:
    return {
        "PAGERPAL_LONG_TAIL": "ntfy",
        "PAGERPAL_LONG_TAIL_HOSTS": receiver.host,
        "PAGERPAL_PUBLIC_URL": "https://pagerpal.example.com",
    }


@asynccontextmanager
async def sending(receiver: FakeReceiver, **environ: str) -> AsyncIterator[Provider]:
    provider = long_tail.provider(load(NotifierSettings, environ_of(receiver) | environ), lambda: T0)
    assert provider is not None
    try:
        yield provider
    finally:
        await provider.close()


@pytest.fixture
async def provider(receiver: FakeReceiver, apprise: Any) -> AsyncIterator[Provider]:
    async with sending(receiver) as provider:
        yield provider


@pytest.fixture
async def served(world: World, provider: Provider) -> World:
    """A world whose notifier sends to messengers."""
    world.ctx = replace(world.ctx, providers={**world.ctx.providers, Channel.APPRISE: provider})
    return world


def a_claim(address: str, *, tries: int = 1) -> Claim:
    return Claim(7, 42, 1, 3, 9, Channel.APPRISE, 1, tries, tries, ATTEMPT, address, PAGE)


async def until(is_so: Callable[[], bool | Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while True:
            found = is_so()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Not a zombie either, whoever its parent is by now."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def given_messenger(world: World, receiver: FakeReceiver) -> int:
    """A person who is paged by a messenger, and by SMS ten minutes later."""
    user_id = await world.user()
    method_id = await given_method(world, user_id, channel="apprise", address=address_of(receiver), secret=None)
    await given_rule(world, user_id, method_id=method_id)
    await given_rule(world, user_id, channel="sms", seconds=600)
    await world.page_request(await world.incident(), user_id)
    assert await take_up(world.ctx) == 1
    return method_id


async def test_a_page_arrives_by_apprises_own_plugin(receiver: FakeReceiver, provider: Provider) -> None:
    assert await provider.send(a_claim(address_of(receiver))) == Outcome(Verdict.ACCEPTED, "ntfy: accepted")

    (posted,) = receiver.posted
    assert (posted.path, posted.headers["host"]) == ("/", receiver.host)
    assert json.loads(posted.body) == {
        "topic": TOPIC,
        "message": "CRITICAL #42: Disk full on db1\nEscalation level 1.\nhttps://pagerpal.example.com/incidents/42",
    }


@pytest.mark.parametrize(
    ("code", "verdict", "wait"),
    [
        (302, Verdict.REFUSED, 0),
        (400, Verdict.REFUSED, 0),
        (401, Verdict.REFUSED, 0),
        (404, Verdict.REFUSED, 0),
        (429, Verdict.DEFERRED, 9),
        (500, Verdict.UNKNOWN, 9),
    ],
)
async def test_the_status_decides(
    receiver: FakeReceiver, provider: Provider, code: int, verdict: Verdict, wait: int
) -> None:
    receiver.script.append(answer(code, b"tell canary-topic", Location="/elsewhere", Retry_After="9"))

    outcome = await provider.send(a_claim(address_of(receiver)))

    assert (outcome.verdict, outcome.wait) == (verdict, timedelta(seconds=wait))
    assert outcome.detail.startswith(f"ntfy: HTTP {code}")
    assert ("may come twice" in outcome.detail) is (verdict is Verdict.UNKNOWN)
    assert len(receiver.posted) == 1, "no redirect is followed"


async def test_what_breaks_off_is_in_doubt_and_what_cannot_be_reached_is_not(
    receiver: FakeReceiver, provider: Provider, unused_tcp_port: int
) -> None:
    receiver.script.append(b"")
    broken = await provider.send(a_claim(address_of(receiver)))
    async with sending(receiver, PAGERPAL_LONG_TAIL_HOSTS=f"127.0.0.1:{unused_tcp_port}") as other:
        away = await other.send(a_claim(f"ntfy://127.0.0.1:{unused_tcp_port}/{TOPIC}"))

    assert broken == Outcome(Verdict.UNKNOWN, "ntfy: no answer; it goes again, and may come twice")
    assert away == Outcome(Verdict.DEFERRED, "ntfy: it cannot be reached")


async def test_an_address_that_is_let_through_no_longer_is_refused_for_good(
    receiver: FakeReceiver, apprise: Any
) -> None:
    async with (
        sending(receiver, PAGERPAL_LONG_TAIL="telegram") as switched_off,
        sending(receiver, PAGERPAL_LONG_TAIL_HOSTS="ntfy.example.org") as other_hosts,
        sending(receiver, PAGERPAL_ENV="production") as in_production,
    ):
        claim = a_claim(address_of(receiver))
        outcomes = [await one.send(claim) for one in (switched_off, other_hosts, in_production)]

    assert [outcome.verdict for outcome in outcomes] == [Verdict.REFUSED] * 3
    assert "ntfy is not switched on here" in outcomes[0].detail
    assert "PAGERPAL_LONG_TAIL_HOSTS" in outcomes[1].detail
    assert "by TLS" in outcomes[2].detail
    assert receiver.posted == []


async def test_without_the_extra_it_is_a_refusal_that_says_so(
    world: World, receiver: FakeReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there_is_none = tmp_path / "child.py"
    there_is_none.write_text(
        f"import sys\nsys.modules['apprise'] = None\nexec(open({str(processes.PROGRAM)!r}).read())\n"
    )
    monkeypatch.setattr(long_tail, "Children", lambda: Children(there_is_none))
    monkeypatch.setattr(long_tail, "find_spec", lambda _name: None)
    async with sending(receiver) as provider:
        world.ctx = replace(world.ctx, providers={**world.ctx.providers, Channel.APPRISE: provider})
        await given_messenger(world, receiver)

        await world.send()
        again = await provider.send(a_claim(address_of(receiver)))

    assert again.verdict is Verdict.REFUSED
    first, second = await world.notifications()
    assert (first["status"], first["attempts"]) == ("failed", 1)
    assert "apprise` is not installed" in first["error"]
    assert (second["channel"], second["status"]) == ("sms", "sent"), "the next contact goes at once"


async def test_a_refusal_moves_to_the_next_contact_at_once(served: World, receiver: FakeReceiver) -> None:
    receiver.script.append(answer(403))
    await given_messenger(served, receiver)

    await served.send()

    assert [(row["channel"], row["status"]) for row in await served.notifications()] == [
        ("apprise", "failed"),
        ("sms", "sent"),
    ]


async def test_a_page_in_doubt_goes_again_and_the_log_says_that_it_may_come_twice(
    served: World, receiver: FakeReceiver
) -> None:
    receiver.script.append(answer(500))
    await given_messenger(served, receiver)

    await served.send()
    (row, _) = await served.notifications()
    assert (row["status"], "may come twice" in row["error"]) == ("sending", True)
    served.clock.advance(3)
    await served.send()

    (row, _) = await served.notifications()
    assert (row["status"], row["attempts"]) == ("sent", 2)
    assert len(receiver.posted) == 2


async def test_a_code_goes_there_as_by_any_other_channel(served: World, receiver: FakeReceiver) -> None:
    method_id = await given_messenger(served, receiver)
    check_id = uuid7()
    await served.rows(
        "INSERT INTO directory.contact_checks (id, user_id, method_id, kind, channel, address, requested_at)"
        " SELECT :id, user_id, id, 'code', channel, address, created_at FROM directory.contact_methods"
        " WHERE id = :method",
        id=check_id,
        method=method_id,
    )

    told = await check_contact(served.ctx, CheckContact(check_id=check_id, occurred_at=T0))

    assert told.outcome is CheckOutcome.SENT
    assert "is your PagerPal code" in json.loads(receiver.posted[0].body)["message"]


@pytest.mark.parametrize("said", [answer(200), answer(404, b"canary-topic"), answer(500, b"canary-topic"), b""])
async def test_nothing_of_an_address_is_logged_or_kept_beside_it(
    served: World, receiver: FakeReceiver, capfd: pytest.CaptureFixture[str], said: bytes
) -> None:
    receiver.script.append(said)
    await given_messenger(served, receiver)

    await served.send()

    assert len(receiver.posted) == 1
    assert "canary" not in "".join(capfd.readouterr())
    for row in await served.notifications() + await served.attempts():
        assert "canary" not in str({name: value for name, value in row.items() if name != "address"})


@needs_apprise
async def test_nothing_secret_is_in_what_the_machine_shows_of_a_process(
    receiver: FakeReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFOBIP_API_KEY", "canary")
    children = Children()
    receiver.script.append(b"HTTP/1.1 200 OK\r\n\r\n")  # and no end of it
    order = {**ORDER, "url": address_of(receiver), "origin": f"http://{receiver.host}"}

    asking = asyncio.create_task(children.ask(order, seconds=10.0))
    await until(lambda: bool(receiver.posted))
    (pid,) = pids_of(children)
    shown = shown_of(pid)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await children.close()

    assert "child.py" in shown
    assert "canary" not in shown
    assert not is_alive(pid), "whoever gives up waiting has it killed"


@needs_apprise
async def test_a_process_serves_the_next_message_too(receiver: FakeReceiver) -> None:
    children = Children()
    order = {**ORDER, "url": address_of(receiver), "origin": f"http://{receiver.host}"}

    await children.ask(order, seconds=10.0)
    first = pids_of(children)
    await children.ask(order, seconds=10.0)

    assert pids_of(children) == first
    assert len(receiver.posted) == 2
    await children.close()
    assert not any(map(is_alive, first))


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def shown_of(pid: int) -> str:
    """What anybody on this machine may read of a process: its arguments, and its environment."""
    try:
        return "".join(Path(f"/proc/{pid}/{name}").read_text() for name in ("cmdline", "environ"))
    except OSError:  # it has just ended
        return ""


def pids_of(children: Children) -> list[int]:
    """Of all processes that it has begun and that have not ended."""
    return [pid for pid in children_of(os.getpid()) if str(children._program) in shown_of(pid)]


def program(folder: Path, does: str, *, says: str = "ready") -> Path:
    """A program in the place of ours, that does this with each message."""
    path = folder / "program.py"
    path.write_text(f"import os, sys, time\nprint({says!r}, flush=True)\nfor order in sys.stdin:\n    {does}\n")
    return path


@pytest.mark.parametrize(
    "does",
    [
        "os._exit(1)",
        "os.kill(os.getpid(), 9)",
        "print('Traceback', flush=True)",
        "print([], flush=True)",
        "print('x' * 100_000, flush=True)",
    ],
)
async def test_a_process_that_dies_or_babbles_leaves_the_message_in_doubt(tmp_path: Path, does: str) -> None:
    children = Children(program(tmp_path, does))

    with pytest.raises(Died):
        await children.ask(ORDER, seconds=10.0)

    await until(lambda: not pids_of(children))
    await children.close()


async def test_a_process_that_hangs_is_killed_and_the_next_message_has_another(tmp_path: Path) -> None:
    children = Children(program(tmp_path, "time.sleep(60) if 'hang' in order else print('{}', flush=True)"))

    with pytest.raises(TimeoutError):
        await children.ask({**ORDER, "text": "hang"}, seconds=1.0)
    await until(lambda: not pids_of(children))

    assert await children.ask(ORDER, seconds=10.0) == {}
    await children.close()


async def test_one_that_has_died_while_it_waited_is_not_used(tmp_path: Path) -> None:
    children = Children(program(tmp_path, "print('{}', flush=True)"))
    await children.ask(ORDER, seconds=10.0)
    (pid,) = pids_of(children)

    os.kill(pid, signal.SIGKILL)
    await until(lambda: not children._idle[0].is_fresh)

    assert await children.ask(ORDER, seconds=10.0) == {}
    await children.close()


@pytest.mark.parametrize("says", ["not ready", "x" * 100_000])
async def test_a_process_that_cannot_begin_has_had_no_message(tmp_path: Path, says: str) -> None:
    children = Children(program(tmp_path, "pass", says=says))

    with pytest.raises(NotReady):
        await children.ask(ORDER, seconds=10.0)

    await children.close()


async def test_one_that_is_slow_to_begin_is_waited_for_by_the_next_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "PLACE_SECONDS", 0.2)
    path = tmp_path / "program.py"
    path.write_text(
        "import os, sys, time\nwhile not os.path.exists('" + str(tmp_path / "go") + "'): time.sleep(0.01)\n"
        "print('ready', flush=True)\nfor order in sys.stdin: print('{}', flush=True)\n"
    )
    children = Children(path)
    with pytest.raises(NotReady):
        await children.ask(ORDER, seconds=10.0)
    begun = pids_of(children)
    (tmp_path / "go").touch()
    monkeypatch.setattr(processes, "PLACE_SECONDS", 10.0)

    assert await children.ask(ORDER, seconds=10.0) == {}

    assert pids_of(children) == begun
    await children.close()


async def test_a_messenger_that_hangs_leaves_room_for_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "PLACE_SECONDS", 2.0)
    children = Children(program(tmp_path, "time.sleep(60) if 'hang' in order else print('{}', flush=True)"))
    hanging = [asyncio.create_task(children.ask({**ORDER, "text": "hang"}, seconds=60.0)) for _ in range(4)]
    await until(lambda: len(pids_of(children)) == processes.OF_ONE_MESSENGER)
    monkeypatch.setattr(processes, "PLACE_SECONDS", 20.0)

    assert await children.ask({**ORDER, "messenger": "telegram"}, seconds=10.0) == {}

    ends = await asyncio.gather(*hanging[processes.OF_ONE_MESSENGER :], return_exceptions=True)
    assert {type(one) for one in ends} == {NotReady}, "nobody waits for a place for longer than a moment"
    for one in hanging:
        one.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
    await children.close()
    assert pids_of(children) == []


PARENT = """
import asyncio, sys
from pagerpal_notifier.channels.long_tail.children import Children

async def main():
    children = Children()
    children._keep(await children._ready(asyncio.get_running_loop().time() + 20.0))
    await children.ask(eval(sys.stdin.readline()), seconds=1.5)

asyncio.run(main())
"""
"""Its process has loaded Apprise before the time for the message begins."""


@needs_apprise
async def test_a_process_whose_parent_was_killed_ends_by_itself(unused_tcp_port: int) -> None:
    host, asked = f"127.0.0.1:{unused_tcp_port}", asyncio.Event()
    over = asyncio.Event()

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A byte now and then, so that no reader's patience ends."""
        asked.set()
        with suppress(OSError):
            while True:
                writer.write(b"H")
                await writer.drain()
                await asyncio.sleep(0.1)
        writer.close()
        over.set()

    server = await asyncio.start_server(serve, "127.0.0.1", unused_tcp_port)
    order = {**ORDER, "url": f"ntfy://{host}/{TOPIC}", "origin": f"http://{host}"}
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, stdin=asyncio.subprocess.PIPE, env=os.environ | path_of_ours()
    )  # fmt: skip
    assert parent.stdin is not None
    parent.stdin.write(f"{order!r}\n".encode())
    async with asyncio.timeout(20):
        await asked.wait()
    (pid,) = children_of(parent.pid)

    parent.send_signal(signal.SIGKILL)
    await parent.wait()

    await until(lambda: not is_alive(pid))
    async with asyncio.timeout(20):
        await over.wait()
    server.close()
    await server.wait_closed()


def path_of_ours() -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join(sys.path)}


@needs_apprise
@pytest.mark.timeout(90)
@pytest.mark.parametrize("failpoint", FAILPOINTS)
@pytest.mark.parametrize("script", [(), (b"HTTP/1.1 200 OK\r\n\r\n",)])
async def test_wherever_the_notifier_is_killed_the_page_arrives(
    world: World, receiver: FakeReceiver, database_url: str, tmp_path: Path, failpoint: str, script: tuple[bytes, ...]
) -> None:
    receiver.script.extend(script)
    await given_messenger(world, receiver)
    environment = os.environ | environ_of(receiver) | path_of_ours() | {"PAGERPAL_DATABASE_URL": database_url}

    async def run(name: str, is_over: Callable[[Any], Awaitable[bool]]) -> None:
        process = spawn([sys.executable, str(VICTIM), name, "1"], environment, tmp_path / "log")
        watchdog = watch(process)
        try:
            await until(lambda: is_over(process))
        finally:
            await asyncio.to_thread(end, process, watchdog)

    async def it_is_dead(process: Any) -> bool:
        return process.poll() is not None

    async def it_is_sent(_process: Any) -> bool:
        return (await world.statuses())[0] == "sent"

    if failpoint != "nowhere":
        await run(failpoint, it_is_dead)
    await run("nowhere", it_is_sent)

    is_in_doubt = bool(script) or failpoint == "before_the_record"
    assert len(receiver.posted) == 1 or (is_in_doubt and len(receiver.posted) <= 3), "twice at most, but never not"
