"""Processes around a house, to be killed: workers and a receiver of messages; and a clerk who posts beside them.

All of them go by one clock that can be moved (`MovedClock`).
"""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path

import sqlalchemy as sa

from bench.load import cpu_seconds
from bench.servers import free_port
from engine.problems import Refused
from runtime.house import wall_clock
from runtime.house_jobs import engine_house
from runtime.jobs.process import work_until_stopped
from runtime.messages.catalogue import load_catalogue
from runtime.plugin_loading import load_plugins
from runtime.settings import Settings

WORKSPACE = "acme"
PATIENCE_S = 120
PRELOADED = ("bench.job_processes", "runtime.jobs.execution", "runtime.jobs.takeover")


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedClock:
    """The wall clock, put forward by the seconds a file says; every process that has the file shows the same time."""

    file: Path

    def __call__(self) -> datetime:
        """Now, naive, to the second."""
        return wall_clock() + timedelta(seconds=self.ahead)

    @property
    def ahead(self) -> int:
        """Seconds before the wall clock."""
        return int(self.file.read_text()) if self.file.exists() else 0

    def wait(self, **amount: float) -> None:
        """Let time pass for everybody."""
        fresh = self.file.with_suffix(".fresh")
        fresh.write_text(str(self.ahead + int(timedelta(**amount).total_seconds())))
        fresh.rename(self.file)


class Workers:
    """Processes that work for a yard. The context is a fork server, so that starting one more takes a moment."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._arguments = (settings, folder)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(PRELOADED))
        self._used = 0.0
        self.running: list[BaseProcess] = []

    def start(self, number: int = 1) -> None:
        """Start some, and return once all of them execute jobs."""
        fresh = [self._context.Process(target=work, args=self._arguments) for _ in range(number)]
        for process in fresh:
            process.start()
        for process in fresh:
            path = self._arguments[1] / f"ready-{process.pid}"
            until(lambda path=path, process=process: path.exists() or not process.is_alive(), "a worker")  # type: ignore[misc]
            if not path.exists():
                raise RuntimeError(f"a worker ended with {process.exitcode}")
        self.running += fresh

    def kill(self) -> int | None:
        """``kill -9`` for the first of them; returns how it ended."""
        process = self.running.pop(0)
        self._used += cpu_seconds(process.pid or 0)
        process.kill()
        process.join(PATIENCE_S)
        return process.exitcode

    def ended(self) -> list[int | None]:
        """How those ended that ended by themselves, after all of them have."""
        gone, self.running = self.running, []
        for process in gone:
            process.join(PATIENCE_S)
        return [process.exitcode for process in gone]

    def cpu(self) -> float:
        """Processor seconds of all that were started so far; of one that was killed, what it had used until then."""
        return self._used + sum(cpu_seconds(process.pid or 0) for process in self.running)

    def stop(self) -> None:
        """Let what is running come to its end."""
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.join(PATIENCE_S)
            process.kill()
        self.running = []


def work(settings: Settings, folder: Path) -> None:
    """Work until SIGTERM; leaves a file ``ready-<pid>`` when jobs are being taken."""
    with (folder / f"worker-{os.getpid()}.log").open("w") as told:
        os.dup2(told.fileno(), 1)
        os.dup2(told.fileno(), 2)
    installed = load_plugins()
    clock = MovedClock(file=folder / "clock")
    wired = engine_house(settings, installed.kinds, load_catalogue(), plugins=installed.plugins, clock=clock)
    wired.house.published(wired.house.workspace(WORKSPACE))
    try:
        work_until_stopped(wired.engine, wired.handlers, lambda name: (folder / f"ready-{os.getpid()}").touch())
    finally:
        wired.close()


class Receiver:
    """A process that takes messages at a port and writes down which; while it is stopped nobody listens there."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.log = folder / "arrived"
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(PRELOADED))
        self._process: BaseProcess | None = None

    def start(self) -> None:
        """Listen."""
        ready = self._context.Event()
        self._process = self._context.Process(target=receive, args=(self.port, self.log, ready), daemon=True)
        self._process.start()
        if not ready.wait(PATIENCE_S):
            raise RuntimeError("the receiver does not come up")

    def stop(self) -> None:
        """Be gone, as by a power cut."""
        if self._process is not None:
            self._process.kill()
            self._process.join(PATIENCE_S)
            self._process = None

    def forget(self) -> None:
        """Write down from the beginning."""
        self.log.write_text("")

    def arrived(self) -> Counter[tuple[str, int]]:
        """How often each message came: (id, the number it carries)."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return Counter((line.split()[0], int(line.split()[1])) for line in lines)


def receive(port: int, log: Path, ready: Event) -> None:
    """Answer 200 to every message, once it is written down."""
    lock = threading.Lock()
    with log.open("a", buffering=1) as arrived:

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                with lock:
                    arrived.write(f"{self.headers['webhook-id']} {body['data']['n']}\n")
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

        server = Server(("127.0.0.1", port), Handler)
        ready.set()
        server.serve_forever(poll_interval=0.5)


class Poster(threading.Thread):
    """Posts one receipt after the other, as a clerk beside the jobs; one that got no answer is sent again.

    Attributes:
        seconds: how long each took that got its answer at the first try. again: how many had to be sent again.
        refused: what was said to those that were refused.
    """

    def __init__(self, post: Callable[[str], object], name: str, pause_s: float = 0.1) -> None:
        super().__init__(daemon=True)
        self._post, self._name, self._pause_s = post, name, pause_s
        self._stopping = threading.Event()
        self.seconds: list[float] = []
        self.again = 0
        self.done = 0
        self.refused: list[str] = []

    def run(self) -> None:
        """Post until told to stop."""
        while not self._stopping.wait(self._pause_s):
            self._one(f"{self._name}-{self.done}")

    def stop(self) -> None:
        """Finish the one at hand."""
        self._stopping.set()
        self.join(PATIENCE_S)

    def _one(self, key: str) -> None:
        for attempt in range(1000):
            began = time.perf_counter()
            try:
                self._post(key)
            except Refused as refused:
                self.refused += [one.code for one in refused.problems]
                return
            except sa.exc.DBAPIError:  # the database is away
                self.again += attempt == 0
                time.sleep(0.2)
                continue
            self.done += 1
            if attempt == 0:
                self.seconds.append(time.perf_counter() - began)
            return


def until(condition: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Wait for it. Raises ``TimeoutError``."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen")
        time.sleep(0.05)
