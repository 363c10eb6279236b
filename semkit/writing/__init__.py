"""Safe cells and files: whatever strangers wrote is data wherever it is written."""

from semkit.writing.cells import cell, plain_cell, text_cell
from semkit.writing.files import hash_bytes, hash_file, inside, write_bytes, write_text
from semkit.writing.markup import attribute, escape, page, table
from semkit.writing.tables import new_workbook, row_height, write_csv, write_xlsx

__all__ = [
    "attribute",
    "cell",
    "escape",
    "hash_bytes",
    "hash_file",
    "inside",
    "new_workbook",
    "page",
    "plain_cell",
    "row_height",
    "table",
    "text_cell",
    "write_bytes",
    "write_csv",
    "write_text",
    "write_xlsx",
]
