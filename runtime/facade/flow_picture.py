"""The flow of a document as a picture: every step of the definition, and what this run has made of it. Pure.

A run knows where it stands and what it has passed in the present round; its log knows which arms were taken. From both
follows the state of every step: ``passed``, ``present``, ``stuck``, ``future``, ``skipped`` (the way went past it) or
``stopped`` (the run ended there without agreement).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Literal, TypeAlias

from engine.definitions.compiled import CompiledWorkflow
from engine.definitions.workflow import (
    Arm,
    Asking,
    BranchStep,
    EndStep,
    ParallelStep,
    Step,
    arms_of,
    step_kind,
)
from engine.labels import Language
from engine.workflow.move import MoveKind
from engine.workflow.state import Entry, Path, Run, RunStatus, Token, TokenState

State: TypeAlias = Literal["passed", "present", "stuck", "future", "skipped", "stopped"]
Place: TypeAlias = Literal["behind", "here", "ahead", "apart"]
Say: TypeAlias = Callable[..., str]
ROUND_BEGINS = (MoveKind.START, MoveKind.REACTIVATE, MoveKind.MIGRATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureAct:
    """Somebody at a step: what was done and when, or (``waiting``) that it is theirs to do.

    Attributes:
        since: when it came to them. at: when they acted; None while they are waited for.
        action: the word for the act; ``kind`` its name.
    """

    user: str
    action: str = ""
    kind: str = ""
    since: datetime | None = None
    at: datetime | None = None
    due: datetime | None = None
    remark: str = ""
    waiting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureArm:
    """One arm of a branching step. ``implied``: the way past all arms, which nobody wrote down."""

    label: str
    state: State
    steps: tuple[PictureStep, ...] = ()
    implied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureStep:
    """One step.

    Attributes:
        id: its path as text, ``start`` or ``finish``. key: of a node; empty for branching steps and ends.
        kind: ``approve``, ``fill``, ``notify``, ``branch`` … ; ``start`` and ``finish``.
        note: whom it asks and how many must agree, what it waits for, or why it is stuck.
    """

    id: str
    key: str
    kind: str
    label: str
    state: State
    note: str = ""
    acts: tuple[PictureAct, ...] = ()
    arms: tuple[PictureArm, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The whole flow, from ``start`` to ``finish``; ``status`` of the run, or ``none`` without one."""

    label: str
    status: str
    steps: tuple[PictureStep, ...]

    def states(self) -> Mapping[str, str]:
        """State of every node with a key."""
        return {step.key: step.state for step in every_step(self.steps) if step.key}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told about a run beside the run itself.

    Attributes:
        arms: per branching step (path as text) the arms last taken in this round.
        acts: per node, who acted in this round and who is waited for. started: who submitted.
        stopped: nodes at which the run stood when it ended without agreement.
        reasons: per stuck node, why, in the reader's language.
        roles: names of roles, for nodes nobody has come to yet.
    """

    arms: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    acts: Mapping[str, tuple[PictureAct, ...]] = field(default_factory=lambda: MappingProxyType({}))
    started: PictureAct | None = None
    stopped: frozenset[str] = frozenset()
    reasons: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    roles: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def every_step(steps: Iterable[PictureStep]) -> Iterable[PictureStep]:
    """All steps, those in arms included, in reading order."""
    for step in steps:
        yield step
        for arm in step.arms:
            yield from every_step(arm.steps)


def arms_taken(entries: Sequence[Entry]) -> Mapping[str, tuple[int, ...]]:
    """Which arms were taken last in the present round, per branching step."""
    taken: dict[str, tuple[int, ...]] = {}
    for entry in entries:
        if entry.move.kind in ROUND_BEGINS:
            taken = {}
        taken.update(entry.found.arms)
    return taken


def open_places(flow: CompiledWorkflow, run: Run, arms: Mapping[str, tuple[int, ...]]) -> frozenset[str]:
    """Nodes a run that was ended from outside stood at: the first not passed, in every arm that was still open."""
    return frozenset(_standing(flow.steps, (), frozenset(one.node for one in run.passed), arms))


def picture(flow: CompiledWorkflow, run: Run | None, told: Told, language: Language, say: Say) -> Picture:
    """Draw ``flow`` as ``run`` has walked it; without a run, as it is written."""
    status = str(run.status) if run is not None else "none"
    artist = _Artist(flow, run, told, language, say)
    steps = artist.steps(flow.steps, (), artist.whole())
    begun: State = "passed" if run is not None else "future"
    acts = (told.started,) if told.started is not None else ()
    start = PictureStep(id="start", key="", kind="start", label=say("flow.start"), state=begun, acts=acts)
    return Picture(
        label=flow.definition.label.text(language), status=status, steps=(start, *steps, artist.finish(status))
    )


@dataclass(frozen=True, slots=True)
class _Artist:
    """Draws one flow."""

    flow: CompiledWorkflow
    run: Run | None
    told: Told
    language: Language
    say: Say

    def whole(self) -> Place:
        """Where the outermost list stands."""
        if self.run is None:
            return "ahead"
        if self.run.status is RunStatus.APPROVED:
            return "behind"
        return "here" if self._marks() else "apart"

    def finish(self, status: str) -> PictureStep:
        """The end of the flow."""
        ended: dict[str, State] = {"none": "future", "running": "future", "approved": "passed"}
        label = self.say("flow.finish" if status in ("none", "running") else f"flow.status_{status}")
        return PictureStep(id="finish", key="", kind="finish", label=label, state=ended.get(status, "stopped"))

    def steps(self, steps: Sequence[Step], prefix: Path, place: Place, *, cut: bool = False) -> tuple[PictureStep, ...]:
        """The steps of one list. ``cut``: it may have been left before its end (an arm of a parallel step)."""
        depth = len(prefix)
        standing = [path[depth] for path in self._marks() if len(path) > depth and path[:depth] == prefix]
        if place == "here" and not standing:
            place, cut = "behind", True  # an arm in which nothing stood any more when the run ended
        drawn: list[PictureStep] = []
        for number, step in enumerate(steps):
            path = (*prefix, number)
            here = place
            if place == "here":
                here = "here" if number in standing else "behind" if number < max(standing) else self._after()
            made = self.step(step, path, here, cut=cut)
            if here == "behind" and made.state == "skipped" and cut and isinstance(step, Asking):
                place = "apart"
            if here == "behind" and isinstance(step, EndStep):
                place = "apart"
            if here == "behind" and _ends(made):
                place = "apart"
            drawn.append(made)
        return tuple(drawn)

    def step(self, step: Step, path: Path, place: Place, *, cut: bool = False) -> PictureStep:
        """One step with everything in it."""
        key = str(getattr(step, "key", ""))
        arms = arms_of(step)
        state = self._branching(place) if arms else self._state(step, key, path, place)
        own = getattr(step, "label", None)
        kind = step_kind(step)
        label = own.text(self.language) if own is not None else self.say(f"flow.kind_{kind}")
        if isinstance(step, EndStep) and own is None:
            label = self.say(f"flow.status_{step.end}")
        return PictureStep(
            id=".".join(map(str, path)),
            key=key,
            kind=kind,
            label=label,
            state=state,
            note=self._note(step, key, path, state),
            acts=self.told.acts.get(key, ()) if key and state not in ("future", "skipped") else (),
            arms=self._arms(step, arms, path, place, cut=cut) if arms else (),
        )

    def _arms(self, step: Step, arms: Sequence[Arm], path: Path, place: Place, *, cut: bool) -> tuple[PictureArm, ...]:
        started, ended = self._taken(step, path, place)
        alone = isinstance(step, BranchStep)
        drawn = []
        for number, arm in enumerate(arms):
            inside = self._inside(number, place, started, ended)
            label = arm.label.text(self.language) if arm.label else arm.when or ""
            if not label and not isinstance(step, ParallelStep):
                label = self.say("flow.otherwise" if alone else "flow.always")
            steps = self.steps(arm.steps, (*path, number), inside, cut=cut or not alone)
            state = _state_of("behind" if inside == "here" and not self._running() else inside)
            drawn.append(PictureArm(label=label, state=state, steps=steps))
        if not isinstance(step, ParallelStep) and all(arm.when is not None for arm in arms):
            past: State = "future" if place == "ahead" else "skipped"
            if place == "behind" and started == ():
                past = "passed"
            drawn.append(PictureArm(label=self.say("flow.otherwise"), state=past, implied=True))
        return tuple(drawn)

    def _taken(self, step: Step, path: Path, place: Place) -> tuple[tuple[int, ...] | None, tuple[int, ...] | None]:
        """Arms that were started, and those that have ended; None where it is not known."""
        join = next((join for join in self.run.joins if join.path == path), None) if self.run is not None else None
        if join is not None:
            return join.started, join.ended
        if place in ("ahead", "apart"):
            return None, None
        if isinstance(step, ParallelStep):
            return tuple(range(len(step.parallel))), None
        taken = self.told.arms.get(".".join(map(str, path)))
        if taken is not None and isinstance(step, BranchStep):
            taken = taken[:1]
        if taken is None and place == "here":
            depth = len(path)
            taken = tuple(sorted({mark[depth] for mark in self._marks() if mark[:depth] == path and len(mark) > depth}))
        return taken, None

    def _inside(self, arm: int, place: Place, started: tuple[int, ...] | None, ended: tuple[int, ...] | None) -> Place:
        if started is None or place in ("ahead", "apart"):
            return "ahead" if place == "ahead" else "apart"
        if arm not in started:
            return "apart"
        if place == "behind" or (ended is not None and arm in ended):
            return "behind"
        return "here"

    def _branching(self, place: Place) -> State:
        if place == "here":
            return "present" if self._running() else "passed"
        return _state_of(place)

    def _state(self, step: Step, key: str, path: Path, place: Place) -> State:
        token = self._token(path)
        if token is not None:
            return "stuck" if token.state is TokenState.STUCK else "present"
        if key in self.told.stopped and not self._running():
            return "stopped"
        if self.run is not None and any(one.path == path for one in self.run.passed):
            return "passed"
        if isinstance(step, Asking) and place == "behind":
            return "skipped"
        return _state_of(place)

    def _note(self, step: Step, key: str, path: Path, state: State) -> str:
        if state == "stuck":
            return self.told.reasons.get(key, self.say("flow.stuck"))
        token = self._token(path)
        if token is not None and token.state is not TokenState.PEOPLE:
            due = next((due.at for due in token.due), None)
            word = self.say(f"flow.waits_{token.state}")
            return f"{word} · {due:%Y-%m-%d %H:%M}" if due is not None else word
        return asked_words(step, self.told.roles, self.say) if isinstance(step, Asking) else ""

    def _marks(self) -> list[Path]:
        """Where it stands, or stood when it ended without agreement."""
        if self.run is None:
            return []
        if self._running():
            # A parallel step whose open arms all wait elsewhere is a place too.
            return [*(token.path for token in self.run.tokens), *(join.path for join in self.run.joins)]
        if self.run.status is RunStatus.APPROVED:
            return []
        return [self.flow.paths[key] for key in self.told.stopped if key in self.flow.paths]

    def _token(self, path: Path) -> Token | None:
        if self.run is None or not self._running():
            return None
        return next((token for token in self.run.tokens if token.path == path), None)

    def _running(self) -> bool:
        return self.run is not None and self.run.status is RunStatus.RUNNING

    def _after(self) -> Place:
        """What lies behind the place where it stands: still to come, or never reached."""
        return "ahead" if self._running() else "apart"


def _standing(
    steps: Sequence[Step], prefix: Path, passed: frozenset[str], arms: Mapping[str, tuple[int, ...]]
) -> tuple[str, ...]:
    """The first node not passed; of arms side by side, the first of each that was open."""
    for number, step in enumerate(steps):
        path = (*prefix, number)
        inside = arms_of(step)
        if not inside:
            key = str(getattr(step, "key", ""))
            if key and key not in passed:
                return (key,)
            continue
        taken = arms.get(".".join(map(str, path)), tuple(range(len(inside))))
        found = [
            key
            for arm, each in enumerate(inside)
            if arm in taken
            for key in _standing(each.steps, (*path, arm), passed, arms)
        ]
        gone_on = any(not passed.isdisjoint(_keys(later)) for later in steps[number + 1 :])
        if found and not gone_on:
            return tuple(found[:1]) if isinstance(step, BranchStep) else tuple(found)
    return ()


def _keys(step: Step) -> Iterable[str]:
    """Keys of a step and of everything in its arms."""
    yield str(getattr(step, "key", ""))
    for arm in arms_of(step):
        for each in arm.steps:
            yield from _keys(each)


def asked_words(step: Asking, roles: Mapping[str, str], say: Say) -> str:
    """Whom a node asks and how many must agree, in words."""
    people = []
    for who in step.persons:
        way = next(iter(who.given()), "initiator")
        value = getattr(who, way)
        if way == "role":
            people.append(roles.get(str(value), str(value)))
        elif way == "member":
            people.append(say("list.comma").join((value,) if isinstance(value, str) else value))
        elif way == "chosen":
            people.append(say(f"flow.who_chosen_{value.by}"))
        elif way == "supervisor":
            people.append(say("flow.who_supervisor", level=value))
        elif way == "supervisors_up_to":
            people.append(say("flow.who_supervisors", role=roles.get(str(value), str(value))))
        else:
            people.append(say(f"flow.who_{way}"))
    words = say("list.comma").join(people)
    mode = str(getattr(step, "mode", "any"))
    return f"{words} · {say(f'flow.mode_{mode}')}" if mode != "any" else words


def _state_of(place: Place) -> State:
    states: dict[Place, State] = {"behind": "passed", "here": "present", "ahead": "future", "apart": "skipped"}
    return states[place]


def _ends(step: PictureStep) -> bool:
    """Whether the way ended inside the step, so that nothing after it was reached."""
    return any(
        arm.state == "passed" and any(one.kind == "end" and one.state == "passed" for one in every_step(arm.steps))
        for arm in step.arms
    )
