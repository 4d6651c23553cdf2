"""The headings companies really use, by what they mean. Data, and the index over it.

A heading may mean several things (往来单位 is a supplier or a customer); what the form has decides. Matching, typing
and header detection all read this one table.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.sheets.headers import key_of

_TABLE = """
product_code: 商品编码, 商品编号, 物料编码, 物料编号, 物料代码, 商品代码, 货号, 编码, 编号, 代码, 存货编码, 存货编号,
    存货代码, 产品编码, 产品编号, 产品代码, 料号, 品号, 物资编号, 物资编码, 物资代码, 材料编码, 材料编号, 款号, SKU,
    SKU编码, SKU码, SKU ID, 商家编码, 商品货号, 书号, 图号, item code, item no, part no, P/N, part number,
    product code, product no, product number, product id, product key, product sku, stock code, item number, code,
    item id, isbn, article no
product_name: 品名, 商品名称, 商品名, 物料名称, 名称, 货品名称, 货品, 产品名称, 产品名, 产品, 存货名称, 存货,
    材料名称, 材料, 原料, 原料名称, 原材料名称, 原材料, 食材, 食材名称, 品项, 商品, 标题, 商品标题, 物资名称, 物料,
    物品名称, 物品, 货物名称, 书名, 菜品, 商品描述, 商品全名, 品名规格, product name, product, item, item name, name,
    description, product description, title, material, material name, goods
spec: 规格, 规格型号, 型号, 型号规格, 规格/型号, 箱规, 包装规格, 商品规格, 产品规格, 产品型号, 物料规格, 尺码,
    规格说明, spec, specification, model, model name, model no, size, product size, quantity per unit
unit: 单位, 计量单位, 基本单位, 库存单位, 单位名称, 商品单位, 主单位, 基本计量单位, 采购单位, 销售单位, 产品单位, UOM,
    unit, base unit, unit of measure
aux_unit: 副单位, 大单位, 装箱单位, 整件单位, 辅助单位, 包装单位, aux unit, pack unit
conversion: 换算, 换算率, 换算关系, 换算比例, 装箱数, 装箱量, 每箱数量, 比例, 件装量, 入数, conversion, pack size,
    units per case
barcode: 条码, 条形码, 商品条码, 国际条码, 基本条码, 副条码, 69码, 产品条码, 商品条形码, 一维码, barcode, EAN, EAN13,
    UPC, GTIN
category: 类别, 分类, 商品分类, 商品类别, 物料类别, 物料分类, 产品类别, 产品分类, 存货分类, 大类, 小类, 品类, 类型,
    种类, category, product category, type, class, group, category id, subcategory, product subcategory key
brand: 品牌, 商品品牌, 品牌名称, 商标, brand
manufacturer: 生产厂家, 生产厂商, 生产企业, 厂家, 制造商, 厂商, 出版社, manufacturer, maker, publisher
origin: 产地, 原产地, 商品产地, origin, country of origin
colour: 颜色, 商品颜色, 色号, color, colour, product color
qty: 数量, 实发数量, 实收数量, 入库数量, 出库数量, 采购数量, 订货量, 订货数量, 订购数量, 销量, 销售数量, 件数, 用量,
    申请数量, 应收数量, 应发数量, 调拨数量, 领用数量, 退货数量, 发货数量, 到货数量, qty, quantity, units, order qty,
    ordered, count, pcs
opening_qty: 期初数量, 期初库存, 期初库存数量, 初始库存, 初始数量, 库存数量, 库存量, 库存, 现存量, 现有库存, 现库存,
    可用库存, 当前库存, 结存数量, 期末数量, 期末库存, 结存, opening qty, on hand, stock, units in stock, stock qty,
    opening stock, quantity on hand, in stock
book_qty: 账面数, 账面数量, 账面库存, 账存数, 账存数量, 系统数量, 系统库存, book qty, system qty
count_qty: 实盘数, 实盘数量, 盘点数量, 盘点数, 实际数量, 实存数量, 实盘, counted, count qty, counted qty
diff_qty: 盈亏, 盈亏数量, 差异, 差异数量, 盘盈盘亏, difference, variance
price: 单价, 价格, 商品价格, 进价, 采购价, 采购单价, 进货价, 未税单价, 不含税单价, 含税单价, 含税价, 成交价, 售价,
    销售单价, 定价, 参考价, price, unit price, list price, product price, 申报价值
purchase_price: 采购价, 采购单价, 进价, 进货价, 进货单价, 参考进价, purchase price, buying price
cost: 成本, 成本价, 成本单价, 单位成本, 期初成本, 商品成本, 期初单价, cost, unit cost, cost price, product cost,
    standard cost
sale_price: 售价, 销售价, 销售单价, 销售价格, 一销价, 二销价, 三销价, sale price, selling price, sales price
wholesale_price: 批发价, 批发单价, wholesale price
retail_price: 零售价, 建议零售价, 零售单价, 市场价, 吊牌价, retail price, rrp, msrp
min_price: 最低售价, 最低价, 最低销售价, 限价, min price, minimum price
amount: 金额, 货款, 小计, 未税金额, 不含税金额, 期初金额, 库存金额, 成本金额, amount, line total, subtotal,
    items total, amount paid
tax_rate: 税率, 税率%, 增值税率, tax rate, vat, vat rate
tax_amount: 税额, 税金, 增值税额, tax, tax amount
total: 价税合计, 含税金额, 总金额, 总额, 应付合计, 应收合计, 合计金额, 实付, 实付金额, total, grand total
discount: 折扣, 折扣率, 优惠, 优惠金额, discount
supplier: 供应商, 供货商, 供货单位, 供货厂家, 供应商名称, 商品供应商, 默认供应商, 往来单位, 厂商, 进货单位, 供应单位,
    供应商编码, supplier, vendor, supplier name, vendor name, supplier id, company name
customer: 客户, 客户名称, 客户代码, 客户编码, 购货单位, 收货单位, 购买方, 往来单位, 店铺, 会员, 客户单位, 买家,
    customer, customer name, customer id, client, buyer name
warehouse: 仓库, 仓库名称, 库房, 存放仓库, 存放地, 存放地点, 分仓, 门店, 所属仓库, 默认仓库, 入库仓库, 出库仓库,
    收货仓库, 发货仓库, warehouse, warehouse name, store, depot, location
bin: 库位, 货位, 货架, 仓位, 储位, 仓位货架, 货架号, 库位号, 货位号, 库位列表, 库位编码, bin, shelf, bin location
lot_no: 批号, 批次, 批次号, 生产批号, 供应商批号, lot, lot no, batch, batch no
serial_no: 序列号, SN, SN码, 串号, 机身号, serial no, serial number, serial
mfg_date: 生产日期, 出厂日期, 制造日期, production date, mfg date, manufactured
expiry_date: 有效期, 有效期至, 到期日, 到期日期, 失效日期, 失效期, 保质期至, 过期日期, expiry date, expiry,
    best before, exp date
shelf_life: 保质期, 保质期天数, 保质天数, 保质期天, 质保期, shelf life
biz_date: 日期, 单据日期, 业务日期, 入库日期, 出库日期, 制单日期, 下单时间, 下单日期, 开单时间, 开单日期, 订单日期,
    订货日期, 采购日期, 销售日期, 发货日期, 交货日期, 到货日期, 盘点日期, date, order date, invoice date, sale date,
    ship date, delivery date, doc date
due_date: 交期, 要求到货日期, 需求日期, 付款日期, due date, required date
created_at: 创建时间, 创建日期, 建档日期, 录入时间, created, created at, create time
updated_at: 最后更新时间, 更新时间, 修改时间, 最后修改时间, updated, updated at, update time
doc_no: 单号, 单据编号, 单据号, 单据号码, 入库单号, 出库单号, 订单编号, 订单号, 送货单号, 销售单号, 采购单号, 发票号,
    发票号码, order no, order number, order id, invoice no, invoice number, doc no, document no
src_no: 源单号, 来源单号, 采购订单号, 销售订单号, 合同号, 合同编号, 关联单号, po no, po number, source no
handler: 经手人, 制单人, 操作员, 制表人, 创建人, 录入人, handler, created by, operator
buyer: 采购员, 采购人, buyer, purchaser
salesperson: 业务员, 销售员, 跟单, 销售代表, rep, salesperson, sales rep, seller
keeper: 仓管, 仓管员, 库管, 库管员, 保管员, keeper
counter: 盘点人, 盘点员, counted by
department: 部门, 领用部门, 所属部门, 部门名称, 责任区域, department, dept
contact: 联系人, 负责人, 收件人, 收货人, 联系人姓名, contact, contact name, contact person, 主编
phone: 手机, 手机号, 手机号码, 联系电话, 联系方式, 电话, 电话号码, 固定电话, 传真, phone, mobile, tel, telephone, fax,
    phone number, mobile phone
email: 邮箱, 电子邮箱, 电子邮件, 邮件地址, email, e-mail, mail
address: 地址, 收货地址, 送货地址, 详细地址, 邮寄地址, 公司地址, 联系地址, 注册地址, address, addr1, addr2, street,
    shipping address
region: 省份, 省, 城市, 市, 行政区, 区县, 省市区, 地区, 区域, 供应商城市, city, state, region, country, province,
    district, zip, postal code, 邮编
tax_no: 税号, 纳税人识别号, 统一社会信用代码, 纳税识别号, 信用代码, tax no, tax id, vat no
bank: 开户行, 开户银行, 银行, bank, bank name
bank_account: 账号, 银行账号, 卡号, 银行卡号, 帐号, bank account, account no, iban
opening_receivable: 期初应收, 应收余额, 欠款, 期初欠款, opening receivable
opening_payable: 期初应付, 应付余额, 欠供应商, opening payable
settlement: 结算方式, 付款方式, 收款方式, 账期, payment method, payment terms, terms
safety_stock: 安全库存, 库存下限, 最低库存, safety stock, reorder level, reorder point
min_stock: 最小库存, 最低库存, 库存下限, min stock
max_stock: 库存上限, 最高库存, 最大库存, max stock
on_order: 在途, 在途数量, 在途库存, units on order, on order
weight: 重量, 基础重量, 单重, 毛重, 净重, 商品重量, weight
volume: 体积, 最小单位体积, volume
loss_rate: 损耗, 损耗率, loss rate, scrap rate
yield_rate: 出成率, 净料率, 成品率, 得率, yield
bom_parent: 父项, 父项编码, 父件编码, 成品编码, 母件编码, parent, parent code
bom_child: 子项, 子项编码, 子件编码, 物料, component, child, child code
bom_qty: 用量, 单耗, 定额, 单位用量, 标准用量, qty per, usage
bom_level: 层级, 级别, 阶次, 层次, level
designator: 位号, designator, reference
process: 工序, 工艺, process, operation
remark: 备注, 说明, 附注, 摘要, 描述, remark, remarks, note, notes, memo, comment, comments
status: 状态, 启用, 是否启用, 订单状态, 单据状态, status, state, active, discontinued, 停用
seq: 序号, 行号, 项次, No, No., #, seq, line, line no, sort, 排序
express: 快递, 快递公司, 物流公司, 运单号, 快递单号, carrier, tracking no
"""


def _read(table: str) -> Mapping[str, tuple[str, ...]]:
    """``meaning: name, name …`` per entry; an indented line goes on with the entry above."""
    found: dict[str, tuple[str, ...]] = {}
    for line in table.replace("\n ", " ").strip().splitlines():
        meaning, _, names = line.partition(":")
        found[meaning] = tuple(name.strip() for name in names.split(","))
    return MappingProxyType(found)


ALIASES: Mapping[str, tuple[str, ...]] = _read(_TABLE)
"""Meaning → headings, the most usual first."""


def _index() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for meaning, names in ALIASES.items():
        for key in (key_of(name) for name in (*names, meaning)):
            if key and meaning not in found.get(key, ()):
                found[key] = (*found.get(key, ()), meaning)
    return MappingProxyType(found)


MEANINGS: Mapping[str, tuple[str, ...]] = _index()
"""Heading key → what it may mean, most usual first."""


def meanings(key: str) -> tuple[str, ...]:
    """What a heading key means exactly; empty when the dictionary does not know it."""
    return MEANINGS.get(key, ())


def contained(key: str) -> tuple[str, tuple[str, ...]]:
    """Known heading contained in ``key`` and what it means; ``("", ())`` when none is.

    The end of a Chinese or English compound says what it is, so a piece at the end wins, then the longest: 商品单位重量
    is a weight. Chinese pieces need 2 characters, Latin pieces 4.
    """
    best: tuple[bool, int, str] = (False, 0, "")
    for name in MEANINGS:
        if len(name) < (4 if name.isascii() else 2) or len(name) >= len(key) or name not in key:
            continue
        best = max(best, (key.endswith(name), len(name), name))
    return best[2], MEANINGS.get(best[2], ())
