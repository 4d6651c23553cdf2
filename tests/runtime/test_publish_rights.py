"""Publishing in spite of red tests asks for the right when it publishes, whoever made the override."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.problems import Refused
from runtime.facade import accounts
from runtime.publishing import Despite, despite_tests, publish
from runtime.storage import audit
from runtime.storage.database import read
from tests.houses import WORKSPACE, Home, codes, make_home
from tests.runtime.test_trying_gate import TINY, red


@pytest.fixture
def home(tmp_path: Path, house_url: str | None) -> Home:
    return make_home(tmp_path, TINY, house_url)


def test_whoever_may_not_override_publishes_nothing(home: Home) -> None:
    database, bundle = home.house.workspace(WORKSPACE).database, red()
    before = home.house.published(home.house.workspace(WORKSPACE)).bundle.hash
    gone = home.door("admin").actor
    earlier = despite_tests(gone, "昨天还可以")
    watch = home.door("admin", "keeper")
    accounts.set_active(watch, gone.user, False)
    for despite, kind, code in (
        (Despite(user=home.door("keeper").actor.user, reason="急"), "forbidden", "publish.not_yours"),
        (Despite(user=99_999, reason="急"), "forbidden", "publish.nobody"),
        (earlier, "forbidden", "publish.nobody"),
        (Despite(user=watch.actor.user, reason=" "), "invalid", "publish.reason_needed"),
    ):
        with pytest.raises(Refused) as refused:
            publish(database, bundle, "li", home.clock(), despite=despite)
        assert (refused.value.kind, codes(refused.value)) == (kind, [code])
    assert home.house.published(home.house.workspace(WORKSPACE)).bundle.hash == before
    with read(database) as connection:
        assert "publish.despite_tests" not in {row["event"] for row in audit.latest(connection)}
