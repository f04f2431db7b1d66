"""A table as a new Excel workbook."""

from __future__ import annotations

import datetime
import io
from typing import Any

import numpy as np
import pandas as pd

from tabgan.exceptions import InvalidInputError, MissingExtraError

__all__ = ["write_workbook"]


def write_workbook(frame: pd.DataFrame, header: bool) -> bytes:
    """A workbook with one sheet, as bytes.

    Parameters
    ----------
    frame : DataFrame
        Numbers, truth values, texts and times; what a workbook has no type for is written as text.
    header : bool
        Whether the first row holds the names.

    Returns
    -------
    bytes

    Raises
    ------
    MissingExtraError
        openpyxl is not installed.
    InvalidInputError
        A text holds characters that no workbook takes.
    """
    try:
        from openpyxl import Workbook
        from openpyxl.utils.exceptions import IllegalCharacterError
    except ImportError as error:
        raise MissingExtraError(
            'workbooks need openpyxl; install it with: pip install "tabgan-learn[excel]"'
        ) from error
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Sheet1")
    try:
        if header:
            sheet.append(list(frame.columns))
        for row in zip(*(frame[name].astype(object) for name in frame.columns), strict=True):
            sheet.append([_cell(cell) for cell in row])
        buffer = io.BytesIO()
        book.save(buffer)
    except IllegalCharacterError as error:
        raise InvalidInputError(
            f"a workbook cannot hold the text {str(error)[:60]!r}; write .csv or another."
        ) from error
    return buffer.getvalue()


def _cell(cell: Any) -> Any:
    if cell is None or pd.isna(cell):
        return None
    if isinstance(cell, np.generic):
        cell = cell.item()
    if isinstance(cell, pd.Timestamp):
        return cell.isoformat() if cell.tzinfo else cell.to_pydatetime(warn=False)
    if isinstance(cell, pd.Timedelta):
        return cell.to_pytimedelta()
    if isinstance(cell, bytes | bytearray):
        raise TypeError("bytes are no text")
    kept = isinstance(cell, bool | float | str | datetime.date | datetime.time | datetime.timedelta)
    return cell if kept or (isinstance(cell, int) and abs(cell) < 2**53) else str(cell)
