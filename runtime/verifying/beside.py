"""I6, I8, I10 and I11: numbers, history, attached files and published definitions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.definitions.compiled import CompiledForm
from engine.forms.numbering import PART
from engine.problems import Problem, Refused, problem
from runtime.house import House
from runtime.stages.steps import Unit
from runtime.storage import files, orphans, proofs, snapshots
from runtime.storage.integrity import Standing
from runtime.verifying.address import at

BLOCK = 1 << 20


def numbers(unit: Unit, form: CompiledForm, standings: Iterable[Standing]) -> Iterator[Problem]:
    """I6. Numbers are given by counters without gaps; only a deleted draft leaves one, and history knows of it."""
    for number, times in proofs.numbers_twice(unit.connection, unit.tables, form.key):
        yield problem("verify.number_twice", form=form.label, number=number, times=times)
    pattern = form.definition.number
    if pattern is None:
        return
    given = proofs.counted(unit.connection, form.key)
    used: dict[str, set[int]] = {}
    shape = _shape(pattern)
    for one in standings:
        if found := shape.fullmatch(one.number):
            period = f"{found['prefix']}#{found['suffix']}"
            used.setdefault(period, set()).add(int(found["seq"]))
    gaps = []
    for period, sequences in used.items():
        if max(sequences) > given.get(period, 0):
            yield problem("verify.number_ahead", form=form.label, counter=period, number=max(sequences))
    for period, last in given.items():
        missing = sorted(set(range(1, last + 1)) - used.get(period, set()))
        gaps += [period.replace("#", str(sequence), 1) for sequence in missing]
    if len(gaps) > proofs.deletions(unit.connection, form.key):
        yield problem("verify.number_gap", form=form.label, numbers=", ".join(gaps[:5]), count=len(gaps))


def _shape(pattern: str) -> re.Pattern[str]:
    """The numbers a pattern makes."""
    before, _, after = PART.sub(lambda part: "\0" if part[1] == "seq" else "\1", pattern).partition("\0")
    prefix, suffix = (re.escape(text).replace("\1", r"[-./\d]+") for text in (before, after))
    return re.compile(f"(?P<prefix>{prefix})(?P<seq>\\d+)(?P<suffix>{suffix})")


def histories(unit: Unit, form: CompiledForm) -> Iterator[Problem]:
    """I8. Nothing is there that nobody made."""
    for document in proofs.without_history(unit.connection, unit.tables, form.key):
        yield at(unit, "verify.no_history", form.key, document)


def attachments(unit: Unit, folder: Path) -> Iterator[Problem]:
    """I10. Every row of a file has its bytes, unchanged, and every file a record names has a row."""
    known = set()
    for one in files.every(unit.connection):
        known.add(one.id)
        path = files.path_of(folder, one.id)
        if not path.is_file():
            yield problem("verify.file_gone", file=one.name, id=one.id)
        elif path.stat().st_size != one.size or _digest(path) != one.sha256:
            yield problem("verify.file_changed", file=one.name, id=one.id)
    for missing in sorted(orphans.referred(unit.connection, unit.tables) - known):
        yield problem("verify.file_unknown", id=missing)


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as content:
        while block := content.read(BLOCK):
            found.update(block)
    return found.hexdigest()


def definitions(house: House, unit: Unit) -> Iterator[Problem]:
    """I11. Every version that was ever published still loads, from the very texts it was published with."""
    for info in snapshots.list_of(unit.connection):
        try:
            bundle = house.apps.of_hash(unit.connection, info.hash).bundle
        except Refused as refused:
            reason = refused.problems[0].code if refused.problems else ""
            yield problem("verify.snapshot", version=info.version, snapshot=info.hash[:12], reason=reason)
            continue
        stored = snapshots.load(unit.connection, info.hash)
        if stored is None or house.apps.hash_of(stored.files) != bundle.hash:
            yield problem("verify.snapshot_changed", version=info.version, snapshot=info.hash[:12])
