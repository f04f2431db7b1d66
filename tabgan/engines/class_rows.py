"""Synthetic rows for a table that no single process holds: how many of each class, learnt from a sample, made block by block."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from tabgan._warnings import warn_caller
from tabgan.engines.block_work import RowNames
from tabgan.engines.mergeable_samples import SampleSettings, Strata
from tabgan.engines.model_files import loaded
from tabgan.exceptions import InvalidInputError, InvalidParameterError, NoSyntheticRowsWarning
from tabgan.sampling.gate import INSTEAD
from tabgan.tables.kinds import IDENTIFIER

__all__ = [
    "asked_blocks",
    "class_counts",
    "fit_to_sample",
    "strata_of",
    "summed_counts",
    "synthetic_rows",
    "wanted_rows",
]

_ROWS_PER_BLOCK = 10_000


def class_counts(block: Any, label: str, names: RowNames) -> Any:
    """Rows per class of an Arrow table, as a table of ``label``, ``n``, and ``where`` the first row without a label is."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = block[label].combine_chunks()
    missing = pc.index(pc.is_null(cells, nan_is_null=True), True).as_py()
    where = names.shown(block.slice(missing)) if missing >= 0 and names.keys else None
    kind = cells.type.value_type if pa.types.is_dictionary(cells.type) else cells.type
    found = cells.cast(kind).value_counts()
    return pa.table(
        {
            "label": found.field("values"),
            "n": found.field("counts"),
            "where": pa.array([where] * len(found), pa.string()),
        }
    )


def summed_counts(tables: Iterable[Any], label: str) -> dict[Any, int]:
    """Rows per class over all blocks, by label in ascending order.

    Raises
    ------
    InvalidInputError
        Labels are missing; says how many and, where blocks do, names a row.
    """
    counts: dict[Any, int] = {}
    missing, where = 0, ""
    for table in filter(len, tables):  # an engine may lose the columns of a table without rows
        for row in table.to_pylist():
            if row["label"] is None or row["label"] != row["label"]:
                missing, where = missing + row["n"], where or row.get("where") or ""
            else:
                counts[row["label"]] = counts.get(row["label"], 0) + row["n"]
    if missing:
        shown = f" ({where} is one)" if where else ""
        raise InvalidInputError(f"{missing:,} rows have no label in {label!r}{shown}; fill or drop them first.")
    return {value: counts[value] for value in sorted(counts)}


def strata_of(counts: Mapping[Any, int], label: str, n_rows: int, seed: int, missing_values: Any) -> Strata:
    """A sample of ``n_rows`` rows in which classes have equal parts, as far as they have the rows.

    Raises
    ------
    InvalidInputError
        Labels are decimals or bytes, which classifiers do not take.
    """
    if odd := [value for value in counts if isinstance(value, Decimal | bytes)]:
        raise InvalidInputError(f"label {label!r} holds {odd[0]!r} and the like; cast it to whole numbers or text.")
    sizes, left = {}, n_rows
    for place, (value, n) in enumerate(sorted(counts.items(), key=lambda pair: pair[1])):
        sizes[value] = max(1, min(n, left // (len(counts) - place)))
        left -= sizes[value]
    settings = tuple(SampleSettings(sizes[value], seed, missing_values) for value in counts)
    return Strata(settings, label, tuple(counts))


def wanted_rows(strategy: Any, counts: Mapping[Any, int]) -> dict[Any, int]:
    """Rows to make per class, as imbalanced-learn reads ``sampling_strategy``, of counts alone.

    Parameters
    ----------
    strategy : str, float or dict
        See `tabgan.BAGANOversampler`; a dict holds the number of rows that a class is to have.
    counts : mapping of label to int

    Raises
    ------
    InvalidParameterError
        It asks for less rows than there are, for an unknown class, or is of another kind.
    InvalidInputError
        There is one class only.
    """
    if len(counts) < 2:
        raise InvalidInputError(f"the label has the classes {list(counts)} only; rebalancing needs two or more.")
    most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    if isinstance(strategy, Mapping):
        if unknown := [label for label in strategy if label not in counts]:
            raise InvalidParameterError(f"sampling_strategy names {unknown}, but the classes are {list(counts)}.")
        aims = {label: int(n) for label, n in strategy.items()}
    elif isinstance(strategy, str):
        chosen = {
            "auto": set(counts) - {most},
            "not majority": set(counts) - {most},
            "not minority": set(counts) - {least},
            "minority": {least},
            "all": set(counts),
        }
        if strategy not in chosen:
            raise InvalidParameterError(f"sampling_strategy={strategy!r}; it must be one of {list(chosen)}.")
        aims = {label: counts[most] for label in counts if label in chosen[strategy]}
    elif isinstance(strategy, int | float | np.number) and not isinstance(strategy, bool):
        if len(counts) > 2 or not 0 < strategy <= 1:
            raise InvalidParameterError(
                f"sampling_strategy={strategy!r}; a number is for two classes, and lies in (0, 1]; here there are {len(counts)}."
            )
        aims = {least: int(strategy * counts[most])}
    else:
        raise InvalidParameterError(
            f"sampling_strategy={strategy!r}; where no process holds all labels it must be a text, a number or a dict."
        )
    for label, n in aims.items():
        if n < counts[label]:
            raise InvalidParameterError(
                f"sampling_strategy asks for {n} rows of class {label!r}, which has {counts[label]}; rows are never taken away."
            )
    return {label: n - counts[label] for label, n in aims.items()}


def fit_to_sample(sampler: Any, rows: Any, label: str, counts: Mapping[Any, int]) -> dict[Any, int]:
    """Fit a sampler to a sample of a table, and say how many rows it is to make of each class.

    Parameters
    ----------
    sampler : BAGANOversampler or CGANSampler
        Fitted in place. Its gate judges the sample, brought to the ratio of classes that is asked for.
    rows : pyarrow.Table
        The sample, with the label and without keys.
    label : str
    counts : mapping of label to int
        Rows of all classes in the whole table.

    Returns
    -------
    dict of label to int
        The numbers asked for, times the share that the gate chose.
    """
    strategy = sampler.sampling_strategy
    wanted = wanted_rows(strategy, counts)
    y = rows[label].to_pandas()
    here = y.value_counts().to_dict()
    most = max(counts, key=counts.__getitem__)
    per_row = here[most] / counts[most]
    aims = {c: max(here[c], round(per_row * (counts[c] + n))) for c, n in wanted.items()}
    try:
        sampler.set_params(sampling_strategy=aims).fit(rows.drop_columns([label]), y)
    finally:
        sampler.set_params(sampling_strategy=strategy)
    gate = getattr(sampler, "gate_", None)
    if gate is None:
        return wanted
    if gate.share == 0 and any(wanted.values()):
        warn_caller(f"the gate makes no rows, see gate_. {INSTEAD}", NoSyntheticRowsWarning)
    return {c: round(gate.share * n) for c, n in wanted.items()}


def asked_blocks(wanted: Mapping[Any, int], seed: int) -> list[tuple[list[tuple[Any, int]], int]]:
    """Classes and numbers of rows of each block of synthetic rows, and its seed."""
    blocks: list[list[tuple[Any, int]]] = [[]]
    room = _ROWS_PER_BLOCK
    for label, n in wanted.items():
        while n:
            if not room:
                blocks.append([])
                room = _ROWS_PER_BLOCK
            blocks[-1].append((label, min(n, room)))
            n, room = n - blocks[-1][-1][1], room - blocks[-1][-1][1]
    seeds = np.random.SeedSequence(seed).generate_state(len(blocks)) >> 1
    return [(block, int(word)) for block, word in zip(blocks, seeds, strict=True) if block]


def synthetic_rows(path: str, asked: list[tuple[Any, int]], seed: int, label: str, schema: Any) -> Any:
    """Synthetic rows of the asked classes as an Arrow table of the given schema.

    Null are columns that the sampler does not know, and identifiers: new ones could be those of another block, or of rows that are
    not in the sample.
    """
    import pyarrow as pa

    sampler = loaded(path)
    identifiers = {column.name for column in sampler.schema_.columns if column.kind == IDENTIFIER}
    y = [value for value, n in asked for _ in range(n)]
    made, _ = sampler.sample(y=y, random_state=seed)
    made[label] = y
    columns = []
    for field in schema:
        if field.name not in made.columns or field.name in identifiers:
            columns.append(pa.nulls(len(y), field.type))
        elif pa.types.is_dictionary(field.type):
            plain = pa.array(made[field.name].astype(object), field.type.value_type, from_pandas=True)
            columns.append(plain.dictionary_encode().cast(field.type))
        else:
            columns.append(pa.array(made[field.name], field.type, from_pandas=True))
    return pa.table(columns, schema=schema)
