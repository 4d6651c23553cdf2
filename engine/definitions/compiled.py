"""Definitions ready to run: names resolved, expressions parsed and checked, indexes built. Immutable.

``compile.py`` makes these from the models an author wrote; nothing is parsed or compiled per request after that. The
``AppBundle`` at the end is what is published, pinned by its content hash and handed to every stage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pydantic import BaseModel

from engine.calendars.calendar import Calendar
from engine.definitions.app import AppDef
from engine.definitions.compiled_rule import CompiledRule
from engine.definitions.form import Check, Fetch, FieldDef, FormDef, Source
from engine.definitions.posting import EntryDef, PostingDef
from engine.definitions.role import Grant, RoleDef
from engine.definitions.story import StoryDef
from engine.definitions.voucher import VoucherDef
from engine.definitions.workflow import Keyed, Step, WorkflowDef
from engine.expressions import Checked
from engine.expressions.types import Scope, ValueType
from engine.fieldtypes.contract import FieldType
from engine.fieldtypes.link import LinkOptions
from engine.fieldtypes.price import unit_of
from engine.kinds import Kinds
from engine.labels import Label
from engine.problems import Problem

ALWAYS_WANTED = frozenset({"doc_status"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledField:
    """A field of a header or of a line table.

    Attributes:
        path: ``supplier`` or ``lines.qty``. column: storage column name, ``f_<id>``.
        required, visible, readonly, secret: a constant, or an expression over the row (line fields see their line
            first, then the header).
        fills: for links, field of the same row → paths on the linked record, the first that is not empty counts.
        filter: for links, which records may be picked; sees the linked record, and the row it is picked for as ``row``.
        position: order of appearance within its row.
        linked: the form a link points to, empty for every other type. scale: decimals of a number at rest; places:
            those a computed number is rounded to. All three follow from the type and its options.
    """

    key: str
    path: str
    table: str
    column: str
    label: Label
    type_name: str
    type: FieldType
    options: BaseModel
    value_type: ValueType
    required: bool | Checked
    visible: bool | Checked
    readonly: bool | Checked
    default: Checked | None
    formula: Checked | None
    fills: Mapping[str, tuple[str, ...]]
    tags: frozenset[str]
    unique: bool
    position: int
    definition: FieldDef
    filter: Checked | None = None
    secret: bool | Checked = False
    linked: str = field(init=False)
    scale: int = field(init=False)
    places: int = field(init=False)

    def __post_init__(self) -> None:
        scale, decimals = self.type.column(self.options).scale, getattr(self.options, "decimals", None)
        object.__setattr__(self, "linked", self.options.to if isinstance(self.options, LinkOptions) else "")
        object.__setattr__(self, "scale", scale)
        object.__setattr__(self, "places", min(scale, decimals) if isinstance(decimals, int) else scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """A link and everything expressions follow from it.

    Attributes:
        key: the link, a field of the row it starts from. form: where it leads.
        wanted: fields that are read of the linked record, its status always.
        onward: the links of the linked record, where any of its fields is read. followed: those of them that are
            followed in turn.
    """

    key: str
    form: str
    wanted: frozenset[str]
    onward: tuple[Trail, ...] = ()
    followed: tuple[Trail, ...] = ()


@dataclass(frozen=True, slots=True)
class CompiledRow:
    """What every header, or every line of a table, is asked again and again: which of its fields have what.

    Attributes:
        fields: all of them by key. defaulted: those with a default, and it. filling: links that fill others, each with
            the prices among these and the field of the unit a price is for.
        conditional: whether what is required or visible depends on the document.
    """

    fields: Mapping[str, CompiledField]
    defaulted: tuple[tuple[CompiledField, Checked], ...] = field(init=False)
    filling: tuple[tuple[CompiledField, Mapping[str, str]], ...] = field(init=False)
    conditional: bool = field(init=False)

    def __post_init__(self) -> None:
        listed = tuple(self.fields.values())
        conditional = any(isinstance(one, Checked) for each in listed for one in (each.required, each.visible))
        defaulted = tuple((each, each.default) for each in listed if each.default is not None)
        object.__setattr__(self, "defaulted", defaulted)
        filling = tuple((each, MappingProxyType(dict(self._prices(each)))) for each in listed if each.fills)
        object.__setattr__(self, "filling", filling)
        object.__setattr__(self, "conditional", conditional)

    def _prices(self, link: CompiledField) -> Iterator[tuple[str, str]]:
        for key in link.fills:
            unit = unit_of(self.fields[key].options) if key in self.fields else ""
            if unit:
                yield key, unit


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledTable:
    """A line table: ``key`` in values and expressions, ``name`` the storage table ``t_<form>__<id>``."""

    key: str
    name: str
    label: Label
    fields: Mapping[str, CompiledField]
    min_rows: int
    max_rows: int
    field: CompiledField


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledCheck:
    """A check; ``table`` is set when it is evaluated per line."""

    definition: Check
    condition: Checked
    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledSource:
    """A push-down from ``definition.from_`` into the form that owns it, with its expressions."""

    target: str
    definition: Source
    when: Checked | None
    header: Mapping[str, Checked]
    line_map: Mapping[str, Checked]
    quantity: Checked | None
    ordered: Checked | None
    tolerance: Checked | None
    line_when: Checked | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledFetch:
    """Lines brought in from the stock ledger, with the expressions that say when, and which products."""

    definition: Fetch
    when: Checked | None
    where: Checked | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledForm:
    """A form ready to validate, store, list and show.

    Attributes:
        name: storage table, ``t_<form>``.
        fields: header fields by key (line tables excluded). tables: line tables by key.
        computed: paths with a formula, in an order in which each comes after what it depends on.
        scope: names header expressions see; line_scopes: per table (line fields, then header fields, ``line_no``).
        links: every link path any expression of this form follows, ``("lines", "product")`` → fields wanted of the
            linked record, so that all are loaded with one query per linked form. ``$units`` asks for the unit ratios.
        views: list views by key. display, search: resolved field paths.
        trails: ``""`` and every line table → its links and where they lead, as ``links`` tells.
        rows: ``""`` and every line table → what follows from its fields. filtered: fields with a ``filter``.
    """

    key: str
    name: str
    label: Label
    definition: FormDef
    fields: Mapping[str, CompiledField]
    tables: Mapping[str, CompiledTable]
    computed: tuple[str, ...]
    checks: tuple[CompiledCheck, ...]
    sources: tuple[CompiledSource, ...]
    views: Mapping[str, Checked]
    scope: Scope
    line_scopes: Mapping[str, Scope]
    links: Mapping[tuple[str, ...], frozenset[str]]
    fetches: tuple[CompiledFetch, ...] = ()
    trails: Mapping[str, tuple[Trail, ...]] = field(default_factory=lambda: MappingProxyType({}))
    rows: Mapping[str, CompiledRow] = field(init=False)
    _every: tuple[CompiledField, ...] = field(init=False, repr=False)
    filtered: tuple[CompiledField, ...] = field(init=False)

    def __post_init__(self) -> None:
        rows = {"": self.fields, **{key: table.fields for key, table in self.tables.items()}}
        every = tuple(each for fields in rows.values() for each in fields.values())
        object.__setattr__(self, "rows", MappingProxyType({key: CompiledRow(fields) for key, fields in rows.items()}))
        object.__setattr__(self, "_every", every)
        object.__setattr__(self, "filtered", tuple(each for each in every if each.filter is not None))

    @property
    def is_master(self) -> bool:
        """Whether this is 基础资料 rather than a 单据."""
        return self.definition.kind == "master"

    def field(self, path: str) -> CompiledField | None:
        """The field at ``supplier`` or ``lines.qty``, or None."""
        table, dot, key = path.partition(".")
        if not dot:
            return self.fields.get(path)
        return self.tables[table].fields.get(key) if table in self.tables else None

    def all_fields(self) -> tuple[CompiledField, ...]:
        """Header fields, then the fields of every line table."""
        return self._every


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledWorkflow:
    """A workflow ready to be walked.

    Attributes:
        steps: as they run: the steps of called workflows stand where they are called.
        conditions: by the path of the arm, for example ``(1, 0)`` = step 1, arm 0.
        nodes: steps with a key, by key and in reading order. paths: where they stand in ``steps``.
        expressions: by node and name (see ``compile_workflow``), everything else that is evaluated.
        actions: of action nodes, the rules they amount to (see ``action_rules``).
    """

    definition: WorkflowDef
    steps: tuple[Step, ...]
    conditions: Mapping[tuple[int, ...], Checked]
    nodes: Mapping[str, Keyed]
    paths: Mapping[str, tuple[int, ...]]
    expressions: Mapping[tuple[str, str], Checked]
    actions: Mapping[str, CompiledRule] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledEntry:
    """One entry definition of a posting with its expressions; ``total`` and ``by`` are those of its spread."""

    definition: EntryDef
    when: Checked | None
    quantity: Checked | None
    value: Checked | None
    dimensions: Mapping[str, Checked]
    aux: Checked | None = None
    due: Checked | None = None
    until: Checked | None = None
    made: Checked | None = None
    expires: Checked | None = None
    weight: Checked | None = None
    refer: Checked | None = None
    total: Checked | None = None
    by: Checked | None = None
    lot_reason: Checked | None = None

    def expressions(self) -> tuple[Checked, ...]:
        """Every expression of the entry."""
        own = (
            self.when, self.quantity, self.value, self.aux, self.due, self.until, self.made, self.expires,
            self.weight, self.refer, self.total, self.by, self.lot_reason,
        )  # fmt: skip
        return (*(each for each in own if each is not None), *self.dimensions.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledPosting:
    """Entries by the action that writes them: ``approve`` and ``close``."""

    definition: PostingDef
    entries: Mapping[str, tuple[CompiledEntry, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledGrant:
    """A grant; ``rows`` per form when it is an expression, else empty."""

    definition: Grant
    forms: frozenset[str]
    rows: Mapping[str, Checked]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRole:
    """A role; ``stock_rows`` filters the warehouse record."""

    definition: RoleDef
    grants: tuple[CompiledGrant, ...]
    stock_rows: Checked | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppBundle:
    """One published state of an app.

    Attributes:
        hash: sha256 over the canonical JSON of all definitions; the snapshot name.
        files: relative path → source text, so that a snapshot can be exported, compared and restored.
        cards: conditions of the home cards, in the order of ``app.cards``.
        targets: form → the sources that push it down, by target form.
        postings: by the form they belong to. rules_by_form, ledger_rules: rules by what wakes them.
        workflows: by form, what ``submit`` starts. change_workflows: by form, what a change starts (先批后改).
        flows: all workflows by key.
        calendars: by key. calendar: the app's own, None when it names none.
        red_tests: tests beside its definitions that fail; publishing refuses it unless somebody takes the blame.
        company: what ``app`` stands for in expressions.
    """

    hash: str
    app: AppDef
    kinds: Kinds
    files: Mapping[str, str]
    forms: Mapping[str, CompiledForm]
    workflows: Mapping[str, CompiledWorkflow]
    change_workflows: Mapping[str, CompiledWorkflow]
    flows: Mapping[str, CompiledWorkflow]
    calendars: Mapping[str, Calendar]
    calendar: Calendar | None
    postings: Mapping[str, tuple[CompiledPosting, ...]]
    rules: Mapping[str, CompiledRule]
    rules_by_form: Mapping[str, tuple[CompiledRule, ...]]
    ledger_rules: tuple[CompiledRule, ...]
    roles: Mapping[str, CompiledRole]
    vouchers: Mapping[str, VoucherDef]
    stories: Mapping[str, StoryDef]
    cards: tuple[Checked, ...]
    targets: Mapping[str, tuple[CompiledSource, ...]]
    red_tests: tuple[Problem, ...] = ()
    company: Mapping[str, object] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "company", MappingProxyType(self.app.company()))
