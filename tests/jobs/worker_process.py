"""A worker as a process of its own, to be killed. It is forked from a server that has imported everything already.

Every call of the kind ``slow`` leaves a file ``began-<mark>-<pid>``, waits for the file ``go``, and leaves
``ended-<mark>-<pid>``. The kind ``deadly`` kills the process in the middle of the job. Ends when told to by a signal.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from types import MappingProxyType

from runtime.jobs.contract import JobContext, Payload, Workspace
from runtime.jobs.engine import EngineOptions, JobEngine
from runtime.jobs.process import work_until_stopped


def main(url: str, folder: Path) -> None:
    """Work until SIGTERM."""

    def slow(context: JobContext, payload: Payload) -> None:
        (folder / f"began-{payload['mark']}-{os.getpid()}").touch()
        while not (folder / "go").exists():
            time.sleep(0.02)
        (folder / f"ended-{payload['mark']}-{os.getpid()}").touch()

    def deadly(context: JobContext, payload: Payload) -> None:
        (folder / f"died-{os.getpid()}").touch()
        os.kill(os.getpid(), signal.SIGKILL)

    def no_workspace(key: str) -> Workspace:
        raise LookupError(key)

    def ready(executor: str) -> None:
        # Renamed into place: who waits for the file must never see it empty.
        written = folder / f"writing-{os.getpid()}"
        written.write_text(executor)
        written.rename(folder / f"ready-{os.getpid()}")

    options = EngineOptions(url=url, poll_s=0.05, take_over_every_s=0.5, dead_after_s=1.0)
    engine = JobEngine(options, no_workspace)
    work_until_stopped(engine, MappingProxyType({"slow": slow, "deadly": deadly}), ready)
