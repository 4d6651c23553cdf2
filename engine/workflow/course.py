"""One move in the making: the run as it is becoming, and what follows. Mutable, and alive for one move only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from engine.definitions.workflow import ActionStep, SubflowStep
from engine.problems import Problem
from engine.workflow.advanced import Advanced, Copied, Reminded, Timer
from engine.workflow.layout import Layout
from engine.workflow.move import Move
from engine.workflow.recording import Recording
from engine.workflow.state import (
    Asked,
    Due,
    Entry,
    Join,
    Passed,
    Path,
    Run,
    RunStatus,
    Seat,
    SeatKind,
    SeatState,
    Token,
    TokenState,
)

LIVE = (SeatState.OPEN, SeatState.QUEUED)


@dataclass(slots=True)
class Course:
    """The working copy of a run while one move is made.

    Attributes:
        before: the run as it was. at: the moment of the move.
        strict: a question without an answer refuses the move (提交, 退回) instead of leaving the run stuck.
        status … next_id: as in ``Run``.
        copied … resolve: as in ``Advanced``; what the rest of it says is read off the difference of the two runs.
    """

    layout: Layout
    before: Run
    answers: Recording
    at: datetime
    strict: bool = False
    status: RunStatus = RunStatus.RUNNING
    final: bool = False
    next_id: int = 1
    tokens: dict[int, Token] = field(default_factory=dict)
    seats: dict[int, Seat] = field(default_factory=dict)
    joins: dict[Path, Join] = field(default_factory=dict)
    passed: list[Passed] = field(default_factory=list)
    copied: list[Copied] = field(default_factory=list)
    reminded: list[Reminded] = field(default_factory=list)
    actions: list[ActionStep] = field(default_factory=list)
    subflows: list[tuple[int, SubflowStep]] = field(default_factory=list)
    resolve: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, layout: Layout, run: Run, answers: Recording, at: datetime, *, strict: bool = False) -> Course:
        """The working copy of ``run``."""
        return cls(
            layout=layout,
            before=run,
            answers=answers,
            at=at,
            strict=strict,
            status=run.status,
            final=run.final,
            next_id=run.next_id,
            tokens={token.id: token for token in run.tokens},
            seats={seat.id: seat for seat in run.seats},
            joins={join.path: join for join in run.joins},
            passed=list(run.passed),
        )

    def number(self) -> int:
        """A number no token and no seat of the run has had."""
        self.next_id += 1
        return self.next_id - 1

    def place(self, path: Path, node: str, state: TokenState, due: tuple[Due, ...] = ()) -> Token:
        """The run stands at ``path`` from now on."""
        token = Token(id=self.number(), path=path, node=node, state=state, arrived=self.at, due=due)
        self.tokens[token.id] = token
        return token

    def stick(self, path: Path, node: str, reason: Problem) -> None:
        """The run cannot go on at ``path`` until an administrator helps."""
        here = next((token for token in self.tokens.values() if token.path == path), None)
        if here is None:
            here = self.place(path, node, TokenState.STUCK)
        self.end_seats(here.id, SeatState.MOVED)
        self.tokens[here.id] = replace(here, state=TokenState.STUCK, reason=reason, due=())

    def at_token(self, token: int) -> list[Seat]:
        """Every seat there has been at the token."""
        return [seat for seat in self.seats.values() if seat.token == token]

    def seat(
        self,
        token: int,
        asked: Asked,
        kind: SeatKind = SeatKind.MAIN,
        state: SeatState = SeatState.QUEUED,
        parent: int = 0,
        instead: int = 0,
    ) -> Seat:
        """A new seat."""
        seat = Seat(
            id=self.number(),
            token=token,
            user=asked.user,
            role=asked.role,
            state=state,
            kind=kind,
            parent=parent,
            behalf=asked.behalf,
            weight=asked.weight,
            also=asked.also,
            veto=asked.veto,
            instead=instead,
        )
        self.seats[seat.id] = seat
        return seat

    def end_seat(self, seat: int, state: SeatState) -> None:
        """It is no longer asked."""
        self.seats[seat] = replace(self.seats[seat], state=state, decided_at=self.at)

    def end_seats(self, token: int, state: SeatState) -> None:
        """Whoever is still asked at the token no longer is."""
        for seat in self.at_token(token):
            if seat.state in LIVE:
                self.end_seat(seat.id, state)

    def remove(self, token: int) -> None:
        """The run stands there no longer."""
        self.end_seats(token, SeatState.CLOSED)
        del self.tokens[token]

    def clear(self, prefix: Path = ()) -> None:
        """Everything open below ``prefix`` is closed."""
        for token in list(self.tokens.values()):
            if token.path[: len(prefix)] == prefix:
                self.remove(token.id)
        for path in [path for path in self.joins if path[: len(prefix)] == prefix]:
            del self.joins[path]

    def finish(self, status: RunStatus, *, final: bool = False) -> None:
        """The run as a whole ends."""
        self.clear()
        self.status, self.final = status, final

    def run(self, base: Run) -> Run:
        """The run as it has become; ``base`` holds what the course does not track."""
        return replace(
            base,
            status=self.status,
            final=self.final,
            tokens=tuple(self.tokens.values()),
            seats=tuple(self.seats.values()),
            joins=tuple(self.joins.values()),
            passed=tuple(self.passed),
            next_id=self.next_id,
        )

    def advanced(self, base: Run, move: Move) -> Advanced:
        """The outcome of ``move``, with its line of the log."""
        run = replace(self.run(base), entries=self.before.entries + 1)
        old_tokens = {token.id: token for token in self.before.tokens}
        old_seats = {seat.id: seat for seat in self.before.seats}
        was_open = {seat.id for seat in self.before.open_seats()}
        is_open = {seat.id for seat in run.open_seats()}
        return Advanced(
            run=run,
            entry=Entry(number=run.entries, move=move, found=self.answers.found()),
            opened=tuple(seat for seat in run.seats if seat.id in is_open - was_open),
            ended=tuple(seat for seat in run.seats if seat.id in was_open - is_open),
            arrived=tuple(token for token in run.tokens if token.id not in old_tokens),
            cancelled=tuple(number for number in old_tokens if number not in self.tokens),
            timers=tuple(
                Timer(token=token.id, node=token.node, number=due.number, due=due.at)
                for token in run.tokens
                for due in token.due
                if token.id not in old_tokens or due not in old_tokens[token.id].due
            ),
            copied=tuple(self.copied),
            reminded=tuple(self.reminded),
            actions=tuple(self.actions),
            subflows=tuple(self.subflows),
            resolve=tuple(token for token in self.resolve if token in self.tokens),
            granted=tuple(seat for seat in run.seats if seat.granted and seat.id not in old_seats),
        )
