"""docs/stories.md tells the truth: its story runs as it stands, and it names every key a story may have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from engine.built_in import built_in_kinds
from engine.definitions import story
from runtime.definition_checks import checked_bundle
from runtime.definition_files import read_definition_files
from runtime.messages.catalogue import Catalogue
from runtime.stories import Theatre, perform
from runtime.stories.report import lines
from tests.stories.apps import ROOT

PAGE = (ROOT / "docs" / "stories.md").read_text("utf-8")
SHOP = ROOT / "examples" / "stationery_shop"
MODELS = [each for each in vars(story).values() if isinstance(each, type) and issubclass(each, BaseModel)]


def test_the_story_of_the_page_runs_in_the_shop(tmp_path: Path, catalogue: Catalogue) -> None:
    written = dict(re.findall(r"```yaml\n# (tests/\S+)\n(.*?)```", PAGE, re.DOTALL))
    assert written
    files, _ = read_definition_files(SHOP)
    bundle, problems = checked_bundle({**files, **written}, built_in_kinds())
    assert bundle is not None, problems
    with Theatre(bundle, catalogue, tmp_path, SHOP / "tests") as theatre:
        for name in written:
            result = perform(theatre, bundle.stories[Path(name).stem])
            assert result.passed, "\n".join(lines(result, catalogue, "en"))


@pytest.mark.parametrize("model", MODELS, ids=[model.__name__ for model in MODELS])
def test_every_key_is_on_the_page(model: type[BaseModel]) -> None:
    keys = {field.alias or name for name, field in model.model_fields.items()}
    assert sorted(key for key in keys if f"`{key}`" not in PAGE) == []
