"""Requests over kept-alive connections, timed one by one; blocks of two sides alternate, so that both meet the same
noise. The client is the standard library's, which adds less than a richer one would hide."""

from __future__ import annotations

import http.client
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median

TICKS = os.sysconf("SC_CLK_TCK")
TIMEOUT_S = 120
APART = 100_000

Request = tuple[str, str, Mapping[str, object] | None]
Requests = Callable[[int], Request]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A server under measurement: where it listens, its process, what every request carries."""

    name: str
    port: int
    pid: int
    headers: Mapping[str, str]


@dataclass(slots=True)
class Sample:
    """What was measured of one side.

    Attributes:
        seconds: per request, as the client saw it. wall: of all blocks. cpu: of the server's process.
        statuses: how often each status came back.
    """

    seconds: list[float] = field(default_factory=list)
    wall: float = 0.0
    cpu: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)

    def quantile(self, part: float) -> float:
        """Milliseconds below which ``part`` of the requests stayed."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))] * 1000

    @property
    def p50(self) -> float:
        """Median milliseconds."""
        return median(self.seconds) * 1000

    @property
    def cpu_ms(self) -> float:
        """Processor milliseconds of the server per request."""
        return self.cpu * 1000 / len(self.seconds)

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.seconds) / self.wall


class Caller:
    """One client with its own connection."""

    def __init__(self, side: Side) -> None:
        self._headers = {**side.headers, "Content-Type": "application/json"}
        self._connection = http.client.HTTPConnection("127.0.0.1", side.port, timeout=TIMEOUT_S)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def call(self, request: Request) -> tuple[int, bytes]:
        """Status and body of the answer."""
        method, path, body = request
        sent = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, sent, self._headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def call(side: Side, request: Request) -> tuple[int, bytes]:
    """One request on a connection of its own."""
    caller = Caller(side)
    try:
        return caller.call(request)
    finally:
        caller.close()


def alternate(
    sides: Mapping[str, tuple[Side, Requests]], blocks: int, size: int, clients: int = 1
) -> Mapping[str, Sample]:
    """``blocks`` times ``size`` requests per client of each side in turn; a first block warms up and is not counted.

    No two requests have the same number, those of another count of clients included.
    """
    samples = {name: Sample() for name in sides}
    numbers = count(clients * APART)
    for block in range(blocks + 1):
        for name, (side, requests) in sides.items():
            _block(side, requests, numbers, size, clients, samples[name] if block else Sample())
    return samples


def _block(side: Side, requests: Requests, numbers: Iterator[int], size: int, clients: int, sample: Sample) -> None:
    work = [[requests(next(numbers)) for _ in range(size)] for _ in range(clients)]
    callers = [Caller(side) for _ in range(clients)]
    gate = threading.Barrier(clients + 1)

    def run(place: int) -> list[tuple[float, int]]:
        gate.wait()
        return [_timed(callers[place], request) for request in work[place]]

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(run, place) for place in range(clients)]
        used = cpu_seconds(side.pid)
        gate.wait()
        began = time.perf_counter()
        found = [one for each in running for one in each.result()]
        sample.wall += time.perf_counter() - began
        sample.cpu += cpu_seconds(side.pid) - used
    for caller in callers:
        caller.close()
    for seconds, status in found:
        sample.seconds.append(seconds)
        sample.statuses[status] = sample.statuses.get(status, 0) + 1


def _timed(caller: Caller, request: Request) -> tuple[float, int]:
    began = time.perf_counter()
    status, _ = caller.call(request)
    return time.perf_counter() - began, status


def cpu_seconds(pid: int) -> float:
    """Processor time the process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid: int) -> float:
    """Memory the process holds."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
