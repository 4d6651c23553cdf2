"""How a story went, as lines: one for the story, and below a failed one its step and every difference."""

from __future__ import annotations

from collections.abc import Iterator

from engine.labels import Language
from runtime.messages.catalogue import Catalogue
from runtime.stories.perform import GIVEN, Result


def lines(result: Result, catalogue: Catalogue, language: Language) -> Iterator[str]:
    """The report of one story: verdict, key, label, seconds; then the failed step and what was wrong with it."""
    story = result.story
    verdict = catalogue.ui("story.passed" if result.passed else "story.failed", language)
    yield f"[{verdict}] {story.story}  {story.label.text(language)}  ({result.seconds:.1f} s)"
    if result.passed:
        return
    if result.step == GIVEN:
        yield "    " + catalogue.ui("story.given", language)
    else:
        total = len(story.steps)
        yield "    " + catalogue.ui("story.step", language, step=result.step, steps=total, text=result.text)
    for problem in result.problems:
        yield "      " + catalogue.line(problem, language)
