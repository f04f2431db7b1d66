"""What the workers of an engine say of their rows: samples as bytes, merged in any order to the same sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tabgan.engines.row_sample import RowSample
from tabgan.estimators.parameter_checks import SEED, integer, seed_of
from tabgan.exceptions import InvalidInputError, parameter_error

__all__ = ["SampleSettings", "Strata", "check_sample_size", "checked_seed", "merged"]

_PRIORITY = "__tabgan_priority__"
_SEEN = b"tabgan_rows_seen"


def check_sample_size(n_rows: Any) -> None:
    """Refuse what is no number of rows."""
    holds, words = integer(1)
    if not holds(n_rows):
        raise parameter_error("n_rows", n_rows, words)


def checked_seed(random_state: Any) -> int:
    """A number that all parts of a table share, of what `random_state` may be.

    Raises
    ------
    InvalidParameterError
        It is none of that.
    """
    holds, words = SEED
    if not holds(random_state):
        raise parameter_error("random_state", random_state, words)
    return seed_of(random_state)


@dataclass(frozen=True)
class SampleSettings:
    """Which rows are kept; see `tabgan.engines.row_sample.RowSample`.

    Parameters
    ----------
    n_rows : int
    seed : int
    missing_values : scalar or list of scalars
    """

    n_rows: int
    seed: int
    missing_values: Any

    def empty(self) -> RowSample:
        """A sample of no rows yet."""
        return RowSample(self.n_rows, self.seed, self.missing_values)

    def merged(self, summaries: Iterable[bytes]) -> bytes:
        """One summary of several."""
        return _to_bytes(self._joined(summaries))

    def rows(self, summaries: Iterable[bytes]) -> tuple[Any, int]:
        """The sampled rows by priority, an Arrow table, and the number of rows they are a sample of."""
        sample = self._joined(summaries)
        return sample.table(), sample.n_seen

    def _joined(self, summaries: Iterable[bytes]) -> RowSample:
        sample = self.empty()
        for summary in summaries:
            table = _table_from_bytes(summary)
            priorities = table[_PRIORITY].to_numpy()
            sample.add_kept(table.drop_columns([_PRIORITY]), priorities, int(table.schema.metadata[_SEEN]))
        return sample


@dataclass(frozen=True)
class Strata:
    """Samples of parts of a table that are kept side by side: of each class, or of the whole.

    Parameters
    ----------
    settings : tuple of SampleSettings
        Of each part.
    label : str, default=None
        Column that says which part a row belongs to; None for a single part.
    labels : tuple, default=()
        Its value in each part.
    """

    settings: tuple[SampleSettings, ...]
    label: str | None = None
    labels: tuple[Any, ...] = ()

    def parts(self, block: Any) -> Iterator[tuple[int, Any]]:
        """Number and rows of each part that an Arrow table has rows of."""
        if self.label is None:
            yield 0, block
            return
        import pyarrow as pa
        import pyarrow.compute as pc

        cells = block[self.label]
        kind = cells.type.value_type if pa.types.is_dictionary(cells.type) else cells.type
        for k, value in enumerate(self.labels):
            rows = block.filter(pc.equal(cells.cast(kind), pa.scalar(value, kind)))
            if len(rows):
                yield k, rows

    @staticmethod
    def table(samples: Mapping[int, RowSample]) -> Any:
        """Samples by number of their part, as an Arrow table of a row each."""
        return _summaries({k: _to_bytes(sample) for k, sample in samples.items()})

    def merged(self, *tables: Any) -> Any:
        """One table of summaries of several."""
        parts = _by_part(_listed(tables))
        return _summaries({k: self.settings[k].merged(parts[k]) for k in sorted(parts)})

    def rows(self, *tables: Any) -> tuple[Any, int]:
        """The sampled rows of all parts, an Arrow table, and how many rows all parts have.

        Raises
        ------
        InvalidInputError
            There are none.
        """
        return self.rows_of(_listed(tables))

    def rows_of(self, summaries: Iterable[tuple[int, bytes]]) -> tuple[Any, int]:
        """As `rows`, of summaries with the numbers of their parts."""
        import pyarrow as pa

        parts = _by_part(summaries)
        if not parts:
            raise InvalidInputError("the table holds no rows: there is nothing to learn from.")
        found = [self.settings[k].rows(parts[k]) for k in sorted(parts)]
        whole = pa.concat_tables([rows for rows, _ in found], promote_options="permissive").unify_dictionaries()
        return (found[0][0] if len(found) == 1 else whole), sum(n for _, n in found)


def _listed(tables: Iterable[Any]) -> Iterator[tuple[int, bytes]]:
    for table in filter(len, tables):  # an engine may lose the columns of a table without rows
        yield from zip(table["part"].to_pylist(), table["summary"].to_pylist(), strict=True)


def _by_part(summaries: Iterable[tuple[int, bytes]]) -> dict[int, list[bytes]]:
    parts: dict[int, list[bytes]] = {}
    for k, summary in summaries:
        parts.setdefault(k, []).append(summary)
    return parts


def merged(strata: Strata, *tables: Any) -> Any:
    """One table of summaries of several, for engines that send functions."""
    return strata.merged(*tables)


def _summaries(stored: Mapping[int, bytes]) -> Any:
    import pyarrow as pa

    return pa.table({"part": pa.array(stored, pa.int64()), "summary": pa.array(stored.values(), pa.binary())})


def _to_bytes(sample: RowSample) -> bytes:
    table, priorities = sample.kept()
    metadata = {**(table.schema.metadata or {}), _SEEN: str(sample.n_seen)}
    return _table_to_bytes(table.append_column(_PRIORITY, [priorities]).replace_schema_metadata(metadata))


def _table_to_bytes(table: Any) -> bytes:
    """An Arrow table in Arrow's stream format."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _table_from_bytes(stored: bytes) -> Any:
    """The Arrow table that `_table_to_bytes` wrote."""
    import pyarrow as pa

    with pa.ipc.open_stream(stored) as reader:
        return reader.read_all()
