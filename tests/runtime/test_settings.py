"""Settings are read once, strictly, and every mistake is named at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.problems import Refused
from runtime.messages.catalogue import Catalogue
from runtime.settings import Settings, read_settings, setting_helps


def test_an_empty_environment_gives_the_defaults() -> None:
    assert read_settings({"PATH": "/bin", "LANG": "C"}) == Settings()


def test_values_are_read_by_type() -> None:
    settings = read_settings(
        {
            "STOCKLOOM_DATA_DIR": "/srv/stockloom",
            "STOCKLOOM_PORT": "8123",
            "STOCKLOOM_DATABASE_URL": "postgres://u:p@db/x",
            "STOCKLOOM_LANGUAGE": "en",
            "STOCKLOOM_TEST_MODE": "yes",
            "STOCKLOOM_UPLOAD_LIMIT_MB": "5",
        }
    )
    assert settings == Settings(
        data_dir=Path("/srv/stockloom"),
        port=8123,
        database_url="postgresql+psycopg://u:p@db/x",
        language="en",
        test_mode=True,
        upload_limit_mb=5,
    )
    assert settings.upload_limit_bytes == 5 * 1024 * 1024
    assert settings.secret_path == Path("/srv/stockloom/secret.key")


def test_an_empty_optional_value_means_not_set() -> None:
    assert (
        read_settings({"STOCKLOOM_DATABASE_URL": "", "STOCKLOOM_SECRET_FILE": "", "STOCKLOOM_DATA_DIR": ""})
        == Settings()
    )


@pytest.mark.parametrize(
    ("variable", "value", "code"),
    [
        ("STOCKLOOM_PROT", "8000", "setting.unknown"),
        ("STOCKLOOM_PORT", "70000", "setting.not_in_range"),
        ("STOCKLOOM_PORT", "-1", "setting.not_in_range"),
        ("STOCKLOOM_PORT", "８０", "setting.not_in_range"),
        ("STOCKLOOM_PORT", "", "setting.not_in_range"),
        ("STOCKLOOM_TEST_MODE", "perhaps", "setting.not_boolean"),
        ("STOCKLOOM_LANGUAGE", "fr", "setting.not_a_choice"),
        ("STOCKLOOM_DATABASE_URL", "mysql://root:secret@h/x", "setting.not_postgres"),
    ],
)
def test_a_malformed_value_is_refused(variable: str, value: str, code: str, catalogue: Catalogue) -> None:
    with pytest.raises(Refused) as caught:
        read_settings({variable: value})
    [found] = caught.value.problems
    assert (found.code, found.where) == (code, variable)
    for language in ("zh", "en"):
        assert "secret" not in catalogue.line(found, language)


def test_all_mistakes_come_at_once() -> None:
    with pytest.raises(Refused) as caught:
        read_settings({"STOCKLOOM_PROT": "1", "STOCKLOOM_PORT": "x", "STOCKLOOM_LANGUAGE": "fr"})
    assert len(caught.value.problems) == 3
    assert dict(caught.value.problems[-1].params)["suggestion"] == "STOCKLOOM_PORT"


def test_every_setting_has_help_in_both_languages() -> None:
    assert all(each.zh and each.en for each in setting_helps())
