"""The closed set of things a decision may ask for. Decisions return them; the outbox stores them; jobs perform them.

An effect is plain data with a stable ``kind`` and a JSON form, because it is written to the outbox in the business
transaction and performed later, at least once. Whoever performs one must therefore be idempotent under the outbox id.
Values of documents are kept as texts in the form the API takes them, so nothing is rounded on the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias

from engine.labels import Label

Values: TypeAlias = Mapping[str, Any]


def _nothing() -> Values:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Who should get a task or a message: users, and everybody holding one of the roles."""

    users: tuple[int, ...] = ()
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTask:
    """A to-do (待办) that stays until somebody does it or ``once_key`` recovers. ``rule``: which one asked for it."""

    kind: ClassVar[str] = "create_task"
    to: Audience
    title: Label
    form: str = ""
    document: int | None = None
    once_key: str = ""
    due_at: datetime | None = None
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseTask:
    """Close the open task that was created under ``once_key``; the condition recovered."""

    kind: ClassVar[str] = "close_task"
    once_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """A message (消息) to read; nothing waits for it.

    Attributes:
        about: kind of message, by which people choose their channels: ``rule``, ``task``, ``urged``, ``overdue``,
            ``copied``, ``result`` (of what they submitted), ``system``.
        channels: asked for by the author beside the message centre; empty means what each person has chosen.
    """

    kind: ClassVar[str] = "notify"
    to: Audience
    title: Label
    form: str = ""
    document: int | None = None
    body: Label | None = None
    about: str = "rule"
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StartDocument:
    """Create a follow-up document by push-down from a source and, if asked, submit or approve it."""

    kind: ClassVar[str] = "start_document"
    form: str
    source_form: str
    source_document: int
    variant: str = ""
    action: str = "save"
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One write of a rule: a new document (``document`` None), or values and a step for one there is."""

    form: str
    document: int | None = None
    values: Values = field(default_factory=_nothing)
    lines: Mapping[str, Sequence[Values]] = field(default_factory=_nothing)
    action: str = "save"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteDocuments:
    """All writes of one firing of a rule, as submissions in one transaction: all of them happen, or none.

    Attributes:
        chain: the rules whose effects led here, oldest first; its length is the depth at which loops are cut.
        run, token: the sub-flow that waits for the documents made, 0 for none.
    """

    kind: ClassVar[str] = "write_documents"
    writes: tuple[Write, ...]
    rule: str = ""
    chain: tuple[str, ...] = ()
    run: int = 0
    token: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallWebhook:
    """An event for an outbound address of the app; ``data`` is the body's content."""

    kind: ClassVar[str] = "call_webhook"
    to: str
    event: str
    data: Values = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPlugin:
    """An action of a plugin, with parameters already evaluated."""

    kind: ClassVar[str] = "call_plugin"
    use: str
    params: Values = field(default_factory=_nothing)
    form: str = ""
    document: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """Put a tag on a document, or take it off."""

    kind: ClassVar[str] = "tag"
    form: str
    document: int
    tag: Label
    rule: str = ""
    remove: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StartFlow:
    """Start a workflow that waits to be called, on a document."""

    kind: ClassVar[str] = "start_flow"
    workflow: str
    form: str
    document: int
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalFlow:
    """Tell the running workflow of a document that something happened: an ``event`` it waits for, or a ``child``'s end.

    Attributes:
        run: a certain run instead of the document's. token: the place meant. result, child: of a sub-flow's document.
        users: what an external resolver answered for ``token``.
    """

    kind: ClassVar[str] = "signal_flow"
    form: str = ""
    document: int = 0
    event: str = ""
    run: int = 0
    token: int = 0
    result: str = ""
    child: int = 0
    users: tuple[int, ...] | None = None
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvePeople:
    """Ask a plugin's resolver whom the node at ``token`` means; its answer comes back as a ``SignalFlow``."""

    kind: ClassVar[str] = "resolve_people"
    run: int
    token: int
    use: str
    params: Values = field(default_factory=_nothing)


Effect: TypeAlias = (
    CreateTask
    | CloseTask
    | Notify
    | StartDocument
    | WriteDocuments
    | CallWebhook
    | CallPlugin
    | Tag
    | StartFlow
    | SignalFlow
    | ResolvePeople
)
MAKERS: Mapping[str, type[Effect]] = MappingProxyType(
    {
        maker.kind: maker
        for maker in (
            CreateTask, CloseTask, Notify, StartDocument, WriteDocuments, CallWebhook, CallPlugin, Tag, StartFlow,
            SignalFlow, ResolvePeople,
        )
    }
)  # fmt: skip
TUPLES = ("channels", "chain", "users")


def effect_json(effect: Effect) -> Mapping[str, object]:
    """The JSON form kept in the outbox: the fields of the effect and its ``kind``."""
    return {"kind": effect.kind, **_plain(effect)}


def effect_from_json(data: Mapping[str, object]) -> Effect:
    """Inverse of ``effect_json``. Raises ``KeyError`` for an unknown kind."""
    given: dict[str, Any] = dict(data)
    maker = MAKERS[str(given.pop("kind"))]
    if isinstance(given.get("to"), Mapping):
        to = given["to"]
        given["to"] = Audience(users=tuple(map(int, to.get("users", ()))), roles=tuple(map(str, to.get("roles", ()))))
    for name in ("title", "body", "tag"):
        if isinstance(given.get(name), Mapping):
            given[name] = Label(zh=given[name]["zh"], en=given[name].get("en", ""))
    for name in TUPLES:
        if isinstance(given.get(name), list):
            given[name] = tuple(given[name])
    if isinstance(given.get("due_at"), str):
        given["due_at"] = datetime.fromisoformat(given["due_at"])
    if "writes" in given:
        given["writes"] = tuple(Write(**one) for one in given["writes"])
    return maker(**given)


def _plain(value: Any) -> Any:
    """As JSON can say it: records and mappings as objects, tuples as lists, moments as texts."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, datetime) else value
