"""Files of each format as `TableFile`: observed cells stay as they are, down to the byte in text formats."""

from __future__ import annotations

from collections.abc import Callable

from tabgan.cli.files.column_options import DEFAULT_MARKERS, ReadOptions, check_options
from tabgan.cli.files.columnar_table import ColumnarTable
from tabgan.cli.files.delimited_table import DelimitedTable
from tabgan.cli.files.json_table import JsonTable
from tabgan.cli.files.sources import Place, read_bytes
from tabgan.cli.files.table_source import TableFile
from tabgan.cli.files.workbook_table import WorkbookTable
from tabgan.exceptions import InvalidInputError

__all__ = ["DEFAULT_MARKERS", "ReadOptions", "TableFile", "open_table"]


_KINDS: dict[str, Callable[[Place, bytes, ReadOptions], TableFile]] = {
    "csv": DelimitedTable.read,
    "tsv": DelimitedTable.read,
    "jsonl": JsonTable.read,
    "parquet": ColumnarTable.read,
    "feather": ColumnarTable.read,
    "xlsx": WorkbookTable,
    "ods": WorkbookTable,
}


def open_table(place: Place, options: ReadOptions, output: Place | None = None) -> TableFile:
    """Read a file.

    Parameters
    ----------
    place : Place
    options : ReadOptions
    output : Place, default=None
        Where the table will be written.

    Returns
    -------
    TableFile

    Raises
    ------
    InvalidInputError
        The file is absent, empty, damaged or of another format; names the file, and the line where there is one.
    InvalidParameterError
        An option is not for files of this format.
    """
    check_options(options, place.name, place.format, output.format if output else None)
    data = read_bytes(place)
    if not data:
        raise InvalidInputError(f"{place.name} is empty; it needs at least one row.")
    return _KINDS[place.format](place, data, options)
