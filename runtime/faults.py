"""Faults on purpose at named steps of a submission: how tests prove that a crash or a conflict leaves all or nothing.

``STOCKLOOM_FAULT=step:action`` or ``step:action:n`` (the n-th time the step is reached; ``*``: every time) is honoured
in test mode only; elsewhere it is refused at the start. Without it a step costs one comparison.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Literal, TypeAlias, get_args

from engine.problems import Refused, problem
from runtime.settings import Settings
from runtime.storage.database import conflict

SubmissionStep: TypeAlias = Literal[
    "begun",  # the document is loaded
    "validated",
    "authorized",
    "written",  # the document and its lines are stored
    "advanced",
    "decided",  # balances are locked, entries and values found
    "appended",  # entries are stored, balances are not
    "balanced",  # balances are stored, layers are not
    "posted",
    "judged",
    "enqueued",  # the outbox is written
    "remembered",  # the idempotency key is kept; the commit comes next
    "committed",  # nothing has been handed over yet
    "handed",  # the job engine has the effects
    "delivering",  # an effect is about to be performed
    "delivered",  # an effect is performed, its transaction not committed
]
SendingStep: TypeAlias = Literal[
    "sending",  # messages to the outside are taken, none is sent
    "sent",  # they are sent, which is not written down yet
]
Step: TypeAlias = SubmissionStep | SendingStep
Action: TypeAlias = Literal["kill", "error", "conflict", "deadlock", "busy", "stall"]
STEPS: tuple[Step, ...] = get_args(SubmissionStep)
SENDING_STEPS: tuple[Step, ...] = get_args(SendingStep)
ACTIONS: tuple[Action, ...] = get_args(Action)
EVERY_TIME = 0
STALL_S = 3.0


@dataclass(frozen=True, slots=True)
class Faults:
    """What happens at which step; by default nothing.

    Attributes:
        action: ``kill``: the process dies as by kill -9. ``error``: an unexpected error. ``conflict``, ``deadlock``,
            ``busy``: what the database says when another writer is in the way (40001, 40P01, SQLITE_BUSY). ``stall``:
            waits three seconds.
        turn: which time the step is reached; 0: every time.
    """

    step: str = ""
    action: Action = "error"
    turn: int = 1
    _reached: count[int] = field(default_factory=lambda: count(1), compare=False, repr=False)

    def reach(self, step: Step) -> None:
        """The submission has come this far."""
        if step == self.step:
            self._strike()

    def _strike(self) -> None:
        if self.turn not in (EVERY_TIME, next(self._reached)):
            return
        if self.action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.action == "stall":
            time.sleep(STALL_S)
        elif self.action == "error":
            raise RuntimeError(f"a fault was asked for at {self.step}")
        else:
            raise conflict(self.action)


NO_FAULTS = Faults()


def faults_of(settings: Settings) -> Faults:
    """The faults an installation asks for.

    Raises:
        Refused: ``setting.fault`` outside test mode, or when the step or the action is not known.
    """
    if not settings.fault:
        return NO_FAULTS
    step, _, rest = settings.fault.partition(":")
    action, _, turn = rest.partition(":")
    known = step in (*STEPS, *SENDING_STEPS) and action in ACTIONS and (turn in ("", "*") or turn.isdecimal())
    if not settings.test_mode or not known:
        raise Refused([problem("setting.fault", value=settings.fault)])
    return Faults(step, action, EVERY_TIME if turn == "*" else int(turn or 1))  # type: ignore[arg-type]
