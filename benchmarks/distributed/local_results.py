"""A mixed table in Parquet files, and what one process makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from benchmarks.imputation.streaming import batches
from tabgan import BAGANOversampler, GAINImputer, fit_batches, sample_batches, transform_batches
from tabgan.engines.block_work import RowNames, summaries_of
from tabgan.engines.class_rows import asked_blocks, fit_to_sample, made_rows, strata_of
from tabgan.engines.model_files import stored

SAMPLE = 5000
N_DRAWS = 2
QUICK = {"n_steps": 0, "n_trees": 0, "n_boosts": 20, "n_references": 0, "n_donor_trees": 4, "random_state": 0}


def imputer() -> GAINImputer:
    return GAINImputer(effort="fast", **QUICK)


def sampler() -> BAGANOversampler:
    return BAGANOversampler(gate=None, sampling_strategy={"yes": 4000}, random_state=0)


def write_table(folder: Path, n_rows: int, n_files: int) -> pa.Table:
    """The table of `benchmarks.imputation.streaming` with a rare class, in files of equal size."""
    whole = pa.concat_tables([pa.Table.from_pandas(batch, preserve_index=False) for batch in batches(n_rows)])
    label = np.where(np.random.default_rng(2).random(n_rows) < 0.01, "yes", "no")
    whole = whole.append_column("label", pa.array(label)).combine_chunks()
    size = -(-n_rows // n_files)
    for k in range(n_files):
        pq.write_table(whole.slice(k * size, size), folder / f"part-{k:03d}.parquet")
    return whole


@dataclass
class Local:
    """Results of one process, each sorted by row."""

    filled: pa.Table
    drawn: pa.Table
    resampled: pa.Table
    fitted: Any


def fitted(table: Any) -> Any:
    """An imputer fitted to a sample of a table or dataset."""
    return fit_batches(imputer(), table, n_rows=SAMPLE, keys="id")


def local_results(folder: Path) -> Local:
    """What `tabgan.fit_batches` and its like give."""
    table = ds.dataset(folder).to_table()
    model = fitted(table)
    filled = pa.concat_tables(transform_batches(model, table, keys="id"))
    draws = [
        draw.append_column("draw", pa.array([k] * len(draw)))
        for piece in sample_batches(model, table, N_DRAWS, keys="id")
        for k, draw in enumerate(piece)
    ]
    return Local(by_row(filled), by_row(pa.concat_tables(draws)), by_row(resampled(table)), model)


def resampled(table: pa.Table) -> pa.Table:
    """The table, and the rows that the engines are to make, made here."""
    labels, numbers = np.unique(table["label"].to_numpy(), return_counts=True)
    counts = dict(zip(labels.tolist(), numbers.tolist(), strict=True))
    strata, made = strata_of(counts, "label", SAMPLE, 0, np.nan), sampler()
    rows, _ = strata.rows(summaries_of([table], RowNames(("id",)), strata))
    plan = asked_blocks(fit_to_sample(made, rows, "label", counts), 0)
    path = stored(made)
    return pa.concat_tables([table, *(made_rows(path, *block, "label", table.schema) for block in plan)])


def by_row(table: pa.Table) -> pa.Table:
    """In an order that depends on the rows alone, in the types that pandas has for them."""
    plain = pa.table({name: table[name].cast(_plain(table[name].type)) for name in table.column_names})
    return plain.sort_by([(name, "ascending") for name in _sorting(plain)]).combine_chunks()


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_large_string(kind) else kind


def _sorting(table: pa.Table) -> list[str]:
    first = [name for name in ("id", "draw") if name in table.column_names]
    return first + [name for name in table.column_names if name not in first]


def differences(found: pa.Table, wanted: pa.Table) -> dict[str, int]:
    """Rows that are lost, double, or differ in a cell."""
    found = by_row(found.select(wanted.column_names))
    names = [name for name in ("id", "draw") if name in wanted.column_names]
    keys = [frame.select(names).to_pandas().fillna(-1).value_counts() for frame in (found, wanted)]
    change = keys[0].sub(keys[1], fill_value=0)
    lost, double = int(-change[change < 0].sum()), int(change[change > 0].sum())
    differing = 0
    if not lost and not double:
        unequal = np.zeros(len(wanted), dtype=bool)
        for name in wanted.column_names:
            a, b = (frame[name].to_pandas() for frame in (found, wanted))
            unequal |= ~((a == b) | (a.isna() & b.isna())).to_numpy(dtype=bool)
        differing = int(unequal.sum())
    return {"rows": len(found), "lost": lost, "double": double, "differ": differing}
