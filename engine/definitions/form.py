"""``forms/<key>.yaml``: fields, line tables, numbering, lists, push-down sources and checks of one form.

Keys common to all field types live in ``FieldDef``; what a type adds is validated by the type's own options model and
kept in ``options``. A field's ``id`` is what storage and formulas hold on to, so a key or a label may be renamed.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, SerializeAsAny, SkipValidation, WithJsonSchema

from engine.definitions.shape import Definition, ExpressionText, Key, Switch
from engine.fieldtypes.contract import NoOptions
from engine.labels import Label

# System fields every form has, readable in expressions, lists and filters under these names.
DOCUMENT_SYSTEM_FIELDS = (
    "id",
    "number",
    "doc_status",
    "exec_status",
    "biz_date",
    "creator",
    "department",
    "created_at",
    "modified_at",
    "approver",
    "approved_at",
    "origin",
    "version",
)
MASTER_SYSTEM_FIELDS = ("id", "doc_status", "creator", "department", "created_at", "modified_at", "origin", "version")

Action = Literal[
    "read", "create", "update", "delete", "submit", "withdraw", "approve", "reject", "unapprove", "void", "close",
    "reopen", "red_flush", "disable", "enable", "print", "export", "import", "administer",
]  # fmt: skip


class FieldDef(Definition):
    """One field.

    Attributes:
        type: name of a field type.
        id: stable id; the key it was first published under unless given.
        label: what people read.
        required: always, or when an expression holds.
        default: expression evaluated for a new record or line (``today()``, ``me``, ``'normal'``, ``1``).
        formula: expression; the field is then computed and never typed.
        visible, readonly: expressions (or true/false) about the form's behaviour, for every role.
        secret: while this holds, nobody is told the value, on pages or through the API (a blind count's book quantity).
        tags: words roles may refer to (``cost``, ``amount``), so that one line in a role hides a family of fields.
        unique: no two live records share the value.
        width: columns of the 12-column form grid (0: by type).
        options: what the type itself defines, validated by its options model.
        fields: for ``type: lines`` only, the columns of the line table.
    """

    type: str
    id: Key | None = None
    label: Label
    help: Label | None = None
    required: Switch = False
    default: ExpressionText | None = None
    formula: ExpressionText | None = None
    visible: Switch = True
    secret: Switch = False
    readonly: Switch = False
    tags: tuple[Key, ...] = ()
    unique: bool = False
    width: Annotated[int, Field(ge=0, le=12)] = 0
    aliases: tuple[str, ...] = ()
    options: Annotated[SerializeAsAny[SkipValidation[BaseModel]], WithJsonSchema({"type": "object"})] = NoOptions()
    fields: dict[Key, FieldDef] = {}


class Check(Definition):
    """A condition that must not hold. ``at`` names the field the message stands beside; for a line field
    (``lines.qty``) ``if`` is evaluated on every line. A warning is shown and may be confirmed."""

    if_: Annotated[ExpressionText, Field(alias="if")]
    say: Label
    at: str = ""
    level: Literal["error", "warning"] = "error"


class DetailFields(Definition):
    """Fields of a line, or of its header, that say where goods are and what tells them apart; see ``SourceLines``."""

    product: Key
    warehouse: Key
    bin: Key | None = None
    lot: Key | None = None
    serial: Key | None = None
    status: Key | None = None


class SourceLines(Definition):
    """How lines are pushed down.

    Attributes:
        table: line table of this (the target) form; from_: line table of the source form.
        map: target line field → expression over ``line`` (the source line), ``source`` (its header) and ``open``
            (what is still open on that line, in base units).
        quantity: expression over the target line, in base units: what it executes of the source line.
        ordered: expression over ``line`` and ``source``, in base units: what there was to execute.
        tolerance: percent that may be executed beyond ``ordered``; expression over ``app``, ``line``, ``source``.
        when: which source lines are taken.
        details: a line for every bin, lot, serial number and status the books hold of the product there (a counting
            sheet); together they take their source line once.
    """

    table: Key = "lines"
    from_: Annotated[Key, Field(alias="from")] = "lines"
    map: dict[Key, ExpressionText]
    quantity: ExpressionText = "qty"
    ordered: ExpressionText = "line.qty"
    tolerance: ExpressionText = "0"
    when: ExpressionText | None = None
    details: DetailFields | None = None


class Source(Definition):
    """An upstream form this form can be pushed down from (下推 / 选单).

    Attributes:
        from_: source form. label: text of the push-down button on the source. variant: tells two sources of the same
            form apart. when: over ``source``; the source must be approved in any case (强制审核).
        header: target header field → expression over ``source``.
    """

    from_: Annotated[Key, Field(alias="from")]
    variant: str = ""
    label: Label
    when: ExpressionText | None = None
    when_not: Label | None = None
    header: dict[Key, ExpressionText] = {}
    lines: SourceLines | None = None


class Fetch(Definition):
    """Lines brought in from the stock ledger (带出库存商品): one for every product that is not among them yet.

    Attributes:
        key: its name in addresses. label: text of the button.
        table: line table that gets the lines. product: its link to the product. warehouse: header link that says where.
        when: over the header; when it is offered.
        where: which products, over the fields of the product; ``row`` is the header.
        moved_since: header date: what moved since that day, whether or not any is left, instead of what is on hand.
    """

    key: Key
    label: Label
    table: Key = "lines"
    product: Key = "product"
    warehouse: Key = "warehouse"
    when: ExpressionText | None = None
    where: ExpressionText | None = None
    moved_since: Key | None = None


class Execution(Definition):
    """Which downstream form executes this one, and the words for none, partly and fully executed."""

    by: Key
    none: Label
    partial: Label
    done: Label


class UnitTable(Definition):
    """Where a product keeps its units: the base unit field and the line table of further units with their ratios.

    Attributes:
        decimals: field of the record of a unit with the decimals a quantity in it may have; none when left out.
        barcode: column with the barcode of a unit (箱码): looking it up finds the product and the unit.
        aux: field with the second unit of catch weight goods (浮动换算), empty for all others.
    """

    base: Key
    table: Key
    unit: Key
    rate: Key
    decimals: Key | None = None
    barcode: Key | None = None
    aux: Key | None = None


class TreeDef(Definition):
    """What a form says is made of what (a bill of material): the approved documents together may not lead in a circle.

    Attributes:
        whole: header field that links to the record described. table, part: line table and its field that links to a
            record it contains.
    """

    whole: Key
    table: Key = "lines"
    part: Key


class View(Definition):
    """A named list: a saved filter."""

    key: Key
    label: Label
    where: ExpressionText


class ListDef(Definition):
    """What the list shows at first; people choose their own columns from there. ``sort``: ``-biz_date`` descends."""

    columns: tuple[str, ...] = ()
    sort: str = ""
    filters: tuple[str, ...] = ()
    views: tuple[View, ...] = ()


class Section(Definition):
    """A group of header fields on the form page."""

    label: Label
    fields: tuple[str, ...]


class FormDef(Definition):
    """One form.

    Attributes:
        kind: ``document`` (单据: numbered, approved, posted) or ``master`` (基础资料: active or disabled).
        number: pattern such as ``PO{biz_date:%Y%m%d}-{seq:4}``; documents only.
        title: header fields shown beside the number on top of the page.
        display: how a link to this record reads, ``{code} {name}``.
        search: fields the look-up and the list search in (pinyin initials are searched too).
        keys: unique keys; the first is the natural key imports match by.
        actions: which optional actions the form offers; save, submit, approve and delete follow from ``kind``.
        auto_approve: 保存即审核: submitting approves at once when no workflow stands in between.
        reason: actions that demand a reason.
        fetches: lines that a draft can bring in from the stock ledger.
        tree: says what contains what; a circle is refused on approval.
    """

    form: Key
    kind: Literal["document", "master"] = "document"
    label: Label
    icon: str = "file-text"
    number: str | None = None
    title: tuple[Key, ...] = ()
    display: str = ""
    search: tuple[str, ...] = ()
    keys: tuple[tuple[Key, ...], ...] = ()
    fields: dict[Key, FieldDef]
    sections: tuple[Section, ...] = ()
    list: ListDef = ListDef()
    units: UnitTable | None = None
    actions: tuple[Action, ...] = ()
    auto_approve: bool = False
    sources: tuple[Source, ...] = ()
    fetches: tuple[Fetch, ...] = ()
    execution: Execution | None = None
    tree: TreeDef | None = None
    checks: tuple[Check, ...] = ()
