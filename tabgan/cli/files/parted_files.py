"""Files of each format as `PartedTable`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tabgan.cli.files.column_options import ReadOptions, check_options
from tabgan.cli.files.columnar_parts import FeatherParts, ParquetParts
from tabgan.cli.files.parted import Inputs, PartedTable
from tabgan.cli.files.text_parts import DelimitedParts, JsonParts

__all__ = ["open_parted"]

_KINDS: dict[str, Callable[[Inputs, ReadOptions, int], PartedTable]] = {
    "csv": DelimitedParts,
    "tsv": DelimitedParts,
    "jsonl": JsonParts,
    "parquet": ParquetParts,
    "feather": FeatherParts,
}


def open_parted(inputs: Inputs, options: ReadOptions, batch_rows: int, paths: Sequence[Path | None]) -> PartedTable:
    """Open files to be read some rows at a time.

    Parameters
    ----------
    inputs : Inputs
    options : ReadOptions
    batch_rows : int
    paths : sequence of Path
        Where the bytes of each file are, unpacked.

    Returns
    -------
    PartedTable

    Raises
    ------
    InvalidInputError, InvalidParameterError, MissingExtraError
        A file is absent, damaged or empty, or has other columns than the first one; or an option does not fit the format.
    """
    check_options(options, inputs.places[0].name, inputs.format)
    table = _KINDS[inputs.format](inputs, options, batch_rows)
    table.paths = list(paths)
    table.open()
    return table
