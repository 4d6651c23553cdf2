"""A step that imports a file lying beside the story, or takes the import of one back."""

from __future__ import annotations

from engine.definitions.story import StoryImport
from engine.problems import Problem, Refused, problem
from runtime.facade import imports
from runtime.facade.door import Door
from runtime.stories.theatre import Performance


def run_import(performance: Performance, door: Door, wanted: StoryImport) -> tuple[Problem, ...]:
    """Import the file, or undo its last import; returns the problems of its rows, warnings included.

    Raises:
        Refused: the file is not there or cannot be read, or the person may not import it.
    """
    if wanted.undo:
        made = performance.imported.get((wanted.form, wanted.file))
        if made is None:
            raise Refused([problem("story.not_imported", wanted.file, file=wanted.file)], "missing")
        return tuple(kept.problem for kept in imports.take_back(door, made))
    number = imports.upload(door, wanted.form, wanted.file.rpartition("/")[2], [_content(performance, wanted.file)])
    mapping = imports.mapping_by_header(door, number, wanted.mapping) if wanted.mapping else None
    imports.configure(door, number, mapping=mapping, mode=wanted.mode, action=wanted.action)
    imports.perform(door, number)
    performance.imported[wanted.form, wanted.file] = number
    return imports.row_problems(door, number)


def _content(performance: Performance, name: str) -> bytes:
    folder = performance.folder.resolve()
    path = (folder / name).resolve()
    if not path.is_relative_to(folder) or not path.is_file():
        raise Refused([problem("story.no_file", name, file=name)], "missing")
    return path.read_bytes()
