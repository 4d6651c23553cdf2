"""Acts out one story: what is given, then step after step until one does not go as expected."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

from engine.definitions.story import StoryDef, StoryStep
from engine.problems import Problem, Refused
from runtime.stories.deeds import Deed, do, do_at_once, give
from runtime.stories.expectations import reads_only, unmet
from runtime.stories.theatre import Performance, Theatre

GIVEN = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a story went.

    Attributes:
        step: number of the first step that failed, counted from 1; `GIVEN` when what is given could not be made.
        text: that step in words. problems: everything that was not as expected. steps: how many were done.
    """

    story: StoryDef
    step: int = GIVEN
    text: str = ""
    problems: tuple[Problem, ...] = ()
    steps: int = 0
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether every step went as expected."""
        return not self.problems


def perform(theatre: Theatre, story: StoryDef) -> Result:
    """Act out ``story`` in a workspace of its own."""
    started = perf_counter()
    with theatre.open(story) as performance:
        try:
            give(performance)
        except Refused as refused:
            return Result(story=story, problems=refused.problems, seconds=perf_counter() - started)
        for number, step in enumerate(story.steps, start=1):
            problems = _step(performance, step)
            if problems:
                seconds = perf_counter() - started
                return Result(
                    story=story, step=number, text=told(step), problems=problems, steps=number, seconds=seconds
                )
    return Result(story=story, steps=len(story.steps), seconds=perf_counter() - started)


def _step(performance: Performance, step: StoryStep) -> tuple[Problem, ...]:
    if step.at_once:
        deeds = do_at_once(performance, step.at_once)
    elif reads_only(step):
        deeds = (Deed(),)
    else:
        deeds = (do(performance, step),)
    performance.jobs.drain()
    parked = tuple(one for job in performance.jobs.parked() for one in job.error)
    return (*unmet(performance, step, deeds), *parked)


def told(step: StoryStep) -> str:
    """A step in words: ``as buyer, push purchase_receipt from po, do submit``."""
    parts = [f"as {step.as_}"] if step.as_ else []
    if step.create:
        parts.append(f"create {step.create}")
    if step.push:
        variant = f" ({step.push.variant})" if step.push.variant else ""
        parts.append(f"push {step.push.form} from {step.push.source}{variant}")
    if step.on:
        parts.append(f"on {step.on}")
    if step.edit:
        parts.append("edit")
    if step.delete:
        parts.append("delete")
    if step.close:
        parts.append(f"{'reopen' if step.close.reopen else 'close'} {step.close.through}")
    if step.import_:
        parts.append(f"{'undo import' if step.import_.undo else 'import'} {step.import_.file}")
    if step.do:
        parts.append(f"do {step.do}")
    if step.wait:
        parts.append(f"wait {step.wait}")
    if step.at_once:
        parts.append("at once: " + " | ".join(told(each) for each in step.at_once))
    if reads_only(step):
        parts.append("expect")
    return ", ".join(parts)
