"""Does `/api/v1/system/jobs` tell of every loop there is? Only here are all services in sight."""

from collections import Counter

from pagerpal_common.bus.memory import MemoryBus
from pagerpal_common.clock import utc_now
from pagerpal_common.schema import LOOP_RUNS
from pagerpal_standalone.one_process import build
from pagerpal_web.domain.jobs import HOUSEKEEPING, LOOPS


async def test_every_loop_belongs_to_one_job_and_every_job_rests_on_loops_that_exist() -> None:
    services = build({"PAGERPAL_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, MemoryBus(), utc_now)

    loops = Counter(loop.name for service in services for loop in service.loops)
    in_jobs = Counter(loop for loops in LOOPS.values() for loop in loops)

    assert loops == in_jobs + Counter(HOUSEKEEPING), "a new loop goes into pagerpal_web.domain.jobs"
    assert {service.name for service in services} == set(LOOP_RUNS)
    for service in services:
        assert all(loop.name.startswith(f"{service.name}.") for loop in service.loops)
        await service.close()
