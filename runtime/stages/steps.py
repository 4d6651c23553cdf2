"""The types the seven stages hand on, each richer than the one before, so that skipping a stage is a type error.

``Unit`` is what one submission works with: one open connection, the published bundle, the tables, who and when. It
lives exactly as long as the transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from engine.definitions.compiled import AppBundle, CompiledForm, CompiledWorkflow
from engine.definitions.compiled_rule import CompiledRule
from engine.document import DocStatus, Document, ExecStatus
from engine.effects import Effect
from engine.environment import Linked, Scene, Surroundings, merged, wanted_rows
from engine.expressions.types import Row
from engine.forms.draft import Patch
from engine.forms.pushdown import Link
from engine.forms.validate import CleanDocument
from engine.ledger import Entry
from engine.permissions import FormAccess
from engine.problems import Problem
from engine.rules.facts import Facts
from engine.rules.triggers import FlowHappened
from engine.workflow.directory import Directory
from engine.workflow.move import Move
from engine.workflow.state import Run
from runtime.faults import NO_FAULTS, Faults
from runtime.published import Granted
from runtime.rule_book import RuleBook
from runtime.storage import documents
from runtime.storage.app_tables import AppTables
from runtime.storage.database import Connection
from runtime.storage.proposals import ProposalRow
from runtime.storage.runs import StoredRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What somebody wants done with one document.

    Attributes:
        action: ``save``, an action of the life cycle, or ``flow``. ``approve`` on a draft submits it first.
        document, version: what is acted on and which state the person has seen; None for a new document.
        patch: typed values, None when nothing was typed.
        idempotency_key: the same key by the same person returns the first outcome.
        origin: where it came from: page, phone, import, api, auto.
        confirmed: warnings have been read and accepted.
        batch: import batch.
        move: what is done to the document's run, with ``flow``; who and when are filled in. Beside ``submit``,
            ``approve``, ``reject`` and ``withdraw`` it carries what these need (seat, people chosen, signature).
        run: the run meant; 0 is the one that is open. flow: with ``flow`` and no move, the workflow to start.
        parent: the run and place of a sub-flow that waits for this document's end.
        proposal: the agreed change (先批后改) this makes; its version and status have been looked at.
        nodes: of a migration, old nodes and the new ones that take their place.
        chain: the rules whose effects led here, oldest first.
    """

    form: str
    action: str
    document: int | None = None
    version: int | None = None
    patch: Patch | None = None
    reason: str = ""
    idempotency_key: str = ""
    origin: str = "page"
    confirmed: bool = False
    batch: int | None = None
    move: Move | None = None
    run: int = 0
    flow: str = ""
    parent: tuple[int, int] = (0, 0)
    proposal: int = 0
    nodes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was done.

    Attributes:
        did: sentences about effects worth telling (stock moved, task created …), as problems with codes ``did.*``.
        outbox: ids of the outbox rows to relay after the commit. repeated: an earlier outcome, returned again.
    """

    form: str
    document: int
    number: str | None
    version: int
    status: DocStatus
    exec_status: ExecStatus
    warnings: tuple[Problem, ...] = ()
    did: tuple[Problem, ...] = ()
    outbox: tuple[int, ...] = ()
    repeated: bool = False


def as_it_stands(document: Document, *, repeated: bool = False) -> Outcome:
    """The outcome of an action that left ``document`` as it is."""
    return Outcome(
        form=document.form,
        document=document.id or 0,
        number=document.number,
        version=document.version,
        status=document.status,
        exec_status=document.exec_status,
        repeated=repeated,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One unit of work: everything the stages may touch.

    Attributes:
        seen: linked rows loaded so far; lives as long as one submission, for the next may have changed them.
        people: directories loaded so far, by the roles that administer (``stages/people.py``); nothing changes them.
        granted: who may do what in the bundle. rules: who is woken by what. faults: what tests make go wrong.
    """

    connection: Connection
    bundle: AppBundle
    bundle_of: Callable[[str], AppBundle]
    tables: AppTables
    granted: Granted
    rules: RuleBook
    around: Surroundings
    now: datetime
    faults: Faults = NO_FAULTS
    seen: dict[tuple[str, int], Row] = field(default_factory=dict)
    people: dict[frozenset[str], Directory] = field(default_factory=dict)

    def form(self, key: str) -> CompiledForm:
        """The published form."""
        return self.bundle.forms[key]

    def access(self, form: CompiledForm) -> FormAccess:
        """What the person may do with the form."""
        return self.granted.access(form, self.around.actor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A run over a document: as it is stored, as data, and the workflow it is pinned to."""

    stored: StoredRun
    run: Run
    flow: CompiledWorkflow


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The start: the command against what is stored.

    Attributes:
        actions: the single steps it asks for: those of the life cycle, ``flow`` for a move of the run that leaves the
            document where it is in its life, ``propose`` for a change that must be agreed to first.
        standing: the run that is acted on, or that a submission takes up again. move: what is done to it.
    """

    command: Command
    form: CompiledForm
    old: Document | None
    actions: tuple[str, ...]
    standing: Standing | None = None
    move: Move | None = None

    @property
    def run(self) -> Run | None:
        """The run that is acted on."""
        return None if self.standing is None else self.standing.run


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A rule that sets values, judged before they were kept: on these facts, look-ups answered."""

    rule: CompiledRule
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Validated:
    """Stage 1. ``links``: what its lines take of source lines. ``sources``: the source documents, by form and id.
    ``preset``: rules that have set values of it."""

    begun: Begun
    clean: CleanDocument
    links: tuple[Link, ...]
    sources: Mapping[tuple[str, int], Document]
    preset: tuple[Preset, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorized:
    """Stage 2: the person may do all of this."""

    validated: Validated
    access: FormAccess


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Stage 3: stored, numbered, in history."""

    authorized: Authorized
    document: Document
    scene: Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """Stage 4: the status it now has.

    Attributes:
        posts: what the ledgers must do: submit, withdraw, reject, approve, close, unapprove, reopen.
        agreed: a change that has been agreed to and is made in the same transaction.
        happened: what happened in its workflow, with the result of a run that ended.
        preset: rules that set values and have been judged already, before the document was written or after this stage.
    """

    written: Written
    document: Document
    posts: str
    effects: tuple[Effect, ...] = ()
    agreed: ProposalRow | None = None
    happened: tuple[tuple[FlowHappened, str], ...] = ()
    preset: tuple[Preset, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """Stage 5: entries in the ledgers, whom to tell of what they did for others, and warnings that were confirmed."""

    advanced: Advanced
    entries: tuple[Entry, ...]
    effects: tuple[Effect, ...] = ()
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Stage 6: what follows from what rules decided."""

    posted: Posted
    effects: tuple[Effect, ...] = ()


NO_LINKED: Linked = MappingProxyType({})
NO_FIELDS: frozenset[str] = frozenset()
LONGEST_PATH = 4


def load_linked(unit: Unit, form: CompiledForm, listed: Iterable[Document], known: Linked = NO_LINKED) -> Linked:
    """Load every linked row the form's expressions follow from these documents: one query per linked form and depth.

    What this submission has loaded before is not asked for again.
    """
    linked: Linked = known
    group = tuple(listed)
    for _depth in range(LONGEST_PATH):
        found: dict[tuple[str, int], Row] = {}
        for target, want in sorted(wanted_rows(form, group, linked).items()):
            missing, want.fields = set(), want.fields | unit.rules.followed.get(target, NO_FIELDS)
            for identity in want.ids:
                row = unit.seen.get((target, identity))
                if row is not None and want.fields <= row.values.keys():
                    found[target, identity] = row
                else:
                    missing.add(identity)
            if missing:
                rows = documents.load_rows(unit.connection, unit.tables, target, missing, want.fields)
                found.update({(target, identity): row for identity, row in rows.items()})
        if not found:
            break
        linked = merged(linked, found)
        unit.seen.update({key: linked[key] for key in found})
    return linked
