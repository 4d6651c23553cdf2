"""``rules/<key>.yaml``: when … if … then …, with its own tests."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from engine.definitions.form import Action
from engine.definitions.shape import Definition, ExpressionText, Key
from engine.labels import Label


class When(Definition):
    """What wakes the rule: actions on a form, or a change of a ledger (per product)."""

    form: Key | None = None
    on: tuple[Action, ...] = ()
    ledger: Literal["stock"] | None = None


class To(Definition):
    """Recipients: holders of a role, or the member in a field."""

    role: Key | None = None
    field: str | None = None


class Task(Definition):
    """Create a to-do. Texts may hold ``{expression}`` placeholders."""

    to: To
    title: Label


class Message(Definition):
    """Send a message."""

    to: To
    title: Label


class Start(Definition):
    """Create a follow-up document by push-down and carry it to ``action``."""

    form: Key
    variant: str = ""
    action: Literal["save", "submit", "approve"] = "save"


class Reject(Definition):
    """Refuse the action; the whole transaction is undone."""

    say: Label
    at: str = ""


class Then(Definition):
    """One consequence; exactly one key is given."""

    task: Task | None = None
    message: Message | None = None
    start: Start | None = None
    reject: Reject | None = None


class RuleTest(Definition):
    """A case the rule carries: names and their values in, whether it fires out."""

    given: dict[str, Any]
    fires: bool


class RuleDef(Definition):
    """A rule. With ``once`` its task is created when the condition becomes true and closed when it recovers."""

    rule: Key
    label: Label
    when: When
    if_: Annotated[ExpressionText, Field(alias="if")]
    then: tuple[Then, ...]
    once: bool = False
    tests: tuple[RuleTest, ...] = ()
