"""Work done by several processes, its outcomes in the order in which it was given.

Processes are started anew (`spawn`): they share nothing with the one that starts them, and end with
it even where it is killed. No more is under way than twice their number, so that outcomes that
nobody has taken yet do not fill the memory.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final, TypeVar

from labinterp.errors import LabinterpError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_AHEAD: Final = 2
Task = TypeVar("Task")
Outcome = TypeVar("Outcome")


def in_order(
    prepare: Callable[..., Callable[[Task], Outcome]],
    given: tuple[Any, ...],
    tasks: Iterable[Task],
    workers: int,
) -> Iterator[Outcome]:
    """The outcome of each task.

    Args:
        prepare: makes what does a task, once in each process; a function of a module.
        given: what it is made of; each process is sent a copy.
        tasks: taken only a little ahead of what is done.
        workers: how many processes; with one, this one does everything.

    Raises:
        LabinterpError: a process came to its end.
    """
    if workers > 1:
        yield from _by_processes(prepare, given, tasks, workers)
        return
    do = prepare(*given)
    for task in tasks:
        yield do(task)


def _by_processes(
    prepare: Callable[..., Callable[[Task], Outcome]],
    given: tuple[Any, ...],
    tasks: Iterable[Task],
    workers: int,
) -> Iterator[Outcome]:
    import multiprocessing  # noqa: PLC0415 - one process needs none of it
    from concurrent.futures import Future, ProcessPoolExecutor  # noqa: PLC0415 - see above
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415 - see above

    under_way: deque[Future[Outcome]] = deque()
    executor = ProcessPoolExecutor(
        workers, multiprocessing.get_context("spawn"), _begin, (prepare, given)
    )
    try:
        for task in tasks:
            under_way.append(executor.submit(_done, task))
            if len(under_way) >= _AHEAD * workers:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    except BrokenProcessPool:
        message = "A worker process came to its end; it may have been too much for the memory."
        raise LabinterpError(message, code="worker-ended") from None
    finally:
        executor.shutdown(cancel_futures=True)


_prepared: list[Callable[[Any], Any]] = []
"""What this process does tasks with."""


def _begin(prepare: Callable[..., Callable[[Any], Any]], given: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this one hears it and ends it
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    _prepared.append(prepare(*given))


def _end_with_the_parent() -> None:
    import multiprocessing  # noqa: PLC0415 - as above

    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _done(task: Any) -> Any:
    return _prepared[0](task)
