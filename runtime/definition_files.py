"""Reads the folder of an app from disk into texts by relative path; the engine opens no files.

Takes every YAML file below the folder, whatever its place, so that a misplaced one can be named. Links that lead out of
the folder, and files that are not UTF-8, are problems, never read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from engine.definitions.source import MAX_BYTES
from engine.problems import Problem, problem

SUFFIXES = (".yaml", ".yml")
MAX_FILES = 2_000


def read_definition_files(folder: Path) -> tuple[Mapping[str, str], tuple[Problem, ...]]:
    """The YAML files below ``folder`` (relative path with ``/`` → text), and what could not be read."""
    root = folder.resolve()
    if not root.is_dir():
        return MappingProxyType({}), (problem("definition.no_folder", folder=str(folder)),)
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for path in sorted(each for each in root.rglob("*") if each.suffix in SUFFIXES and each.is_file()):
        name = path.relative_to(root).as_posix()
        if any(part.startswith(".") for part in Path(name).parts):
            continue
        if not path.resolve().is_relative_to(root):
            problems.append(problem("definition.outside_folder", f"{name}:1:1"))
        elif len(texts) >= MAX_FILES:
            problems.append(problem("definition.too_many_files", f"{name}:1:1", most=MAX_FILES))
            break
        elif path.stat().st_size > MAX_BYTES:
            size = path.stat().st_size
            problems.append(problem("definition.too_large", f"{name}:1:1", bytes=size, most=MAX_BYTES))
        else:
            _read(path, name, texts, problems)
    return MappingProxyType(texts), tuple(problems)


def _read(path: Path, name: str, texts: dict[str, str], problems: list[Problem]) -> None:
    data = path.read_bytes()
    try:
        texts[name] = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.append(problem("definition.not_utf8", f"{name}:{line}:1"))
