"""Where the steps of a flow picture stand: boxes, lines and words in pixels. Pure arithmetic; the template draws them.

Two drawings of one picture. ``rail``: one column for a phone or a side panel, arms indented like a railway siding.
``wide``: arms side by side, for a full page. Words are broken here because SVG does not; their width is estimated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from runtime.facade.flow_picture import PictureArm, PictureStep

TITLE_PX, DETAIL_PX = 14, 12
TITLE_LINE, DETAIL_LINE = 20, 17
WIDE = 0x2E7F  # characters from here on are as wide as they are high
CLOSING = "，。、；：？！）》」』”’…"  # never begin a line
NARROW_CHAR = 0.58  # of a Latin letter or figure, in widths of a Chinese one
PAD, MARK = 10, 22
GAP, ARM_GAP = 18, 20
BOX, HEAD, RAIL_STEP = 212, 28, 18
MOST_TITLE, MOST_DETAIL = 2, 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A step, or (``tag``) the words of an arm. ``texts``: (x, baseline, size class, text)."""

    x: float
    y: float
    width: float
    height: float
    state: str
    kind: str
    texts: tuple[tuple[float, float, str, str], ...]
    key: str = ""
    id: str = ""
    tag: bool = False
    pill: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A connecting line through ``points``."""

    points: tuple[tuple[float, float], ...]
    state: str

    @property
    def path(self) -> str:
        """As the ``d`` of an SVG path."""
        return "M" + " L".join(f"{x:g} {y:g}" for x, y in self.points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Everything to be drawn."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


@dataclass(slots=True)
class _Sheet:
    """What has been drawn so far."""

    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def line(self, state: str, *points: tuple[float, float]) -> None:
        """A line, unless it leads nowhere."""
        if len(set(points)) > 1:
            self.lines.append(Line(points=points, state="passed" if state in ("passed", "present") else state))

    def done(self, width: float, height: float) -> Drawing:
        """Lines of ways that were taken lie above the others."""
        order = sorted(self.lines, key=lambda line: line.state == "passed")
        return Drawing(width=width, height=height, boxes=tuple(self.boxes), lines=tuple(order))


def text_width(text: str, size: float) -> float:
    """Estimated width in pixels."""
    return sum(size if ord(char) > WIDE or char in CLOSING else size * NARROW_CHAR for char in text)


def broken(text: str, room: float, size: float, most: int) -> tuple[str, ...]:
    """``text`` in at most ``most`` lines no wider than ``room``; what is left over becomes an ellipsis."""
    lines: list[str] = []
    line = ""
    for piece in _pieces(text):
        if line and text_width(line + piece, size) > room:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
        while text_width(line, size) > room and len(line) > 1:
            cut = next(n for n in range(len(line), 0, -1) if n == 1 or text_width(line[:n], size) <= room)
            lines.append(line[:cut])
            line = line[cut:]
    if line.strip():
        lines.append(line.rstrip())
    if len(lines) > most:
        kept = lines[most - 1]
        while kept and text_width(kept + "…", size) > room:
            kept = kept[:-1]
        lines = [*lines[: most - 1], kept + "…"]
    return tuple(lines)


def _pieces(text: str) -> list[str]:
    """Words with the space after them; a Chinese character stands alone, with the mark that follows it."""
    pieces: list[str] = []
    for char in text:
        joins = char in CLOSING
        if pieces and ord(char) <= WIDE and not pieces[-1].endswith(" ") and ord(pieces[-1][-1]) <= WIDE:
            joins = True
        if pieces and joins:
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def _words(step: PictureStep, details: Sequence[str], room: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    titles = broken(step.label, room - MARK, TITLE_PX, MOST_TITLE)
    lines = [line for text in details for line in broken(text, room, DETAIL_PX, 2)]
    return titles, tuple(lines[:MOST_DETAIL])


def _box(step: PictureStep, details: Sequence[str], x: float, y: float, width: float) -> Box:
    pill = bool(step.arms) or step.kind in ("start", "finish", "end")
    titles, lines = _words(step, details, width - 2 * PAD)
    if step.arms:
        height: float = HEAD
        titles, lines = titles[:1], ()
    else:
        height = 2 * 8 + len(titles) * TITLE_LINE + len(lines) * DETAIL_LINE
    texts = [(x + PAD + MARK, y + 8 + n * TITLE_LINE + 14.5, "title", line) for n, line in enumerate(titles)]
    if step.arms:
        texts = [(x + PAD + MARK, y + HEAD / 2 + 5, "head", line) for line in titles]
    top = y + 8 + len(titles) * TITLE_LINE
    texts += [(x + PAD, top + n * DETAIL_LINE + 12.5, "detail", line) for n, line in enumerate(lines)]
    return Box(
        x=x, y=y, width=width, height=height, state=step.state, kind=step.kind, texts=tuple(texts), key=step.key,
        id=step.id, pill=pill,
    )  # fmt: skip


def _tag(arm: PictureArm, x: float, y: float, room: float) -> Box | None:
    lines = broken(arm.label, room - 2 * PAD, DETAIL_PX, 2) if arm.label else ()
    if not lines:
        return None
    width = max(text_width(line, DETAIL_PX) for line in lines) + 2 * PAD
    texts = tuple((x + PAD, y + 4 + n * DETAIL_LINE + 12.5, "detail", line) for n, line in enumerate(lines))
    height = 8 + len(lines) * DETAIL_LINE
    return Box(x=x, y=y, width=width, height=height, state=arm.state, kind="arm", texts=texts, tag=True)


Details: TypeAlias = Mapping[str, Sequence[str]]


def rail(steps: Sequence[PictureStep], details: Details, width: float = 320) -> Drawing:
    """One column of ``width`` pixels. ``details``: by id of a step, its lines below the title."""
    sheet = _Sheet()
    bottom, _ = _rail_list(sheet, steps, details, 10, 4, width - 1)
    return sheet.done(width, bottom + 4)


def _rail_list(
    sheet: _Sheet, steps: Sequence[PictureStep], details: Details, x: float, y: float, width: float
) -> tuple[float, float]:
    """Draw a list of steps along the rail at ``x``; returns where it ends, and how far down the rail has come."""
    previous: tuple[float, str] | None = None
    for step in steps:
        box = _box(step, details.get(step.id, ()), x + 14, y, width - x - 14)
        sheet.boxes.append(box)
        middle = y + min(box.height / 2, 18)
        if previous is not None:
            sheet.line(_way(previous[1], step.state), (x, previous[0]), (x, middle))
        sheet.line(step.state, (x, middle), (x + 14, middle))
        y = box.y + box.height
        previous = (middle, step.state)
        if step.arms:
            y = _rail_arms(sheet, step, details, x, y, width)
            straight = step.state if step.state != "present" else "future"
            sheet.line("future" if straight == "passed" else straight, (x, middle), (x, y))
            previous = (y, step.state if step.state != "present" else "future")
        y += GAP
    return y - GAP, previous[0] if previous is not None else y


def _rail_arms(sheet: _Sheet, step: PictureStep, details: Details, x: float, y: float, width: float) -> float:
    inner = x + RAIL_STEP
    top = y - HEAD / 2
    for arm in step.arms:
        y += 8
        tag = _tag(arm, inner + 8, y, width - inner - 8) or _tag(replace(arm, label="·"), inner + 8, y, 60)
        assert tag is not None
        middle = y + tag.height / 2
        sheet.boxes.append(tag)
        sheet.line(arm.state, (x, top), (x, middle), (inner + 8, middle))
        y += tag.height + 8
        end = middle
        if arm.steps:
            first = y + 16
            y, end = _rail_list(sheet, arm.steps, details, inner, y, width)
            sheet.line(_way(arm.state, arm.steps[0].state), (inner, middle), (inner, first))
        low = y + 6
        sheet.line(_left(arm), (inner, end), (inner, low), (x, low))
        y = low
    return y + 4


def wide(steps: Sequence[PictureStep], details: Details) -> Drawing:
    """Arms side by side, centred."""
    sheet = _Sheet()
    width = max(_wide_width(steps), BOX) + 16
    bottom = _wide_list(sheet, steps, details, width / 2, 8)
    return sheet.done(width, bottom + 8)


def _wide_width(steps: Sequence[PictureStep]) -> float:
    return max((_step_width(step) for step in steps), default=0)


def _step_width(step: PictureStep) -> float:
    if not step.arms:
        return BOX
    return max(sum(_arm_width(arm) for arm in step.arms) + ARM_GAP * (len(step.arms) - 1), BOX)


def _arm_width(arm: PictureArm) -> float:
    tag = _tag(arm, 0, 0, BOX)
    return max(_wide_width(arm.steps), tag.width if tag is not None else 0, 72)


def _wide_list(sheet: _Sheet, steps: Sequence[PictureStep], details: Details, center: float, y: float) -> float:
    for number, step in enumerate(steps):
        if number:
            sheet.line(_way(steps[number - 1].state, step.state), (center, y), (center, y + GAP))
            y += GAP
        narrow = min(BOX, text_width(step.label, TITLE_PX) + 2 * PAD + MARK + 8) if step.arms else BOX
        box = _box(step, details.get(step.id, ()), center - narrow / 2, y, narrow)
        sheet.boxes.append(box)
        y += box.height
        if step.arms:
            y = _wide_arms(sheet, step, details, center, y)
    return y


def _wide_arms(sheet: _Sheet, step: PictureStep, details: Details, center: float, top: float) -> float:
    widths = [_arm_width(arm) for arm in step.arms]
    total = sum(widths) + ARM_GAP * (len(widths) - 1)
    fork = top + GAP / 2
    left, ends = center - total / 2, []
    for arm, width in zip(step.arms, widths, strict=True):
        middle, y = left + width / 2, fork + GAP / 2
        sheet.line(arm.state, (center, top), (center, fork), (middle, fork), (middle, y))
        tag = _tag(arm, 0, y, BOX)
        if tag is not None:
            move = middle - tag.width / 2
            texts = tuple((x + move, base, size, text) for x, base, size, text in tag.texts)
            sheet.boxes.append(replace(tag, x=move, texts=texts))
            y += tag.height
        if arm.steps:
            sheet.line(_way(arm.state, arm.steps[0].state), (middle, y), (middle, y + GAP))
            y = _wide_list(sheet, arm.steps, details, middle, y + GAP)
        ends.append((middle, y))
        left += width + ARM_GAP
    merge = max(y for _, y in ends) + GAP / 2
    for arm, (middle, y) in zip(step.arms, ends, strict=True):
        sheet.line(_left(arm), (middle, y), (middle, merge), (center, merge))
    return merge


def _way(before: str, after: str) -> str:
    """Whether the line between two steps was walked."""
    return "passed" if before == "passed" and after in ("passed", "present", "stuck", "stopped") else "future"


def _left(arm: PictureArm) -> str:
    """Whether the end of the arm was reached."""
    last = arm.steps[-1].state if arm.steps else arm.state
    return "passed" if arm.state == "passed" and last == "passed" else "future"
