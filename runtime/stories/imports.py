"""A step that imports a file lying beside the story, or takes such an import back."""

from __future__ import annotations

from engine.definitions.story import StoryImport
from engine.problems import Problem, Refused, Severity, problem
from runtime.facade import imports
from runtime.facade.door import Door
from runtime.stories.theatre import Performance


def run_import(performance: Performance, door: Door, wanted: StoryImport, name: str) -> tuple[Problem, ...]:
    """Import the file, or undo its import. ``name`` is how a later step may call the batch.

    Raises:
        Refused: the file is missing, cannot be read, or rows of it were refused.
    """
    if wanted.undo:
        kept = imports.take_back(door, _batch(performance, wanted, name))
        if kept:
            raise Refused([one.problem for one in kept])
        return ()
    path = performance.folder / wanted.file
    if not path.is_file():
        raise Refused([problem("story.no_file", wanted.file, file=wanted.file)])
    batch = imports.upload(door, wanted.form, wanted.file, [path.read_bytes()])
    imports.configure(
        door,
        batch,
        mode=wanted.mode,
        action=wanted.action,
        mapping=imports.mapping_by_header(door, batch, wanted.mapping) if wanted.mapping else None,
    )
    performance.batches[wanted.file] = batch
    if name:
        performance.batches[name] = batch
    imports.perform(door, batch)
    found = imports.row_problems(door, batch)
    errors = tuple(one for one in found if one.severity is Severity.ERROR)
    if errors:
        raise Refused(errors)
    return found


def _batch(performance: Performance, wanted: StoryImport, name: str) -> int:
    batch = performance.batches.get(name or wanted.file, performance.batches.get(wanted.file))
    if batch is None:
        raise Refused([problem("story.no_file", wanted.file, file=wanted.file)])
    return batch
