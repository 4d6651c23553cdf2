"""The command line finds its commands, speaks both languages, and says by its exit code how it went."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.cli import command_modules, main
from runtime.messages.catalogue import Catalogue
from runtime.settings import Settings
from runtime.system_parts import Part, inspect_system


def outcome(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command line."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    printed = capsys.readouterr()
    return int(caught.value.code or 0), printed.out, printed.err


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for name in command_modules():
        code, printed, _ = outcome([name, "--help"], capsys)
        assert code == 0, name
        assert f"stockloom {name}" in printed


def test_an_unknown_command_is_a_wrong_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["serv"], capsys)[0] == 2


def test_a_misspelt_setting_stops_every_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STOCKLOOM_PROT", "8000")
    code, printed, complaint = outcome(["version"], capsys)
    assert (code, printed) == (1, "")
    assert complaint.startswith("STOCKLOOM_PROT setting.unknown 没有名为 STOCKLOOM_PROT 的设置")


def test_doctor_is_content_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STOCKLOOM_DATA_DIR", str(tmp_path / "not" / "yet"))
    code, printed, _ = outcome(["doctor"], capsys)
    assert code == 0
    assert "[正常] SQLite" in printed
    assert not (tmp_path / "not").exists()


def test_doctor_refuses_when_a_required_part_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("STOCKLOOM_DATA_DIR", str(tmp_path / "file"))
    monkeypatch.setenv("STOCKLOOM_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    monkeypatch.setenv("STOCKLOOM_LANGUAGE", "en")
    code, printed, _ = outcome(["doctor"], capsys)
    assert code == 1
    assert "[missing] Data folder" in printed
    assert "[missing] Configured PostgreSQL" in printed
    assert "secret" not in printed


def test_doctor_names_the_package_of_an_absent_part(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("runtime.system_parts.CHROMIUM_NAMES", ("no-such-browser",))
    code, printed, _ = outcome(["doctor"], capsys)
    assert code == 0
    assert "[可选] Chromium" in printed
    assert "apt-get install -y chromium" in printed


def test_every_part_has_words_in_both_languages(catalogue: Catalogue) -> None:
    parts = (*inspect_system(Settings()), Part(key="postgres_server", present=False))
    for part in parts:
        for language in ("zh", "en"):
            assert catalogue.ui(f"doctor.{part.key}", language)
            assert catalogue.ui(f"doctor.{part.key}.without", language)


def test_doctor_lists_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    code, printed, _ = outcome(["doctor", "--settings"], capsys)
    assert code == 0
    assert "STOCKLOOM_UPLOAD_LIMIT_MB=20" in printed
