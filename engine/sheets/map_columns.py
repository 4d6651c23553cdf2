"""Which column of a sheet fills which field of a form: labels first, then the dictionary, spelling, and the values.

Every column gets at most one field and every field at most one column; the person confirms. What was confirmed is kept
under the signature of the headings and proposed for the next file of the same make.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from engine.labels import Label
from engine.sheets.aliases import contained, meanings
from engine.sheets.cells import Cell, is_blank, text_of
from engine.sheets.figures import day, looks_like_number
from engine.sheets.headers import Heading, heading, key_of

_NUMERIC = frozenset({"number", "integer", "quantity", "price", "money", "percent"})
_LINK_PARTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "product_name": ("product_code", "barcode"),
        "product_code": ("product_name", "barcode"),
    }
)
_TYPE_MEANINGS: Mapping[str, str] = MappingProxyType({"barcode": "barcode", "phone": "phone", "email": "email"})
_ORDER_BONUS = 4
_ROW_NUMBER = "seq"  # a column that counts the rows fills nothing, whatever its values look like


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A field that can be filled.

    Attributes:
        key: field key. label: what the form calls it. field_type: name of its type. required: must be filled.
        aliases: further headings the form's author gave. table: key of the line table, empty for the document itself.
    """

    key: str
    label: Label
    field_type: str
    required: bool = False
    aliases: tuple[str, ...] = ()
    table: str = ""

    @property
    def path(self) -> str:
        """``qty`` or ``lines.qty``; names the target in mappings."""
        return f"{self.table}.{self.key}" if self.table else self.key


class Why(StrEnum):
    """What a proposal rests on."""

    SAVED = "saved"
    LABEL = "label"
    ALIAS = "alias"
    CONTAINED = "contained"
    NEAR = "near"
    VALUES = "values"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMapping:
    """A proposal for one column.

    Attributes:
        index: column in the sheet from 0. header: heading as written. target: path of the field or ``None``.
        confidence: 0–100. why: what it rests on. hint: unit in the heading's brackets.
    """

    index: int
    header: str
    target: str | None
    confidence: int
    why: Why
    hint: str = ""


class _Claim(NamedTuple):
    score: int
    column: int
    target: int
    why: Why


def map_columns(
    headers: Sequence[tuple[int, str]],
    samples: Mapping[int, Sequence[Cell]],
    targets: Sequence[Target],
    saved: Mapping[str, str] | None = None,
) -> tuple[ColumnMapping, ...]:
    """Propose a field for every column.

    Args:
        headers: column index and heading, left to right.
        samples: column index → some of its cells.
        targets: what the form can take, in the form's order.
        saved: heading key (``mapping_keys``) → target path as confirmed before; an empty path means "not imported".
    """
    heads = [heading(text) for _, text in headers]
    keys = mapping_keys([text for _, text in headers])
    paths = {target.path: n for n, target in enumerate(targets)}
    claims: list[_Claim] = []
    ignored: set[int] = set()
    for n, key in enumerate(keys):
        if saved is not None and key in saved:
            if saved[key] in paths:
                claims.append(_Claim(1000, n, paths[saved[key]], Why.SAVED))
            elif not saved[key]:
                ignored.add(n)
    wanted = [_wanted(target) for target in targets]
    for n, head in enumerate(heads):
        claims += [_Claim(score, n, t, why) for t, score, why in _claims(head, targets, wanted)]
    chosen = _assign([c for c in claims if c.column not in ignored])
    taken = {claim.target for claim in chosen.values()}
    counts = {n for n, head in enumerate(heads) if _ROW_NUMBER in meanings(head.key)[:1]}
    free = [n for n in range(len(headers)) if n not in chosen and n not in ignored and n not in counts]
    for claim in _by_values(free, headers, samples, targets, taken):
        if claim.column not in chosen and claim.target not in taken:
            chosen[claim.column] = claim
            taken.add(claim.target)
    return tuple(
        ColumnMapping(
            index=index,
            header=text,
            target=targets[chosen[n].target].path if n in chosen else None,
            confidence=min(100, chosen[n].score) if n in chosen else (100 if n in ignored else 0),
            why=chosen[n].why if n in chosen else (Why.SAVED if n in ignored else Why.NONE),
            hint=heads[n].hint,
        )
        for n, (index, text) in enumerate(headers)
    )


def mapping_keys(headers: Sequence[str]) -> tuple[str, ...]:
    """Comparing key per heading; a heading that occurs again gets ``#2``, ``#3`` …"""
    seen: dict[str, int] = {}
    keys = []
    for text in headers:
        key = key_of(text)
        seen[key] = seen.get(key, 0) + 1
        keys.append(key if seen[key] == 1 else f"{key}#{seen[key]}")
    return tuple(keys)


def signature(headers: Sequence[str]) -> str:
    """Stable name of a set of headings, whatever their order: 32 hexadecimal digits."""
    return hashlib.sha256("\x1f".join(sorted(mapping_keys(headers))).encode()).hexdigest()[:32]


class _Wanted(NamedTuple):
    labels: frozenset[str]
    aliases: frozenset[str]
    meanings: tuple[str, ...]
    parts: tuple[str, ...]


def _wanted(target: Target) -> _Wanted:
    labels = frozenset(key for key in (key_of(target.label.zh), key_of(target.label.en)) if key)
    own = frozenset(key_of(name) for name in target.aliases)
    found: list[str] = []
    for key in (key_of(target.label.zh), key_of(target.label.en), key_of(target.key), *own):
        found += [m for m in meanings(key)[:1] if m not in found]
    if not found:
        found += contained(key_of(target.label.zh))[1][:1]
    if target.field_type in _TYPE_MEANINGS and _TYPE_MEANINGS[target.field_type] not in found:
        found.append(_TYPE_MEANINGS[target.field_type])
    parts = [part for m in found for part in _LINK_PARTS.get(m, ())] if target.field_type == "link" else []
    return _Wanted(labels, own, tuple(found), tuple(parts))


def _claims(head: Heading, targets: Sequence[Target], wanted: Sequence[_Wanted]) -> Iterator[tuple[int, int, Why]]:
    if not head.key:
        return
    exact = meanings(head.key)
    inner = () if exact else contained(head.key)[1]
    for t, want in enumerate(wanted):
        bonus = _ORDER_BONUS if targets[t].required else 0
        if head.key in want.labels:
            yield t, 110, Why.LABEL
        elif head.key in want.aliases:
            yield t, 100, Why.ALIAS
        elif (rank := _rank(exact, want)) is not None:
            yield t, 90 + bonus - rank, Why.ALIAS
        elif _inside(head.key, want):
            yield t, 70 + bonus, Why.CONTAINED
        elif not exact and any(_near(head.key, name) for name in (*want.labels, *want.aliases)):
            yield t, 65 + bonus, Why.NEAR
        elif (rank := _rank(inner, want)) is not None:
            yield t, 55 + bonus - rank, Why.CONTAINED


def _rank(found: Sequence[str], want: _Wanted) -> int | None:
    """How far the meanings of a heading are from the wanted ones: 0 is best; ``None`` when none fits."""
    best: int | None = None
    for a, meaning in enumerate(found):
        if meaning in want.meanings:
            rank = min(a, 3) + min(want.meanings.index(meaning), 3)
        elif meaning in want.parts:
            rank = (0 if meaning == "product_code" else 6) + min(a, 3)
        else:
            continue
        best = rank if best is None else min(best, rank)
    return best


def _inside(key: str, want: _Wanted) -> bool:
    """A label contained in the heading or the other way round, long enough to mean something."""
    for name in (*want.labels, *want.aliases):
        short, long = sorted((key, name), key=len)
        if len(short) >= (4 if short.isascii() else 2) and len(short) * 2 >= len(long) and long.endswith(short):
            return True
    return False


def _near(one: str, other: str) -> bool:
    """At most one insertion, deletion or replacement apart; both long enough that this is no accident."""
    if min(len(one), len(other)) < 4 or abs(len(one) - len(other)) > 1 or one == other:
        return False
    short, long = sorted((one, other), key=len)
    start = 0
    while start < len(short) and short[start] == long[start]:
        start += 1
    return short[start + (len(short) == len(long)) :] == long[start + 1 :]


def _assign(claims: Sequence[_Claim]) -> dict[int, _Claim]:
    """Best claims first; among equals the column further left, then the field further up."""
    chosen: dict[int, _Claim] = {}
    taken: set[int] = set()
    for claim in sorted(claims, key=lambda c: (-c.score, c.column, c.target)):
        if claim.column not in chosen and claim.target not in taken:
            chosen[claim.column] = claim
            taken.add(claim.target)
    return chosen


def _by_values(
    free: Sequence[int],
    headers: Sequence[tuple[int, str]],
    samples: Mapping[int, Sequence[Cell]],
    targets: Sequence[Target],
    taken: set[int],
) -> Iterator[_Claim]:
    """Columns whose heading says nothing: bar codes, the only date, the only required number."""
    cells = {n: [c for c in samples.get(headers[n][0], ()) if not is_blank(c)] for n in free}
    open_targets = [t for t in range(len(targets)) if t not in taken]
    codes = [n for n in free if cells[n] and all(is_gtin(text_of(c).strip()) for c in cells[n])]
    days = [n for n in free if cells[n] and all(day(c) is not None for c in cells[n])]
    numbers = [n for n in free if n not in codes and cells[n] and all(looks_like_number(c) for c in cells[n])]
    barcode = [
        t for t in open_targets if targets[t].field_type == "barcode" or "barcode" in _wanted(targets[t]).meanings
    ]
    dates = [t for t in open_targets if targets[t].field_type in ("date", "datetime")]
    figures = [t for t in open_targets if targets[t].field_type in _NUMERIC and targets[t].required]
    for columns, fields, score in ((codes, barcode, 45), (days, dates, 40), (numbers, figures, 30)):
        if len(columns) == 1 and fields and (columns is codes or len(fields) == 1):
            yield _Claim(score, columns[0], fields[0], Why.VALUES)


def is_gtin(text: str) -> bool:
    """8, 12, 13 or 14 digits whose last one is the check digit."""
    if len(text) not in (8, 12, 13, 14) or not (text.isascii() and text.isdigit()):
        return False
    digits = [int(c) for c in reversed(text)]
    return (sum(digits[0::2]) + 3 * sum(digits[1::2])) % 10 == 0
