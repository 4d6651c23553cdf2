"""A small company for browser tests: the general template, its people, and goods one can order by code or pinyin."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

from engine.built_in import built_in_kinds
from engine.forms.draft import LinePatch, Patch
from runtime.facade import accounts, documents, organisation
from runtime.facade.door import Door
from runtime.hookspecs import NO_PLUGINS, Plugins
from runtime.house import House
from runtime.house_jobs import inline_house
from runtime.jobs.inline import InlineJobs
from runtime.messages.catalogue import Catalogue, load_catalogue
from runtime.publishing import publish
from runtime.settings import Settings
from runtime.submit import Command
from runtime.workspaces import create_workspace, open_workspace
from tests.houses import compiled, published_apps

WORKSPACE = "loom"
APP = "general"
PASSWORD = "weave the cloth"
TEMPLATE = Path(__file__).parents[2] / "templates_catalog" / "general"
PEOPLE = (
    ("gm", "王总", "gm", "总经办"),
    ("buyer", "李采购", "buyer", "采购部"),
    ("manager", "张经理", "purchase_mgr", "采购部"),
    ("keeper", "孙仓管", "keeper", "仓储部"),
    ("storehead", "周主管", "wh_mgr", "仓储部"),
    ("finance", "吴会计", "finance", "财务部"),
    ("sales", "赵销售", "sales", "销售部"),
    ("data", "郑数据", "data_admin", "信息部"),
)
GOODS = (
    ("P001", "五常大米", "10kg", "袋", "68"),
    ("P002", "山西陈醋", "500ml", "瓶", "6.5"),
    ("P003", "白砂糖", "1kg", "袋", "7.2"),
    ("P004", "花生油", "5L", "桶", "89.9"),
    ("P005", "绿豆", "2.5kg", "袋", "24"),
    ("P006", "酱油", "800ml", "瓶", "12.8"),
    ("P007", "食用盐", "400g", "袋", "2.5"),
    ("P008", "挂面", "1kg", "包", "9.9"),
    ("P009", "黑木耳", "250g", "袋", "38"),
    ("P010", "干香菇", "500g", "袋", "56"),
    ("P011", "红枣", "1kg", "袋", "32"),
    ("P012", "枸杞", "500g", "袋", "45"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """The house it lives in, and ids of what was made: ``supplier:S01`` → 3."""

    house: House
    jobs: InlineJobs
    settings: Settings
    made: Mapping[str, int]

    def door(self, login: str) -> Door:
        """The door of a person."""
        return accounts.user_door(self.house, WORKSPACE, login)

    def do(self, login: str, form: str, action: str, **more: object) -> int:
        """Carry out a command as somebody; returns the document's id."""
        return documents.submit(self.door(login), Command(form=form, action=action, **more)).document  # type: ignore[arg-type]

    def order(self, lines: int = 3, action: str = "save", login: str = "buyer") -> int:
        """A purchase order of the first ``lines`` goods, 10 pieces each."""
        rows = tuple(LinePatch(values={"product": code, "qty": "10"}) for code, *_ in GOODS[:lines])
        values = {"supplier": "S01", "warehouse": "W1", "arrive_date": "2026-03-05"}
        return self.do(login, "purchase_order", action, patch=Patch(values=values, lines={"lines": rows}))


def noon() -> datetime:
    """The moment it always is in the tests."""
    return datetime(2026, 3, 2, 12, 0)


def found(folder: Path, catalogue: Catalogue, plugins: Plugins = NO_PLUGINS, **settings_of: str) -> Company:
    """The company in ``folder``: a copy of the one that was made first in this process."""
    prepared, made = _prepared()
    shutil.copytree(prepared, folder, dirs_exist_ok=True)
    settings = Settings(data_dir=folder, test_mode=True, **settings_of)  # type: ignore[arg-type]
    house, jobs = inline_house(settings, built_in_kinds(), catalogue, noon, plugins=plugins)
    house.apps = published_apps(TEMPLATE)
    house.keep(open_workspace(settings, WORKSPACE))
    return Company(house=house, jobs=jobs, settings=settings, made=made)


@cache
def _prepared() -> tuple[Path, Mapping[str, int]]:
    """The data folder of the company, which goes with the process, and the ids of what is in it."""
    folder = Path(tempfile.mkdtemp(prefix="stockloom-company-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    settings = Settings(data_dir=folder, test_mode=True)
    house, jobs = inline_house(settings, built_in_kinds(), load_catalogue(strict=True), noon)
    house.apps = published_apps(TEMPLATE)
    workspace = house.keep(create_workspace(settings, WORKSPACE))
    publish(workspace.database, compiled(TEMPLATE), "test", noon())
    names = dict.fromkeys(department for *_, department in PEOPLE)
    departments = {name: organisation.add_department(house, WORKSPACE, name) for name in names}
    for login, name, role, department in PEOPLE:
        accounts.add_user(
            house,
            WORKSPACE,
            login=login,
            name=name,
            password=PASSWORD,
            roles=(role,),
            department=departments[department],
        )
    made = _masters(Company(house=house, jobs=jobs, settings=settings, made={}))
    house.close()
    return folder, made


def _masters(company: Company) -> Mapping[str, int]:
    made: dict[str, int] = {}

    def make(form: str, key: str, values: dict[str, object]) -> None:
        made[f"{form}:{key}"] = company.do("data", form, "save", patch=Patch(values=values))

    for name in ("袋", "瓶", "桶", "包", "箱"):
        make("unit", name, {"name": name})
    make("product_category", "C1", {"code": "C1", "name": "粮油副食"})
    make("warehouse", "W1", {"code": "W1", "name": "总仓", "keeper": "孙仓管"})
    make("warehouse", "W2", {"code": "W2", "name": "城东仓"})
    make("supplier", "S01", {"code": "S01", "name": "北大仓米业", "settle_method": "monthly", "credit_days": "30"})
    make("supplier", "S02", {"code": "S02", "name": "鲁花粮油", "settle_method": "cash"})
    make("customer", "K01", {"code": "K01", "name": "世纪联华", "salesperson": "赵销售"})
    for code, name, spec, unit, price in GOODS:
        values: dict[str, object] = {"code": code, "name": name, "spec": spec, "category": "C1", "base_unit": unit}
        make("product", code, {**values, "purchase_price": Decimal(price), "last_price": Decimal(price)})
    return made
