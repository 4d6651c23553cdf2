"""Sixteen writers at once: four processes with four threads each, as an installation with four web workers has them."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from engine.built_in import built_in_kinds
from engine.problems import Refused
from runtime.facade import accounts
from runtime.facade.door import Door
from runtime.house import House
from runtime.house_jobs import inline_house
from runtime.messages.catalogue import Catalogue
from runtime.settings import Settings
from tests.houses import WORKSPACE, StillClock

PROCESSES, THREADS = 4, 4
WRITERS = PROCESSES * THREADS
PATIENCE_S = 300

Work = Callable[[Door, int], object]


@dataclass(slots=True)
class Tally:
    """What became of the attempts of all writers.

    Attributes:
        made: what the work returned, in no order. refused: how often each code was given. slowest: seconds of the
            slowest attempt. seconds: from the common start to the last answer.
    """

    made: list[object] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Where the writers write. Close every database of the parent before they start: they are forks."""

    settings: Settings
    catalogue: Catalogue
    clock: StillClock
    keep: Callable[[House], None]

    def at_once(self, work: Work, turns: int = 1) -> Tally:
        """Every writer calls ``work(door, number)`` ``turns`` times, with numbers 0, 1, … that no two share.

        A refusal is an outcome; anything else that is raised fails the test.
        """
        context = multiprocessing.get_context("fork")
        gate, answers = context.Barrier(PROCESSES), context.SimpleQueue()
        running = [
            context.Process(target=self._process, args=(place, turns, work, gate, answers))
            for place in range(PROCESSES)
        ]
        for one in running:
            one.start()
        tally, began = Tally(), 0.0
        for _ in running:
            made, refused, slowest, started, ended = answers.get()
            if isinstance(made, str):
                raise AssertionError(made)
            tally.made += made
            tally.refused += refused
            tally.slowest = max(tally.slowest, slowest)
            began = min(began or started, started)
            tally.seconds = max(tally.seconds, ended)
        for one in running:
            one.join(PATIENCE_S)
        tally.seconds -= began
        return tally

    def _process(self, place: int, turns: int, work: Work, gate: object, answers: object) -> None:
        house, _ = inline_house(self.settings, built_in_kinds(), self.catalogue, self.clock)
        try:
            self.keep(house)
            door = accounts.user_door(house, WORKSPACE, "everybody")
            gate.wait(PATIENCE_S)  # type: ignore[attr-defined]
            answers.put(_threads(door, place, turns, work))  # type: ignore[attr-defined]
        except BaseException as error:
            answers.put((f"{type(error).__name__}: {error}", None, 0, 0, 0))  # type: ignore[attr-defined]
        finally:
            house.close()


def _threads(door: Door, place: int, turns: int, work: Work) -> tuple[list[object], Counter[str], float, float, float]:
    made: list[object] = []
    refused: Counter[str] = Counter()
    taken: list[float] = []
    failed: list[BaseException] = []
    lock = threading.Lock()

    def run(numbers: Sequence[int]) -> None:
        for number in numbers:
            began = time.monotonic()
            try:
                answer, codes = work(door, number), ()
            except Refused as refusal:
                answer, codes = None, tuple(one.code for one in refusal.problems)
            except BaseException as error:
                failed.append(error)
                return
            with lock:
                taken.append(time.monotonic() - began)
                if codes:
                    refused.update(set(codes))
                else:
                    made.append(answer)

    first = place * THREADS
    threads = [
        threading.Thread(target=run, args=([first + slot + turn * WRITERS for turn in range(turns)],))
        for slot in range(THREADS)
    ]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return made, refused, max(taken, default=0.0), began, time.monotonic()
