"""A thread of one's own: calls in order, errors and context of the caller, and many at a time."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import pytest

from hcx_airflow.clock.thread import OwnThread

WHERE = contextvars.ContextVar("where", default="nowhere")


def test_calls_are_made_in_one_thread_with_the_callers_context() -> None:
    async def main() -> list[tuple[int, str]]:
        thread = OwnThread("t")
        WHERE.set("the task's log")
        found = [await thread.call(lambda: (threading.get_ident(), WHERE.get())) for _ in range(3)]
        thread.end()
        return found

    found = asyncio.run(main())
    assert len({ident for ident, _ in found}) == 1
    assert found[0][0] != threading.get_ident()
    assert {where for _, where in found} == {"the task's log"}


def test_errors_are_the_callers() -> None:
    def fail() -> None:
        raise KeyError("x")

    async def main() -> None:
        thread = OwnThread("t")
        with pytest.raises(KeyError, match="x"):
            await thread.call(fail)
        assert await thread.call(lambda: 5) == 5
        thread.end()

    asyncio.run(main())


def test_many_may_wait_for_each_other() -> None:
    """More than an event loop's common threads could hold."""
    count = 40
    barrier = threading.Barrier(count)

    async def main() -> int:
        threads = [OwnThread(f"t{number}") for number in range(count)]
        done = await asyncio.gather(*(one.call(lambda: barrier.wait(20)) for one in threads))
        for one in threads:
            one.end()
        return len(done)

    assert asyncio.run(main()) == count


def test_a_cancelled_call_disturbs_nobody() -> None:
    async def main() -> int:
        thread, gate = OwnThread("t"), threading.Event()
        held = asyncio.create_task(thread.call(lambda: gate.wait(20)))
        await asyncio.sleep(0)
        held.cancel()
        with pytest.raises(asyncio.CancelledError):
            await held
        gate.set()
        return await thread.call(lambda: 7)

    assert asyncio.run(main()) == 7
