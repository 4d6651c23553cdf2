"""Who works in the demo company: departments, people, and what they are called when they sign in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account to be: ``login`` is typed at the door, ``name`` is what colleagues read.

    ``head``: heads the department.
    """

    login: str
    name: str
    roles: tuple[str, ...]
    department: str
    head: bool = False


DEPARTMENTS = ("总经办", "采购部", "销售部", "仓储部", "财务部", "信息部")
PASSWORD = "stockloom-demo"
PEOPLE = (
    Person(login="gm", name="王总", roles=("gm",), department="总经办", head=True),
    Person(login="buyer", name="李采购", roles=("buyer",), department="采购部"),
    Person(login="purchase_mgr", name="张经理", roles=("purchase_mgr",), department="采购部", head=True),
    Person(login="sales", name="赵销售", roles=("sales",), department="销售部"),
    Person(login="sales_mgr", name="钱经理", roles=("sales_mgr",), department="销售部", head=True),
    Person(login="keeper", name="孙仓管", roles=("keeper",), department="仓储部"),
    Person(login="wh_mgr", name="周主管", roles=("wh_mgr",), department="仓储部", head=True),
    Person(login="finance", name="吴会计", roles=("finance",), department="财务部"),
    Person(login="finance_mgr", name="冯总监", roles=("finance_mgr",), department="财务部", head=True),
    Person(login="cashier", name="陈出纳", roles=("cashier",), department="财务部"),
    Person(login="data_admin", name="郑数据", roles=("data_admin",), department="信息部"),
    Person(login="admin", name="管理员", roles=("admin",), department="信息部"),
)
