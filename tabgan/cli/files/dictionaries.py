"""Labels of dictionary columns that come in several tables, each with a dictionary of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["all_labels", "with_labels"]


def all_labels(tables: Iterable[Any]) -> dict[str, list[Any]]:
    """Labels in the dictionaries of all tables by column, which a Feather file has once for all batches."""
    import pyarrow as pa

    found: dict[str, dict[Any, None]] = {}
    for table in tables:
        for field in table.schema:
            if pa.types.is_dictionary(field.type):
                for chunk in table[field.name].chunks:
                    found.setdefault(field.name, {}).update(dict.fromkeys(chunk.dictionary.to_pylist()))
    return {name: list(labels) for name, labels in found.items()}


def with_labels(table: Any, labels: Mapping[str, list[Any]]) -> Any:
    """Table whose dictionaries hold these labels, in this order."""
    import pyarrow as pa

    for name, known in labels.items():
        position = table.schema.get_field_index(name)
        field = table.schema.field(position)
        codes = {label: code for code, label in enumerate(known)}
        chunks = [
            pa.DictionaryArray.from_arrays(
                pa.array([None if cell is None else codes[cell] for cell in chunk.to_pylist()], field.type.index_type),
                pa.array(known, field.type.value_type),
                ordered=field.type.ordered,
            )
            for chunk in table.column(position).chunks
        ]
        table = table.set_column(position, field, pa.chunked_array(chunks, field.type))
    return table
