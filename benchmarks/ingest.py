"""How many alerts a second does one ingest with one incidents process take, from POST to the committed incident?

Broker, database and load generator share the machine. Absolute figures are this machine's; compare ratios of one run.

    python benchmarks/ingest.py [SECONDS]
"""

import asyncio
import json
import sys
from pathlib import Path

from stack import KEY, Stack, cpu_seconds, stack

CONNECTIONS = (1, 50, 200)


async def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    print(f"{'conns':>5} {'alerts/s':>9} {'p50 ms':>7} {'p99 ms':>7}   CPU µs per alert")
    async with stack(["ingest", "incidents"]) as running:
        await measure(running, 50, 3.0)  # warm up: plans, caches, pools
        for connections in CONNECTIONS:
            result, cpu = await measure(running, connections, seconds)
            spent = "  ".join(f"{name} {us:.0f}" for name, us in cpu.items())
            print(
                f"{connections:>5} {result['rate']:>9} {result['p50_ms']:>7} {result['p99_ms']:>7}   {spent}"
                f"  generator {result['generator_us']}   {result['statuses']}"
            )


async def measure(running: Stack, connections: int, seconds: float) -> tuple[dict[str, object], dict[str, float]]:
    before = {name: cpu_seconds(pid) for name, pid in running.pids.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("load.py")),
        *(str(running.ports["ingest"]), KEY, str(connections), str(seconds)),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    result = json.loads(output)
    total = sum(result["statuses"].values()) * (seconds + 1) / seconds  # the warm-up second costs CPU as well
    cpu = {name: (cpu_seconds(pid) - before[name]) / max(1, total) * 1e6 for name, pid in running.pids.items()}
    return result, cpu


if __name__ == "__main__":
    asyncio.run(main())
