"""What is asked of grpc beside what it promises: it holds while event loops come and go."""

import asyncio
import sys

LOOPS = 40


async def test_a_process_survives_servers_whose_event_loops_end_in_any_way() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "faulthandler", "-m", "tests.entrypoints.grpc.loops_that_end", str(LOOPS)),
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaints = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, complaints.decode()[-2_000:]
