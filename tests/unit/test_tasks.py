"""What lives as long as an app: spawned tasks and repeated calls."""

import asyncio
import logging

import pytest

from hubbub.tasks import Tasks


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_a_task_is_kept_until_it_ends() -> None:
    async def main() -> None:
        tasks = Tasks(asyncio.get_running_loop())
        assert await tasks.spawn(asyncio.sleep(0, "done")) == "done"
        await settle()
        assert len(tasks) == 0

    asyncio.run(main())


def test_the_end_cancels_and_waits() -> None:
    cleaned: list[bool] = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    async def main() -> None:
        tasks = Tasks(asyncio.get_running_loop())
        tasks.spawn(forever())
        await settle()
        await tasks.cancel()

    asyncio.run(main())
    assert cleaned == [True]


def test_a_rest_lets_end_what_somebody_waits_for() -> None:
    async def main() -> None:
        tasks = Tasks(asyncio.get_running_loop())
        gate = asyncio.Event()
        background, awaited = tasks.spawn(gate.wait()), tasks.finish(gate.wait())
        await settle()
        await tasks.rest()
        assert (background.cancelled(), awaited.done(), tasks.unfinished) == (True, False, 1)
        gate.set()
        await settle()
        assert (awaited.done(), tasks.unfinished, len(tasks)) == (True, 0, 0)
        stays = tasks.finish(asyncio.Event().wait())
        await tasks.cancel()
        assert stays.cancelled()

    asyncio.run(main())


def test_failures_are_heard(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise ValueError("oops")

    def fail_at_once() -> None:
        raise ValueError("at once")

    async def main() -> None:
        tasks = Tasks(asyncio.get_running_loop())
        tasks.spawn(fail())
        tasks.repeating(fail_at_once)()
        await settle()

    with caplog.at_level(logging.ERROR, "hubbub"):
        asyncio.run(main())
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == [
        "at once",
        "oops",
    ]


def test_a_timer_never_runs_twice_at_the_same_time() -> None:
    begun: list[int] = []
    gate = asyncio.Event()

    async def slow() -> None:
        begun.append(1)
        await gate.wait()

    async def main() -> None:
        tasks = Tasks(asyncio.get_running_loop())
        tick = tasks.repeating(slow)
        tick()
        await settle()
        tick()
        await settle()
        assert len(begun) == 1
        gate.set()
        await settle()
        tick()
        await settle()
        assert len(begun) == 2

    asyncio.run(main())


def test_a_timer_may_return_anything(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        tasks = Tasks(asyncio.get_running_loop())
        for value in (0, 3, "text", None):
            tasks.repeating(lambda value=value: value)()
        done = asyncio.get_running_loop().create_future()
        tasks.repeating(lambda: done)()
        await settle()
        assert (len(tasks), tasks.errors) == (1, 0)
        done.set_result(5)
        await settle()
        assert (len(tasks), tasks.errors) == (0, 0)

    asyncio.run(main())
    assert caplog.text == ""
