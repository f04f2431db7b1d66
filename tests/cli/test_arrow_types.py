"""Every Arrow type in Parquet and Feather files: filled and written back as that type, or refused before training by column name."""

from __future__ import annotations

import numpy as np
import pytest

from tabgan.cli.files.sources import place_of
from tabgan.cli.files.table_files import ReadOptions, open_table
from tabgan.exceptions import InvalidInputError
from tests.arrow_cases import GAPS, N, filled, of_moments, pa, refused, views

QUICK = ("--effort", "fast", "--steps", 1, "--device", "cpu", "--quiet")
BALANCE = ("--target", "class", "--method", "cgan", "--steps", 1, "--device", "cpu", "--quiet")


def write(table, path, kind):
    """As one file; False where the format does not hold such a type."""
    try:
        if kind == "parquet":
            pa.parquet.write_table(table, path)
        else:
            with pa.ipc.new_file(path, table.schema) as writer:
                writer.write_table(table)
    except (NotImplementedError, OSError):
        return False
    return True


def writable(columns, path, kind):
    """Those that the format holds."""
    return {name: cells for name, cells in columns.items() if write(pa.table({name: cells}), path, kind)}


def read(path, kind):
    return pa.parquet.read_table(path) if kind == "parquet" else pa.ipc.open_file(path.read_bytes()).read_all()


def same_cells(before, after):
    return all(new == old for k, (old, new) in enumerate(zip(before, after[:N], strict=True)) if k not in GAPS)


def table_of(columns):
    return pa.table({"x": np.arange(N) * 1.0, "class": ["a", "a", "b"] * 10} | columns)


@pytest.mark.parametrize("command", ["impute", "balance"])
@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_types_come_back_filled(tabgan, tmp_path, kind, command):
    source, target = tmp_path / f"a.{kind}", tmp_path / f"b.{kind}"
    columns = writable(filled() | views() | of_moments(), source, kind)
    assert len(columns) > 40
    assert write(table_of(columns), source, kind)
    before = read(source, kind)
    result = tabgan(command, source, "-o", target, *(QUICK if command == "impute" else BALANCE))
    assert result.exit_code == 0, result.output
    after = read(target, kind)
    assert after.schema.equals(before.schema, check_metadata=True)
    for name in columns:
        assert same_cells(before[name].to_pylist(), after[name].to_pylist()), name
        if command == "impute":
            assert after[name].null_count == 0, name


def test_columns_in_several_pieces_come_back_filled(tabgan, tmp_path):
    columns = {
        name: cells for name, cells in filled().items() if name.startswith(("int8", "duration", "dictionary", "uuid"))
    }
    whole = table_of(columns)
    pieces = pa.concat_tables([whole.slice(0, 11), whole.slice(11)])
    source, target = tmp_path / "a.feather", tmp_path / "b.feather"
    assert write(pieces.unify_dictionaries(), source, "feather")
    result = tabgan("impute", source, "-o", target, *QUICK)
    assert result.exit_code == 0, result.output
    after = read(target, "feather")
    assert after.schema.equals(whole.schema)
    for name in columns:
        assert after[name].null_count == 0, name
        assert same_cells(whole[name].to_pylist(), after[name].to_pylist()), name


@pytest.mark.parametrize("case", refused())
@pytest.mark.parametrize("command", ["impute", "balance", "compare"])
def test_other_types_are_refused_before_training_and_can_be_left_alone(tabgan, tmp_path, monkeypatch, command, case):
    for job in ("tabgan.cli.impute_job._fit", "tabgan.cli.balance_job._sampler"):
        monkeypatch.setattr(job, None)
    monkeypatch.setattr("tabgan.model_selection.compare_imputers.compare_imputers", None)
    options = {"impute": QUICK, "balance": BALANCE, "compare": ("--quiet",)}[command]
    for kind in ("parquet", "feather"):
        source, target = tmp_path / f"a.{kind}", tmp_path / f"b.{kind if command != 'compare' else 'md'}"
        if not write(table_of({"the column": refused()[case], "other": refused()["time32[s]"]}), source, kind):
            continue
        result = tabgan(command, source, "-o", target, *options)
        assert result.exit_code == 2, result.output
        assert "'the column'" in result.stderr
        assert "--leave 'the column' --leave 'other'" in result.stderr
        assert result.stderr.count("\n") == 1
        assert not target.exists()


@pytest.mark.parametrize("kind", ["parquet", "feather"])
@pytest.mark.parametrize("command", ["impute", "balance"])
def test_what_is_left_alone_comes_back_as_it_was(tabgan, tmp_path, kind, command):
    source, target = tmp_path / f"a.{kind}", tmp_path / f"b.{kind}"
    columns = writable(refused() | views() | filled(), source, kind)
    assert write(table_of(columns), source, kind)
    before = read(source, kind)
    leave = [word for name in columns for word in ("--leave", name)]
    result = tabgan(command, source, "-o", target, *leave, *(QUICK if command == "impute" else BALANCE))
    assert result.exit_code == 0, result.output
    after = read(target, kind)
    assert after.schema.types == before.schema.types
    for name in columns:
        assert after[name].to_pylist()[:N] == before[name].to_pylist(), name


@pytest.mark.parametrize("target", ["csv", "jsonl", "parquet", "feather"])
@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_another_format_holds_every_column_or_is_refused_before_training(tmp_path, kind, target):
    """Whatever `check_output` lets through can be written, and bytes never become Python's way of showing them."""
    source, output = tmp_path / f"a.{kind}", place_of(str(tmp_path / f"b.{target}"), None, "--output")
    refused_ones, said = [], set()
    for name, cells in writable(refused() | views() | filled(), source, kind).items():
        write(pa.table({"c": cells}), source, kind)
        table = open_table(place_of(str(source), None, "INPUT"), ReadOptions())
        try:
            table.check_output(output)
        except InvalidInputError as error:
            said.add(str(error).partition(";")[0])
            refused_ones.append(name)
            continue
        data = table.dumped({}, output)
        if target in ("csv", "jsonl"):
            assert b"b'" not in data
        else:
            path = tmp_path / "back"
            path.write_bytes(data)
            assert read(path, target)["c"].to_pylist() == read(source, kind)["c"].to_pylist(), name
    assert said <= {f"column 'c' cannot be written as {target}"}
    if target in ("csv", "jsonl"):
        assert {"struct", "binary", "uuid"} & set(refused_ones)
        assert not {"int8", "string", "date32", "time32[s]", "duration s"} & set(refused_ones)


def test_json_lines_hold_no_infinity(tmp_path):
    source = tmp_path / "a.parquet"
    assert write(pa.table({"c": [1.0, float("inf")]}), source, "parquet")
    table = open_table(place_of(str(source), None, "INPUT"), ReadOptions())
    with pytest.raises(ValueError, match="'c' cannot be written as jsonl"):
        table.check_output(place_of(str(tmp_path / "b.jsonl"), None, "--output"))


def test_cells_of_mixed_kinds_are_refused_by_a_columnar_output_before_training(tabgan, tmp_path, monkeypatch):
    monkeypatch.setattr("tabgan.cli.impute_job._fit", None)
    source = tmp_path / "a.jsonl"
    source.write_text('{"x": 1, "c": 1}\n{"x": 2, "c": "one"}\n{"x": 3, "c": null}\n')
    result = tabgan("impute", source, "-o", tmp_path / "b.parquet", *QUICK)
    assert result.exit_code == 2
    assert "column 'c' cannot be written as parquet" in result.stderr
    assert result.stderr.count("\n") == 1
