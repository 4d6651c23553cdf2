"""Cross-reference checks of roles, and of what nobody was given."""

from __future__ import annotations

from collections.abc import Iterator

from engine.actor import ADMIN_ROLE
from engine.definitions.compile_process import EVERY_FORM
from engine.definitions.file_kinds import ROLES
from engine.definitions.load import Loaded
from engine.definitions.reading import Place
from engine.definitions.references import (
    actions_of,
    all_fields,
    caution,
    complaint,
    field_paths,
    form_place,
    unknown,
)
from engine.definitions.role import Grant
from engine.definitions.system_fields import system_fields
from engine.problems import Problem


def grants_name_forms(loaded: Loaded) -> Iterator[Problem]:
    """A grant names forms there are, or ``*`` alone."""
    for grant, place in _grants(loaded):
        if not grant.forms:
            yield complaint(loaded, place / "forms", "definition.grant_without_forms", key=True)
        for index, name in enumerate(grant.forms):
            if name == EVERY_FORM and len(grant.forms) > 1:
                yield complaint(loaded, place / "forms" / index, "definition.star_and_more")
            elif name != EVERY_FORM:
                at = place / "forms" / index
                yield from unknown(loaded, at, "definition.unknown_form", name, loaded.forms)


def granted_actions_exist(loaded: Loaded) -> Iterator[Problem]:
    """A granted action exists for at least one of the forms it is granted on."""
    for grant, place in _grants(loaded):
        kinds = {loaded.forms[name].kind for name in _forms(loaded, grant)}
        possible = {action for kind in kinds for action in actions_of(kind)}
        for index, action in enumerate(grant.actions):
            if kinds and action not in possible:
                yield complaint(loaded, place / "actions" / index, "definition.granted_action", name=action)


def granted_fields_exist(loaded: Loaded) -> Iterator[Problem]:
    """A field a grant speaks of exists on every form of the grant that is named, or on some form for ``*``."""
    for grant, place in _grants(loaded):
        forms = _forms(loaded, grant)
        for name in grant.fields:
            having = [key for key in forms if name in _paths(loaded, key)]
            missing = not having if EVERY_FORM in grant.forms else len(having) < len(forms)
            if forms and missing:
                known = sorted({path for key in forms for path in _paths(loaded, key)} - {name})
                at = place / "fields" / name
                form = loaded.forms[next(key for key in forms if key not in having)].label
                yield from unknown(
                    loaded, at, "definition.granted_field", name, known, key=True, form=form
                )  # fmt: skip


def tags_are_carried(loaded: Loaded) -> Iterator[Problem]:
    """A tag a role speaks of is carried by some field."""
    carried = {tag for form in loaded.forms.values() for _, field in all_fields(form) for tag in field.tags}
    for key, role in loaded.roles.items():
        for tag in role.tags:
            at = Place(ROLES, key, ("tags", tag))
            yield from unknown(loaded, at, "definition.unknown_tag", tag, sorted(carried), key=True)


def stock_rows_need_a_warehouse(loaded: Loaded) -> Iterator[Problem]:
    """A filter over warehouses needs a form that plays the warehouse."""
    for key, role in loaded.roles.items():
        if role.stock.rows != "all" and loaded.app is not None and loaded.app.dimensions.warehouse is None:
            at = Place(ROLES, key, ("stock", "rows"))
            yield complaint(loaded, at, "definition.dimension_form", dimension="warehouse")


def forms_can_be_read(loaded: Loaded) -> Iterator[Problem]:
    """A form nobody but the administrator may read is most likely forgotten."""
    granted = {name for role in loaded.roles.values() for grant in role.grants for name in _forms(loaded, grant)}
    for key, form in loaded.forms.items():
        if key not in granted:
            yield caution(loaded, form_place(key, "form"), "definition.nobody_reads", form=form.label, role=ADMIN_ROLE)


def _grants(loaded: Loaded) -> Iterator[tuple[Grant, Place]]:
    for key, role in loaded.roles.items():
        for index, grant in enumerate(role.grants):
            yield grant, Place(ROLES, key, ("grants", index))


def _forms(loaded: Loaded, grant: Grant) -> tuple[str, ...]:
    if EVERY_FORM in grant.forms:
        return tuple(loaded.forms)
    return tuple(name for name in grant.forms if name in loaded.forms)


def _paths(loaded: Loaded, form: str) -> tuple[str, ...]:
    definition = loaded.forms[form]
    return (*field_paths(definition), *system_fields(definition))
