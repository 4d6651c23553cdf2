"""What one definition may say about another: the forms, fields, paths and roles there are, and what to say if not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from engine.actor import ADMIN_ROLE, AUTOMATION_ROLE
from engine.definitions.file_kinds import FORMS
from engine.definitions.form import FieldDef, FormDef
from engine.definitions.load import Loaded
from engine.definitions.mistakes import cropped
from engine.definitions.reading import Place
from engine.definitions.system_fields import system_fields
from engine.problems import Param, Problem, Severity, problem, suggestion

DOCUMENT, MASTER = "document", "master"
DOCUMENT_ACTIONS = (
    "read", "create", "update", "delete", "submit", "withdraw", "approve", "reject", "unapprove", "void", "close",
    "reopen", "red_flush", "print", "export", "import", "administer",
)  # fmt: skip
MASTER_ACTIONS = (
    "read", "create", "update", "delete", "disable", "enable", "print", "export", "import", "administer",
)  # fmt: skip

NOT_OF_KIND: Mapping[str, str] = MappingProxyType(
    {DOCUMENT: "definition.not_a_document", MASTER: "definition.not_a_master"}
)
NO_SUCH_ACTION: Mapping[str, str] = MappingProxyType(
    {DOCUMENT: "definition.action_of_document", MASTER: "definition.action_of_master"}
)


def complaint(loaded: Loaded, at: Place, code: str, *, key: bool = False, **params: Param) -> Problem:
    """A problem at a place: at its value, or at the key that leads to it."""
    return problem(code, loaded.where(at.kind, at.name, *at.path, key=key), **params)


def caution(loaded: Loaded, at: Place, code: str, *, key: bool = False, **params: Param) -> Problem:
    """Like ``complaint``, as a warning."""
    return replace(complaint(loaded, at, code, key=key, **params), severity=Severity.WARNING)


def unknown(
    loaded: Loaded, at: Place, code: str, name: str, known: Iterable[str], *, key: bool = False, **params: Param
) -> Iterator[Problem]:
    """A problem with a did-you-mean when ``name`` is not among ``known``."""
    names = tuple(known)
    if name not in names:
        yield complaint(loaded, at, code, key=key, name=cropped(name), **params, **suggestion(name, names))


def unknown_form(loaded: Loaded, at: Place, name: str | None, kind: str = "") -> Iterator[Problem]:
    """A problem when there is no form ``name``, or when it is not of the ``kind`` asked for."""
    if name is None:
        return
    form = loaded.forms.get(name)
    if form is None:
        yield from unknown(loaded, at, "definition.unknown_form", name, loaded.forms)
    elif kind and form.kind != kind:
        yield complaint(loaded, at, NOT_OF_KIND[kind], name=name, form=form.label)


def unknown_role(loaded: Loaded, at: Place, name: str | None) -> Iterator[Problem]:
    """A problem when there is no role ``name``; the product's own roles always exist."""
    if name is not None:
        yield from unknown(loaded, at, "definition.unknown_role", name, (*loaded.roles, ADMIN_ROLE, AUTOMATION_ROLE))


def form_place(form: str, *path: str | int) -> Place:
    """A place in the file of a form."""
    return Place(FORMS, form, path)


def field_place(form: str, path: str) -> Place:
    """Where the field ``qty`` or ``lines.qty`` is defined."""
    table, dot, key = path.partition(".")
    return form_place(form, "fields", table, "fields", key) if dot else form_place(form, "fields", path)


def header_names(form: FormDef) -> tuple[str, ...]:
    """Header and system fields, line tables excluded."""
    return (*(key for key, field in form.fields.items() if not is_table(field)), *system_fields(form))


def field_paths(form: FormDef) -> tuple[str, ...]:
    """Paths of all fields an author declared, line tables included."""
    paths: list[str] = []
    for key, field in form.fields.items():
        paths.append(key)
        paths += [f"{key}.{column}" for column in field.fields]
    return tuple(paths)


def all_fields(form: FormDef) -> Iterator[tuple[str, FieldDef]]:
    """Every declared field by its path."""
    for key, field in form.fields.items():
        yield key, field
        for column, each in field.fields.items():
            yield f"{key}.{column}", each


def row_of(form: FormDef, path: str) -> dict[str, FieldDef]:
    """The fields that stand in the same row as the field at ``path``."""
    table, dot, _ = path.partition(".")
    fields = form.fields[table].fields if dot else form.fields
    return {key: field for key, field in fields.items() if not is_table(field)}


def is_table(field: FieldDef) -> bool:
    """Whether the field is a line table."""
    return field.type == "lines"


def tables_of(form: FormDef) -> dict[str, FieldDef]:
    """The line tables of a form."""
    return {key: field for key, field in form.fields.items() if is_table(field)}


def actions_of(kind: str) -> tuple[str, ...]:
    """What can be done with forms of a kind."""
    return DOCUMENT_ACTIONS if kind == DOCUMENT else MASTER_ACTIONS
