"""The closed set of things a decision may ask for. Decisions return them; the outbox stores them; jobs perform them.

An effect is plain data with a stable ``kind`` and a JSON form, because it is written to the outbox in the business
transaction and performed later, at least once. Whoever performs one must therefore be idempotent under the outbox id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar, TypeAlias

from engine.labels import Label


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who should get a task or a message: users, and everybody holding one of the roles."""

    users: tuple[int, ...] = ()
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTask:
    """A to-do (待办) that stays until somebody does it or ``once_key`` recovers."""

    kind: ClassVar[str] = "create_task"
    to: Audience
    title: Label
    form: str = ""
    document: int | None = None
    once_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseTask:
    """Close the open task that was created under ``once_key``; the condition recovered."""

    kind: ClassVar[str] = "close_task"
    once_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """A message (消息) to read; nothing waits for it."""

    kind: ClassVar[str] = "notify"
    to: Audience
    title: Label
    form: str = ""
    document: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartDocument:
    """Create a follow-up document by push-down from a source and, if asked, submit or approve it."""

    kind: ClassVar[str] = "start_document"
    form: str
    source_form: str
    source_document: int
    variant: str = ""
    action: str = "save"


Effect: TypeAlias = CreateTask | CloseTask | Notify | StartDocument


def effect_json(effect: Effect) -> Mapping[str, object]:
    """The JSON form kept in the outbox: the fields of the effect and its ``kind``."""
    return {"kind": effect.kind, **asdict(effect)}


def effect_from_json(data: Mapping[str, object]) -> Effect:
    """Inverse of ``effect_json``. Raises ``KeyError`` for an unknown kind."""
    fields = dict(data)
    kind = str(fields.pop("kind"))
    makers: Mapping[str, Callable[..., Effect]] = {
        maker.kind: maker for maker in (CreateTask, CloseTask, Notify, StartDocument)
    }
    if isinstance(fields.get("to"), Mapping):
        to: Mapping[str, list[object]] = fields["to"]  # type: ignore[assignment]
        fields["to"] = Audience(
            users=tuple(int(str(user)) for user in to.get("users", [])),
            roles=tuple(str(role) for role in to.get("roles", [])),
        )
    if isinstance(fields.get("title"), Mapping):
        title: Mapping[str, str] = fields["title"]  # type: ignore[assignment]
        fields["title"] = Label(zh=title["zh"], en=title.get("en", ""))
    return makers[kind](**fields)
