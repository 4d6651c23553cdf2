"""A process that does nothing but execute jobs, until it is told to stop.

SIGTERM and SIGINT let running jobs end first; a second one ends the process at once, and the jobs go to another worker.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

from runtime.jobs.contract import Handlers
from runtime.jobs.engine import JobEngine

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def work_until_stopped(engine: JobEngine, handlers: Handlers, started: Callable[[str], None]) -> None:
    """Execute jobs in the main thread's process; ``started`` is told the worker's name. Closes the engine.

    Raises ``Refused`` when no worker can start here.
    """
    stopping = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)

    for each in SIGNALS:
        signal.signal(each, stop)
    try:
        worker = engine.worker(handlers)
        try:
            started(worker.executor)
            stopping.wait()
        finally:
            worker.close()
    finally:
        engine.close()
