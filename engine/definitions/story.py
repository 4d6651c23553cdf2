"""``tests/<key>.yaml``: a story. Data and a date in, steps by named people, balances, tasks and errors out."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from engine.definitions.form import Action
from engine.definitions.shape import Definition, Key
from engine.labels import Label


class StoryUser(Definition):
    """A person of the story: roles held and, if it matters, the department and the warehouse (``me.warehouse``),
    both by name. ``head``: this person heads the department."""

    roles: tuple[str, ...]
    department: str | None = None
    head: bool = False
    warehouse: str | None = None


class ExpectDocument(Definition):
    """Expected state of a document: any header field or system field by key; ``lines`` as a list of field maps."""

    doc: str
    fields: dict[str, Any] = {}
    lines: tuple[dict[str, Any], ...] = ()
    hidden: tuple[str, ...] = ()


class ExpectStock(Definition):
    """Expected stock figures of a product (by natural key), in one warehouse or over all."""

    product: str
    warehouse: str | None = None
    on_hand: str | None = None
    reserved: str | None = None
    in_transit: str | None = None
    available: str | None = None
    expired: str | None = None
    value: str | None = None


class ExpectArrivals(Definition):
    """Expected arrivals (预计到货) of a document's waiting lines, line by line in the order they come: ``line`` (its
    number), ``from`` (the story's name of the document that brings the goods; empty: goods in stock), ``quantity``,
    ``day``, ``late``; only what is written is compared. In total, ``uncovered``: what nothing on its way will bring;
    ``lost``: what is reserved for it without goods."""

    doc: str
    rows: tuple[dict[str, Any], ...] = ()
    uncovered: str = "0"
    lost: str = "0"


class ExpectBalance(Definition):
    """Expected balance of any ledger for given dimensions (natural keys)."""

    ledger: Key
    dimensions: dict[str, str] = {}
    quantity: str | None = None
    value: str | None = None
    aux: str | None = None


class ExpectEntries(Definition):
    """Expected entries a document wrote to a ledger, in order; only the named fields are compared."""

    doc: str
    ledger: Key
    rows: tuple[dict[str, Any], ...]


class ExpectTasks(Definition):
    """Expected number of open tasks (or messages) for a user, optionally whose title contains a text."""

    user: str
    count: int
    contains: str = ""


class ExpectTags(Definition):
    """Expected tags (标签) of a record, all of them, by their Chinese texts; ``record`` by natural key or name."""

    form: Key
    record: str
    texts: tuple[str, ...] = ()


class Expect(Definition):
    """What must be true after a step. ``errors`` lists problem codes, and nothing else may have gone wrong."""

    errors: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    documents: tuple[ExpectDocument, ...] = ()
    stock: tuple[ExpectStock, ...] = ()
    balances: tuple[ExpectBalance, ...] = ()
    entries: tuple[ExpectEntries, ...] = ()
    arrivals: tuple[ExpectArrivals, ...] = ()
    tasks: tuple[ExpectTasks, ...] = ()
    messages: tuple[ExpectTasks, ...] = ()
    tags: tuple[ExpectTags, ...] = ()
    count: dict[str, int] = {}
    verify: bool = False


class StoryImport(Definition):
    """Import a file that lies beside the story."""

    form: Key
    file: str
    mode: str = "create"
    mapping: dict[str, str] = {}
    action: str = "save"
    undo: bool = False


class StoryPush(Definition):
    """Push ``source`` down into ``form``."""

    form: Key
    source: str
    variant: str = ""


class StoryClose(Definition):
    """Close a month (``2026-01``) or the days of a warehouse (``2026-01-31``), or open that again."""

    through: str
    warehouse: str | None = None
    reopen: bool = False


class StoryStep(Definition):
    """One step: as whom, and exactly one of create, edit, push, import, close, wait, read, at_once or only ``expect``.

    Attributes:
        create: form; name: how later steps call the document; with_: field values (links by natural key, lines as a
            list); do: action carried out after saving, or on an existing document named by ``on``.
        at_once: steps run concurrently by different users.
        wait: days to let pass (``3 days``), hours (``49 hours``) or minutes (``1 minute``).
    """

    as_: Annotated[str, Field(alias="as")] = ""
    create: Key | None = None
    push: StoryPush | None = None
    on: str | None = None
    edit: bool = False
    name: str = ""
    with_: Annotated[dict[str, Any], Field(alias="with")] = {}
    do: Action | None = None
    reason: str = ""
    delete: bool = False
    import_: Annotated[StoryImport | None, Field(alias="import")] = None
    close: StoryClose | None = None
    wait: str = ""
    at_once: tuple[StoryStep, ...] = ()
    expect: Expect | None = None


class StoryDef(Definition):
    """A story.

    Attributes:
        date: the day the story starts on (ISO).
        settings: company switches of the app that this story changes (a FIFO company, three decimals ...).
        users: people by name. A role key used in ``as`` without being listed is a person holding just that role.
        given: form → records to create first, as the data administrator.
    """

    story: Key
    label: Label
    date: str = "2026-01-05"
    settings: dict[Key, Any] = {}
    users: dict[str, StoryUser] = {}
    given: dict[Key, tuple[dict[str, Any], ...]] = {}
    steps: tuple[StoryStep, ...]


StoryStep.model_rebuild()
