"""Frames, series and arrays as plain data for a model file, cell for cell and dtype for dtype, without pickle."""

from __future__ import annotations

import json
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import torch

from tabgan.exceptions import InvalidInputError, MissingExtraError
from tabgan.tables.labels import label_from_json, label_to_json

__all__ = ["container_from_state", "container_to_state", "frame_as_pandas"]

_RAW_KINDS = "biufmMSU"


def container_to_state(data: Any) -> dict[str, Any]:
    """A frame, series, array or list as what `tabgan.core.checkpoint.write_model_file` can hold.

    Parameters
    ----------
    data : DataFrame or Series (pandas, polars, ...), ndarray, masked array or list
        Row labels of pandas objects are left out.

    Returns
    -------
    dict

    Raises
    ------
    InvalidInputError
        A dtype or a cell's type cannot be stored; the message names the column.
    """
    if isinstance(data, list):
        array = np.asarray(data)
        return {
            "what": "list",
            "array": _array_to_state(array if array.dtype.kind in _RAW_KINDS else np.array(data, object)),
        }
    if isinstance(data, np.ndarray):
        hidden = torch.from_numpy(np.ma.getmaskarray(data).copy()) if isinstance(data, np.ma.MaskedArray) else None
        return {"what": "array", "array": _array_to_state(np.ma.getdata(data)), "hidden": hidden}
    frame = nw.from_native(data, pass_through=True, allow_series=True)
    if isinstance(data, pd.Series) or isinstance(frame, nw.Series):
        series = data if isinstance(data, pd.Series) else _series_as_pandas(frame)
        return {"what": "series", "name": label_to_json(series.name), "cells": _series_to_state(series, series.name)}
    if isinstance(data, pd.DataFrame) or isinstance(frame, nw.DataFrame):
        table = data if isinstance(data, pd.DataFrame) else frame_as_pandas(frame)
        return {
            "what": "frame",
            "n_rows": len(table),
            "names": [label_to_json(name) for name in table.columns],
            "levels": table.columns.nlevels,
            "level_names": [label_to_json(name) for name in table.columns.names],
            "columns": [_series_to_state(table.iloc[:, j], name) for j, name in enumerate(table.columns)],
        }
    raise InvalidInputError(f"a {type(data).__name__} cannot be stored in a model file; use a frame, array or list.")


def container_from_state(state: dict[str, Any]) -> Any:
    """What `container_to_state` was given: pandas for every kind of frame and series, arrays and lists as such.

    Raises
    ------
    KeyError, TypeError, ValueError, RuntimeError
        Something is absent or does not fit.
    """
    what = state["what"]
    if what == "list":
        return _array_from_state(state["array"]).tolist()
    if what == "array":
        array = _array_from_state(state["array"])
        return array if state["hidden"] is None else np.ma.MaskedArray(array, state["hidden"].numpy())
    if what == "series":
        return _series_from_state(state["cells"]).rename(label_from_json(state["name"]))
    if what != "frame":
        raise InvalidInputError(f"{what!r} is no stored container.")
    names = [label_from_json(name) for name in state["names"]]
    columns: pd.Index = (
        pd.MultiIndex.from_tuples(names) if state["levels"] > 1 else pd.Index(names, tupleize_cols=False)
    )
    columns.names = [label_from_json(name) for name in state["level_names"]]
    cells = dict(enumerate(_series_from_state(column) for column in state["columns"]))
    n_rows = int(state["n_rows"])
    if any(len(column) != n_rows for column in cells.values()):
        raise InvalidInputError(f"not every stored column has {n_rows} rows.")
    frame = pd.DataFrame(cells, index=pd.RangeIndex(n_rows))
    frame.columns = columns
    return frame


def frame_as_pandas(frame: nw.DataFrame) -> pd.DataFrame:
    """A polars or Arrow frame in pandas, each column in the dtype nearest to its own.

    Integers and booleans with nulls become nullable, dates and decimals stay Python objects (pandas has no dtype of its own
    for them), enums and dictionaries become categories.

    Parameters
    ----------
    frame : narwhals.DataFrame

    Returns
    -------
    pandas.DataFrame
    """
    columns = {name: _series_as_pandas(frame[name]) for name in frame.columns}
    return pd.DataFrame(columns, columns=list(frame.columns))


def _series_as_pandas(series: nw.Series) -> pd.Series:
    dtype, name = series.dtype, series.name
    if dtype.is_integer() or dtype == nw.Boolean:
        missing = np.asarray(series.is_null().to_numpy(), dtype=bool)
        values = series.fill_null(0 if dtype.is_integer() else False).to_numpy()
        if not missing.any():
            return pd.Series(values, name=name)
        cells = pd.Series(values, name=name).astype(str(dtype).replace("Boolean", "boolean"))
        return cells.mask(missing)
    if dtype.is_float():
        return pd.Series(series.fill_null(float("nan")).to_numpy(), name=name)
    if isinstance(dtype, nw.Datetime | nw.Duration):
        times = series.to_numpy()
        if times.dtype.kind not in "mM":
            times = np.full(
                len(series), "NaT", dtype=f"{'m' if isinstance(dtype, nw.Duration) else 'M'}8[{dtype.time_unit}]"
            )
        found = pd.Series(times, name=name)
        zone = getattr(dtype, "time_zone", None)
        return found if zone is None else found.dt.tz_localize("UTC").dt.tz_convert(zone)
    listed = series.to_list()
    if dtype in (nw.Categorical, nw.Enum):
        known = list(dtype.categories) if isinstance(dtype, nw.Enum) else None
        return pd.Series(pd.Categorical(listed, categories=known, ordered=known is not None), name=name)
    if dtype == nw.String and any(cell is not None for cell in listed):
        return pd.Series(listed, name=name)
    return pd.Series(_objects(listed), name=name)


def _series_to_state(series: pd.Series, name: Any) -> dict[str, Any]:
    dtype: Any = series.dtype
    if isinstance(dtype, np.dtype):
        return {"dtype": "numpy", "cells": _array_to_state(series.to_numpy())}
    if isinstance(dtype, pd.CategoricalDtype):
        plain = isinstance(dtype.categories.dtype, np.dtype | pd.StringDtype)
        categories = pd.Series(dtype.categories) if plain else pd.Series(_objects(list(dtype.categories)), dtype=object)
        return {
            "dtype": "category",
            "codes": torch.from_numpy(series.cat.codes.to_numpy(dtype=np.int64)),
            "categories": _series_to_state(categories, name),
            "inferred": not plain,
            "ordered": bool(dtype.ordered),
        }
    if isinstance(dtype, pd.DatetimeTZDtype):
        zone = str(dtype.tz)
        if pd.DatetimeTZDtype(dtype.unit, zone) != dtype:
            raise _cannot(name, dtype, "convert its time zone to one with a plain name, such as 'Europe/Berlin'")
        moments = series.dt.tz_convert("UTC").dt.tz_localize(None)
        return {"dtype": "zoned", "zone": zone, "cells": _array_to_state(moments.to_numpy())}
    if isinstance(dtype, pd.SparseDtype):
        dense = _array_to_state(series.sparse.to_dense().to_numpy())
        return {"dtype": "sparse", "cells": dense, "fill": label_to_json(dtype.fill_value)}
    if isinstance(dtype, pd.StringDtype):
        cells = _objects([None if cell is pd.NA or cell != cell else cell for cell in series])
        nan = getattr(dtype, "na_value", pd.NA) is not pd.NA
        return {"dtype": "string", "cells": _array_to_state(cells), "storage": dtype.storage, "nan": nan}
    if isinstance(dtype, pd.ArrowDtype):
        return {"dtype": "arrow", "stream": _bytes_tensor(_arrow_stream(series))}
    if hasattr(dtype, "numpy_dtype"):  # the nullable numbers and booleans
        missing = series.isna().to_numpy()
        values = series.fillna(False if dtype.kind == "b" else 0).to_numpy(dtype=dtype.numpy_dtype)
        return {
            "dtype": "nullable",
            "name": str(dtype),
            "cells": _array_to_state(values),
            "missing": torch.from_numpy(missing.copy()),
        }
    raise _cannot(name, dtype, "convert it to numbers, texts, categories or times")


def _series_from_state(state: dict[str, Any]) -> pd.Series:
    kind = state["dtype"]
    if kind == "category":
        categories: Any = _series_from_state(state["categories"])
        categories = pd.Index(categories.tolist()) if state["inferred"] else pd.Index(categories)
        return pd.Series(pd.Categorical.from_codes(state["codes"].numpy(), categories, ordered=state["ordered"]))
    if kind == "arrow":
        return _from_arrow_stream(state["stream"].numpy().tobytes())
    cells = _array_from_state(state["cells"])
    if kind == "numpy":
        return pd.Series(cells, dtype=cells.dtype)
    if kind == "zoned":
        return pd.Series(cells).dt.tz_localize("UTC").dt.tz_convert(state["zone"])
    if kind == "sparse":
        fill = np.asarray(label_from_json(state["fill"])).astype(cells.dtype).item()
        return pd.Series(pd.arrays.SparseArray(cells, fill_value=fill))
    if kind == "string":
        if not state["nan"]:
            return pd.Series(pd.array(cells, dtype=pd.StringDtype(state["storage"])))
        try:
            return pd.Series(pd.array(cells, dtype=pd.StringDtype(state["storage"], na_value=np.nan)))
        except TypeError:  # pandas before 2.3 keeps such text as objects
            return pd.Series(cells, dtype=object)
    if kind != "nullable":
        raise InvalidInputError(f"{kind!r} is no stored column.")
    array = pd.array(cells, dtype=state["name"])
    array[state["missing"].numpy()] = pd.NA
    return pd.Series(array)


def _array_to_state(array: np.ndarray) -> dict[str, Any]:
    """Raw bytes where a dtype has a fixed size, else the distinct cells and where each stands."""
    if array.dtype.kind in _RAW_KINDS:
        return {
            "dtype": array.dtype.str,
            "shape": list(array.shape),
            "bytes": _bytes_tensor(np.ascontiguousarray(array).tobytes()),
        }
    if array.dtype.kind not in "OT":
        raise InvalidInputError(f"an array of dtype {array.dtype} cannot be stored in a model file.")
    positions: dict[Any, int] = {}
    levels: list[list] = []
    codes = np.empty(array.size, dtype=np.int64)
    for place, cell in enumerate(array.ravel().tolist()):
        tagged = None if type(cell) is str else _cell_to_json(cell)
        key = cell if tagged is None else ("", json.dumps(tagged))
        if key not in positions:
            positions[key] = len(levels)
            levels.append(tagged or ["str", cell])
        codes[place] = positions[key]
    return {
        "dtype": array.dtype.kind,
        "shape": list(array.shape),
        "levels": levels,
        "codes": torch.from_numpy(codes),
    }


def _array_from_state(state: dict[str, Any]) -> np.ndarray:
    kind, shape = state["dtype"], tuple(state["shape"])
    if kind not in ("O", "T"):
        # Refuses a dtype of objects, which alone could stand for more than numbers and texts.
        dtype = np.dtype(kind)
        if dtype.kind not in _RAW_KINDS:
            raise InvalidInputError(f"{kind!r} is no dtype of a stored array.")
        return np.frombuffer(state["bytes"].numpy().tobytes(), dtype=dtype).reshape(shape).copy()
    levels = _objects([_cell_from_json(level) for level in state["levels"]])
    cells = levels[state["codes"].numpy()].reshape(shape)
    return cells if kind == "O" else cells.astype(np.dtypes.StringDType())


def _cell_to_json(cell: Any) -> list:
    if cell is pd.NA:
        return ["missing", "NA"]
    if cell is pd.NaT:
        return ["missing", "NaT"]
    return label_to_json(cell)


def _cell_from_json(tagged: list) -> Any:
    if tagged[0] == "missing":
        return {"NA": pd.NA, "NaT": pd.NaT}[tagged[1]]
    return label_from_json(tagged)


def _arrow_stream(series: pd.Series) -> bytes:
    import pyarrow as pa

    array = pa.array(series.array)
    array = pa.chunked_array([array]) if isinstance(array, pa.Array) else array
    table = pa.table({"cells": array})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _from_arrow_stream(data: bytes) -> pd.Series:
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingExtraError(
            "the model holds Arrow columns, which need pyarrow: pip install 'tabgan-learn[parquet]'"
        ) from error
    try:
        column = pa.ipc.open_stream(pa.BufferReader(data)).read_all().column("cells")
        column.validate(full=True)  # what its buffers point to must lie in them
    except pa.ArrowException as error:
        raise InvalidInputError(f"the stored Arrow column is damaged: {error}") from error
    return pd.Series(pd.arrays.ArrowExtensionArray(column))


def _bytes_tensor(data: bytes) -> torch.Tensor:
    return torch.from_numpy(np.frombuffer(data, dtype=np.uint8).copy())


def _objects(cells: list) -> np.ndarray:
    out = np.empty(len(cells), dtype=object)
    out[:] = cells
    return out


def _cannot(name: Any, dtype: Any, advice: str) -> InvalidInputError:
    return InvalidInputError(f"column {name!r} has dtype {dtype}, which cannot be stored in a model file; {advice}.")
