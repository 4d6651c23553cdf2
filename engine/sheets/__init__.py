"""Spreadsheets as people make them: find the table, understand its columns, tell records from decoration."""

from __future__ import annotations

from engine.sheets.aliases import ALIASES, contained, meanings
from engine.sheets.cells import Cell, Merged, NumberedRow, Row, Sheet, cell_at, column_letter, is_blank, text_of
from engine.sheets.clean import Cleaned, Purpose, clean_cell, percent_scale, purpose_of
from engine.sheets.duplicates import Conflict, Duplicates, Repeated, find_duplicates
from engine.sheets.figures import day, figure, split_quantity
from engine.sheets.group import Group, group_documents, head_columns
from engine.sheets.headers import Heading, heading
from engine.sheets.infer import FIELD_TYPES, Guess, infer_type
from engine.sheets.map_columns import ColumnMapping, Target, Why, is_gtin, map_columns, mapping_keys, signature
from engine.sheets.recognise import Column, HeaderMatch, choose_sheet, find_header
from engine.sheets.rows import Dropped, Reason, Record, RunningSums, compare_totals, sort_rows, totals_row

__all__ = [
    "Cell",
    "Row",
    "NumberedRow",
    "Merged",
    "Sheet",
    "cell_at",
    "column_letter",
    "is_blank",
    "text_of",
    "figure",
    "day",
    "split_quantity",
    "Heading",
    "heading",
    "ALIASES",
    "meanings",
    "contained",
    "Column",
    "HeaderMatch",
    "find_header",
    "choose_sheet",
    "Guess",
    "FIELD_TYPES",
    "infer_type",
    "Target",
    "ColumnMapping",
    "Why",
    "map_columns",
    "mapping_keys",
    "signature",
    "is_gtin",
    "Record",
    "Dropped",
    "Reason",
    "RunningSums",
    "sort_rows",
    "totals_row",
    "compare_totals",
    "Cleaned",
    "Purpose",
    "clean_cell",
    "purpose_of",
    "percent_scale",
    "Conflict",
    "Duplicates",
    "Repeated",
    "find_duplicates",
    "Group",
    "group_documents",
    "head_columns",
]
