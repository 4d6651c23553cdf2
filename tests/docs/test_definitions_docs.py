"""docs/definitions.md tells the truth: its files are one flawless app, its fragments load, and no key is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from engine.built_in import built_in_kinds
from engine.definitions.file_kinds import FILE_KINDS, kind_of
from engine.definitions.mistakes import keys_of
from engine.definitions.references import DOCUMENT_ACTIONS, MASTER_ACTIONS
from engine.definitions.system_fields import SYSTEM_TYPES
from runtime.bundles import bundle_in
from runtime.definition_checks import checked_bundle
from runtime.messages.catalogue import Catalogue
from runtime.stories import Theatre, perform
from runtime.stories.report import lines

TEXT = (Path(__file__).parents[2] / "docs" / "definitions.md").read_text("utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.M | re.S)
FILES = {block.split("\n", 1)[0].removeprefix("# "): block for block in BLOCKS if block.startswith("# ")}
FRAGMENTS = [block for block in BLOCKS if not block.startswith("# ")]
WORDS = frozenset(re.findall(r"`([^`\n]+)`", TEXT))


def test_the_files_of_the_page_are_a_flawless_app() -> None:
    assert {kind_of(path) for path in FILES} == set(FILE_KINDS)
    bundle, problems = checked_bundle(FILES, built_in_kinds())
    assert [f"{each.where} {each.code} {dict(each.params)}" for each in problems] == []
    assert bundle is not None


def test_the_app_of_the_page_acts_out_its_story(tmp_path: Path, catalogue: Catalogue) -> None:
    for path, text in FILES.items():
        (tmp_path / "shop" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "shop" / path).write_text(text, "utf-8")
    (tmp_path / "stage").mkdir()
    bundle = bundle_in(tmp_path / "shop")
    with Theatre(bundle, catalogue, tmp_path / "stage", tmp_path / "shop" / "tests", None) as theatre:
        for story in bundle.stories.values():
            result = perform(theatre, story)
            assert result.passed, "\n".join(lines(result, catalogue, "en"))


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_fragments_are_the_fields_of_a_form(fragment: str) -> None:
    assert fragment.startswith("fields:\n")
    form = "form: sample\nkind: master\nlabel: {zh: 样例, en: Sample}\n" + fragment
    role = "role: reader\nlabel: {zh: 读者, en: Reader}\ngrants: [{forms: ['*'], actions: [read]}]\n"
    app = "app: sample\nversion: 1.0.0\nlabel: {zh: 样例, en: Sample}\n"
    files = {"app.yaml": app, "forms/sample.yaml": form, "roles/reader.yaml": role}
    bundle, problems = checked_bundle(files, built_in_kinds())
    assert [f"{each.where} {each.code}" for each in problems] == []
    assert bundle is not None


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for part in get_args(annotation):
        if part is not NoneType:
            yield from models(part)


def all_models() -> dict[str, type[BaseModel]]:
    found: dict[str, type[BaseModel]] = {}
    waiting: list[type[BaseModel]] = [kind.model for kind in FILE_KINDS]
    while waiting:
        model = waiting.pop()
        if model.__name__ in found:
            continue
        found[model.__name__] = model
        for field in model.model_fields.values():
            waiting += models(field.annotation)
    return {name: model for name, model in found.items() if name != "BaseModel"}


@pytest.mark.parametrize("model", all_models().values(), ids=lambda model: model.__name__)
def test_every_key_is_described(model: type[BaseModel]) -> None:
    described = {part for word in WORDS for part in re.split(r"[.: ]", word)}
    assert [key for key in keys_of(model) if key not in described | {"options"}] == []


def test_every_type_action_and_system_field_is_named() -> None:
    assert built_in_kinds().field_types.keys() <= WORDS
    assert {*DOCUMENT_ACTIONS, *MASTER_ACTIONS} - WORDS == set()
    assert SYSTEM_TYPES.keys() - WORDS == set()
