"""``rules/<key>.yaml``: when … if … then …, with its own tests. The meaning of every part is in ``docs/rules.md``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from engine.definitions.form import Action
from engine.definitions.people import Whom
from engine.definitions.shape import Definition, ExpressionText, Key
from engine.labels import Label

FlowEvent = Literal["started", "arrived", "decided", "returned", "ended", "overdue"]


class DateTrigger(Definition):
    """So long before or after a date field: once per record and offset, in the morning at ``at``.

    Attributes:
        field: a date or moment of the form. days: offsets in days, negative before (``[-30, -7, 0]``).
        hours, minutes: offsets for moments. at: time of day when only a date is known.
    """

    field: str
    days: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "08:00"


class When(Definition):
    """What wakes the rule; exactly one trigger, of which some need ``form``.

    Attributes:
        form: the form it is about. on: actions on it (``create``, ``update``, ``submit``, ``approve``, ``delete`` …).
        fields: one of these fields was changed by saving; ``old`` and the record itself are both visible.
        status: the document came into one of these states (``approved``, ``closed`` …).
        flow: something happened in the workflow of the form. node: only at this node.
        ledger: the stock ledger, per product; or any other ledger, per balance. moves: only by entries of these moves.
        schedule: a cron line (five fields) or plain words (``每天 17:30``, ``every monday 08:00``, ``每月1日 09:00``);
            with ``form`` every record for which ``if`` holds, without it once.
        date: a date field of ``form`` comes near or has passed.
        webhook: a message arrives at the inbound address of this name; ``payload`` is visible as a record.
        button: somebody presses this button on a document of ``form``.
        imported: an import into ``form`` has ended; ``imported`` (rows) is visible.
    """

    form: Key | None = None
    on: tuple[Action, ...] = ()
    fields: tuple[str, ...] = ()
    status: tuple[Key, ...] = ()
    flow: tuple[FlowEvent, ...] = ()
    node: Key | None = None
    ledger: Key | None = None
    moves: tuple[Key, ...] = ()
    schedule: str | None = None
    date: DateTrigger | None = None
    webhook: Key | None = None
    button: Label | None = None
    imported: bool = False


class Lookup(Definition):
    """A declared look-up: one figure over other records, or over the entries of a ledger, loaded before judging.

    Attributes:
        form: whose records. table: a line table of theirs; its lines are looked at instead, each with its header.
        ledger: whose entries, instead of a form's records.
        where: over the other record, line or entry; ``row`` is the record the rule is about.
        take: ``count`` of records, ``exists``, or ``sum`` / ``min`` / ``max`` / ``latest`` of ``of``.
        of: a field of the other record. each: a line table of the rule's record; the look-up is then made per line,
            which ``where`` sees as ``line``, and the figure is a field of that line.
        days: only what has a business date within so many days before today.
    """

    form: Key | None = None
    table: Key | None = None
    ledger: Key | None = None
    where: ExpressionText
    take: Literal["count", "exists", "sum", "min", "max", "latest"] = "count"
    of: str | None = None
    each: str | None = None
    days: Annotated[int, Field(ge=1, le=3660)] | None = None


class DecisionRow(Definition):
    """One row of a decision table: conditions per input, results per output. ``-`` or nothing means any."""

    when: dict[Key, str] = {}
    then: dict[Key, ExpressionText] = {}


class DecisionTable(Definition):
    """决策表: inputs are expressions, cells are tests on them (``> 50000``, ``in ('A', 'B')``, ``'A'``, ``-``).

    Attributes:
        hit: ``unique`` (rows may not overlap), ``first``, ``any`` (several may match if they agree), ``collect``
            (all, as a list), ``rule_order`` (all, applied from top to bottom), or ``sum``, ``min``, ``max`` or
            ``count`` of the results.
        otherwise: results when no row matches.
    """

    inputs: dict[Key, ExpressionText]
    outputs: tuple[Key, ...]
    hit: Literal["unique", "first", "any", "collect", "rule_order", "sum", "min", "max", "count"] = "first"
    rows: tuple[DecisionRow, ...]
    otherwise: dict[Key, ExpressionText] = {}


class Task(Definition):
    """Create a to-do (待办). Texts may hold ``{expression}`` placeholders. ``hours``: due so many hours from now."""

    to: Whom
    title: Label
    hours: Annotated[int, Field(ge=1, le=8760)] | None = None


class Message(Definition):
    """Send a message (消息). ``channels``: beside the message centre; left out, what each person has chosen."""

    to: Whom
    title: Label
    body: Label | None = None
    channels: tuple[Key, ...] = ()


class Start(Definition):
    """Create a follow-up document by push-down and carry it to ``action``."""

    form: Key
    variant: str = ""
    action: Literal["save", "submit", "approve"] = "save"


class Create(Definition):
    """Create a document of any form.

    Attributes:
        set: fields of its header. lines: fields of its line tables.
        each: a line table of the record (or ``payload.<list>``): one line per line of it; without lines, no document.
        when: only for these lines.
    """

    form: Key
    set: dict[str, ExpressionText] = {}
    each: str | None = None
    when: ExpressionText | None = None
    lines: dict[Key, dict[str, ExpressionText]] = {}
    action: Literal["save", "submit", "approve"] = "save"


class Update(Definition):
    """Change records: the one a ``link`` field of this record points to, those of ``form`` matching ``where``, or with
    neither this record itself, after the commit.

    ``where`` sees the other record, and this one as ``row``; so does ``set`` beside it. ``action``: a step of its life
    cycle instead of ``save``.
    """

    link: str | None = None
    form: Key | None = None
    where: ExpressionText | None = None
    set: dict[str, ExpressionText] = {}
    action: Action | Literal["save"] = "save"
    reason: Label | None = None


class Reject(Definition):
    """Refuse the action; the whole transaction is undone. ``at``: the field the sentence stands at."""

    say: Label
    at: str = ""


class Warn(Definition):
    """Ask before going on: the person reads the sentence and confirms; with ``reason`` they must say why."""

    say: Label
    at: str = ""
    reason: bool = False


class CallWebhook(Definition):
    """Send an event to an outbound address of the app (``app.yaml webhooks``). ``send``: what the message holds."""

    to: Key
    event: str
    send: dict[Key, ExpressionText] = {}


class FlowSignal(Definition):
    """Start a workflow of the document that waits to be called, or signal ``event`` to its running one."""

    start: Key | None = None
    event: Key | None = None


class PluginCall(Definition):
    """An action of a plugin with parameters, performed after the commit."""

    use: Key
    params: dict[str, ExpressionText] = {}


class Then(Definition):
    """One consequence; exactly one key is given.

    ``reject``, ``warn`` and ``set`` happen inside the transaction; all others follow the commit through the outbox.
    ``when`` makes one consequence depend on a further condition.
    """

    when: ExpressionText | None = None
    reject: Reject | None = None
    warn: Warn | None = None
    set: dict[str, ExpressionText] | None = None
    task: Task | None = None
    message: Message | None = None
    start: Start | None = None
    create: Create | None = None
    update: Update | None = None
    webhook: CallWebhook | None = None
    flow: FlowSignal | None = None
    tag: Label | None = None
    untag: Label | None = None
    plugin: PluginCall | None = None


class Escalation(Definition):
    """When a to-do of the rule is still open after so many hours, these are told as well (and get it too)."""

    hours: Annotated[int, Field(ge=1, le=8760)]
    to: Whom
    clock: Literal["natural", "working"] = "natural"


class RuleTest(Definition):
    """A case the rule carries: names and their values in, whether it fires out.

    Attributes:
        old: the record as it was, for rules on changed fields. results: outputs of the decision table.
    """

    given: dict[str, Any]
    old: dict[str, Any] = {}
    fires: bool
    results: dict[str, Any] = {}


class RuleDef(Definition):
    """A rule.

    Attributes:
        table: a decision table whose outputs ``then`` sees by name; the rule fires when a row matches.
        once: its alert and to-do begin when the condition becomes true and end when it recovers.
        cooldown: hours during which it does not fire again for the same record.
        key: what ``once`` and ``cooldown`` are kept by, instead of the record.
        active: whether it works; a rule may be switched off without being deleted.
        log: whether runs that did not fire are kept in the log as well.
    """

    rule: Key
    label: Label
    when: When
    if_: Annotated[ExpressionText, Field(alias="if")] = "True"
    lookups: dict[Key, Lookup] = {}
    table: DecisionTable | None = None
    then: tuple[Then, ...]
    once: bool = False
    cooldown: Annotated[int, Field(ge=1, le=8760)] | None = None
    key: ExpressionText | None = None
    escalate: tuple[Escalation, ...] = ()
    active: bool = True
    log: Literal["fired", "all"] = "fired"
    tests: tuple[RuleTest, ...] = ()
