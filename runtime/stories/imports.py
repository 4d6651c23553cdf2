"""A step that imports a file lying beside the story."""

from __future__ import annotations

from engine.definitions.story import StoryImport
from engine.problems import Problem, Refused, problem
from runtime.facade.door import Door
from runtime.stories.theatre import Performance


def run_import(performance: Performance, door: Door, wanted: StoryImport, name: str) -> tuple[Problem, ...]:
    """Import the file, or undo its import."""
    raise Refused([problem("story.no_file", wanted.file, file=wanted.file)])
