"""Imports through the page, the API and the command line; bad files get a sentence, and nothing of them is kept."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from engine.problems import Refused
from runtime.app import create_app
from runtime.facade import accounts, files, imports
from runtime.facade.door import Door
from tests.houses import PASSWORD, WORKSPACE, Home, codes, do
from tests.imports.sheets import csv, product, xlsx

API = f"/api/v1/{WORKSPACE}/general/-/imports"
PAGE = f"/w/{WORKSPACE}/general/import"
OLE = bytes.fromhex("d0cf11e0a1b11ae1")


@pytest.fixture
def client(home: Home, door: Door) -> Iterator[TestClient]:
    with TestClient(create_app(home.house.settings, home.house), follow_redirects=False) as client:
        yield client


@pytest.fixture
def signed_in(client: TestClient) -> TestClient:
    page = client.get(f"/w/{WORKSPACE}/login").text
    hidden = dict(re.findall(r'name="(entrance|back)" value="([^"]*)"', page))
    answer = client.post(f"/w/{WORKSPACE}/login", data=hidden | {"login": "everybody", "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return client


def key(door: Door) -> dict[str, str]:
    return {"Authorization": f"Bearer {accounts.create_api_key(door, 'test')}"}


def posted(client: TestClient, content: bytes, name: str = "表.xlsx") -> tuple[int, str]:
    """Upload through the page: status, and the text of the page that answers."""
    token = re.search(r'data-csrf="([^"]+)"', client.get(PAGE).text)
    assert token is not None
    answer = client.post(PAGE, data={"csrf": token[1], "form": "product"}, files={"file": (name, content)})
    return answer.status_code, answer.text


def zip_bomb() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (400 << 20))
    return out.getvalue()


def encrypted() -> bytes:
    """What an Excel file with a password looks like from outside: a compound file with the stream EncryptedPackage."""
    sector = 512
    name = "EncryptedPackage".encode("utf-16-le")
    header = bytearray(sector)
    header[:8] = OLE
    header[24:34] = (0x3E).to_bytes(2, "little") + (3).to_bytes(2, "little") + b"\xfe\xff" + b"\x09\x00" + b"\x06\x00"
    header[44:48] = (1).to_bytes(4, "little")
    header[48:52] = (1).to_bytes(4, "little")
    header[56:60] = (4096).to_bytes(4, "little")
    header[60:64] = header[68:72] = (0xFFFFFFFE).to_bytes(4, "little")
    header[76:] = b"\xff" * (sector - 76)
    header[76:80] = (0).to_bytes(4, "little")
    table = bytearray(b"\xff" * sector)
    table[0:4] = (0xFFFFFFFD).to_bytes(4, "little")
    table[4:8] = (0xFFFFFFFE).to_bytes(4, "little")
    directory = bytearray(sector)
    for place, (text, kind) in enumerate((("Root Entry".encode("utf-16-le"), 5), (name, 2))):
        entry = bytearray(128)
        entry[: len(text)] = text
        entry[64:66] = (len(text) + 2).to_bytes(2, "little")
        entry[66] = kind
        entry[68:80] = b"\xff" * 12
        entry[116:120] = (0xFFFFFFFE).to_bytes(4, "little")
        directory[place * 128 : place * 128 + 128] = entry
    directory[76:80] = (1).to_bytes(4, "little")
    return bytes(header + table + directory)


@pytest.mark.parametrize(
    ("content", "status", "sentence"),
    [
        (b"x" * (60 << 20), 413, "20 MB"),
        (encrypted(), 422, "打开密码"),
        (zip_bomb(), 422, "解压后过大"),
        (b"PK\x03\x04 broken", 422, "已损坏"),
        (b"", 422, "空的"),
    ],
    ids=["60 MB", "encrypted", "zip bomb", "damaged", "empty"],
)
def test_a_bad_file_gets_its_sentence(
    signed_in: TestClient, door: Door, content: bytes, status: int, sentence: str
) -> None:
    answered, page = posted(signed_in, content)
    assert answered == status
    assert sentence in page
    assert imports.latest(door) == ()
    assert not [path for path in door.workspace.files_dir.rglob("*") if path.is_file()]


def test_gb18030_through_the_page(signed_in: TestClient, door: Door) -> None:
    status, _ = posted(signed_in, csv([product(1), product(2)], encoding="gb18030"), "旧系统.csv")
    assert status == 303
    (run,) = imports.latest(door)
    page = signed_in.get(f"{PAGE}/{run.id}").text
    assert "五金螺丝1" in page
    assert "导入 2 条" in page


def test_the_api_imports_in_steps(client: TestClient, home: Home, door: Door) -> None:
    headers = key(door)
    rows = [product(1), ("P2", "", "", "C1", "件", "1", "1", "13")]
    made = client.post(f"{API}?form=product", files={"file": ("a.xlsx", xlsx(*rows))}, headers=headers)
    assert made.status_code == 201, made.text
    number = made.json()["id"]
    assert made.json()["columns"][0]["target"] == "code"
    wrong = client.patch(f"{API}/{number}", json={"mapping": {"品牌": "brand"}}, headers=headers)
    assert wrong.status_code == 422
    changed = client.patch(f"{API}/{number}", json={"mode": "upsert", "mapping": {"规格型号": ""}}, headers=headers)
    assert changed.json()["mode"] == "upsert"
    checked = client.post(f"{API}/{number}/check", json={}, headers=headers).json()
    assert (checked["summary"]["created"], checked["summary"]["refused"]) == (1, 1)
    found = client.get(f"{API}/{number}/problems", headers=headers).json()["rows"]
    assert [(one["row"], one["letter"]) for one in found] == [(3, "B")]
    assert client.post(f"{API}/{number}/run", json={}, headers=headers).status_code == 202
    home.jobs.drain()
    done = client.get(f"{API}/{number}", headers=headers).json()
    assert (done["state"], done["created"], done["failed"]) == ("done", 1, 1)
    sheet = client.get(f"{API}/{number}/errors", headers=headers)
    assert sheet.content.startswith(b"PK")
    again = client.post(f"{API}/{number}/run", json={}, headers=headers)
    assert again.status_code == 409
    assert client.post(f"{API}/{number}/undo", json={}, headers=headers).json()["state"] == "undone"
    assert client.get(f"{API}/{number}", headers=key(home.door("data_admin"))).status_code == 404


def test_an_attachment_is_read_by_whoever_reads_its_record(home: Home, door: Door) -> None:
    kept = files.upload(door, "图.png", "image/png", [b"\x89PNG"]).id
    steward = home.door("data_admin")
    with pytest.raises(Refused) as refused:
        files.download(steward, kept)
    assert codes(refused.value) == ["storage.file_missing"]
    document = {"code": "A099", "name": "有图", "category": "C1", "base_unit": "件", "image": [kept]}
    do(door, "product", "save", document)
    assert files.download(steward, kept).name == "图.png"


def test_the_command_line(
    home: Home,
    door: Door,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stockloom: Callable[..., tuple[int, str, str]],
) -> None:
    monkeypatch.setenv("STOCKLOOM_DATA_DIR", str(tmp_path))
    sheet, out = tmp_path / "p.xlsx", tmp_path / "refused.xlsx"
    sheet.write_bytes(xlsx(product(1), ("P2", "", "", "C1", "件", "1", "1", "13")))

    def imported(*more: str) -> tuple[int, str, str]:
        where = ("--form", "product", "--workspace", WORKSPACE, "--as", "everybody")
        return stockloom("import", str(sheet), *where, *more)

    code, said, complaints = imported("--dry-run")
    assert code == 1
    assert "将新增 1，更新 0，重复 0，有错误 1" in said
    assert complaints.startswith("B3 商品名称")
    code, said, _ = imported("--errors", str(out))
    assert code == 1
    assert "新增 1" in said
    assert out.read_bytes().startswith(b"PK")
    assert imported("--undo")[0] == 0
    sheet.write_bytes(xlsx(product(1)))
    assert imported("--column", "规格型号=")[0] == 0
    assert imported("--column", "没有=code")[0] == 1
