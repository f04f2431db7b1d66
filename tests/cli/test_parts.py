"""`tabgan impute` some rows at a time: files of all formats are filled as they are at once, in any number of processes."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from tabgan import GAINImputer
from tabgan.cli.files import compression
from tabgan.cli.files.column_options import ReadOptions
from tabgan.cli.files.delimited_table import DelimitedTable
from tabgan.cli.files.sources import Place
from tabgan.cli.main import app

pa = pytest.importorskip("pyarrow", reason="pip install tabgan-learn[parquet]")
import pyarrow.feather as feather  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

ROWS = 90


def run(*arguments: object) -> object:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def table() -> pd.DataFrame:
    """Numbers, labels, dates and amounts as people write them."""
    size = [round(((k * 37) % 100) / 10 - 3, 1) for k in range(ROWS)]
    frame = pd.DataFrame(
        {
            "id": [f'row "{k}", é' for k in range(ROWS)],
            "size": size,
            "count": pd.array([round(3 * x) for x in size], dtype="Int64"),
            "kind": ["up" if x > 1 else "down, a bit" for x in size],
            "day": [f"{(k * 7) % 27 + 1:02d}/03/2024" for k in range(ROWS)],
            "price": [f"{1000 * x:,.2f} €" for x in size],
        }
    )
    for j, name in enumerate(frame.columns[1:]):
        frame.loc[[k for k in range(ROWS) if (k * 5 + j) % 6 == 0], name] = None
    return frame


def written(folder: Path, name: str, frame: pd.DataFrame) -> Path:
    path = folder / name
    if ".csv" in name:
        text = frame.to_csv(index=False).replace("\n", "\r\n")
        data = text.encode()
        path.write_bytes(data if name.endswith(".csv") else compression.packed(data, "gzip", "a"))
    elif name.endswith(".jsonl"):
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    elif name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path, row_group_size=25)
    else:
        whole = pa.Table.from_pandas(frame.astype({"kind": "category"}), preserve_index=False)
        feather.write_feather(whole, str(path), chunksize=25)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A model of the table as text."""
    folder = tmp_path_factory.mktemp("model")
    reading = DelimitedTable.read(Place(None, "csv"), table().to_csv(index=False).encode(), ReadOptions())
    imputer = GAINImputer(n_steps=0, n_trees=0, n_boosts=0, n_references=0, n_donor_trees=0, random_state=0)
    imputer.fit(reading.frame(reading.names[1:]))
    imputer.column_styles_ = reading.styles()
    imputer.save(folder / "m.tabgan")
    return folder / "m.tabgan"


def content(path: Path) -> object:
    if path.suffix == ".gz":
        return compression.unpacked(path.read_bytes(), "gzip", "a")
    if path.suffix in (".parquet", ".feather"):
        read = pq.read_table if path.suffix == ".parquet" else feather.read_table
        whole = read(path)
        return whole.schema, whole.to_pylist()
    return path.read_bytes()


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl", "a.parquet", "a.feather"])
def test_parts_are_filled_as_the_whole_file_is(model: Path, tmp_path: Path, name: str) -> None:
    source = written(tmp_path, name, table())
    options = ("--leave", "id", "--model", model, "--device", "cpu")
    assert run("impute", source, "-o", tmp_path / f"whole_{name}", *options).exit_code == 0
    report = tmp_path / "r.json"
    result = run("impute", source, "-o", tmp_path / f"parts_{name}", *options, "--batch-rows", 17, "--report", report)
    assert result.exit_code == 0, result.output
    assert content(tmp_path / f"parts_{name}") == content(tmp_path / f"whole_{name}")
    told = json.loads(report.read_text())
    assert told["n_rows"] == ROWS
    assert told["missing"] == told["filled"] == int(table().isna().to_numpy().sum())
    assert {path.name for path in tmp_path.iterdir()} == {name, f"whole_{name}", f"parts_{name}", "r.json"}


def test_a_pattern_of_files_gets_a_folder(model: Path, tmp_path: Path) -> None:
    frame = table()
    for k in range(3):
        written(tmp_path, f"{k}.csv", frame.iloc[30 * k : 30 * k + 30])
    whole = written(tmp_path, "whole.csv", frame)
    options = ("--leave", "id", "--model", model, "-q")
    assert run("impute", whole, "-o", tmp_path / "full.csv", *options).exit_code == 0
    assert run("impute", tmp_path / "[0-9].csv", "-o", tmp_path / "full", *options).exit_code == 0
    texts = [path.read_bytes() for path in sorted((tmp_path / "full").iterdir())]
    head, _, rest = (tmp_path / "full.csv").read_bytes().partition(b"\r\n")
    assert b"".join(text.partition(b"\r\n")[2] for text in texts) == rest
    assert all(text.partition(b"\r\n")[0] == head for text in texts)


def test_a_cell_that_is_no_number_is_named_and_stays(model: Path, tmp_path: Path) -> None:
    frame = table().astype({"size": object})
    frame.loc[61, "size"] = "oops"
    written(tmp_path, "0.csv", frame.iloc[:50])
    written(tmp_path, "1.csv", frame.iloc[50:])
    result = run(
        "impute", tmp_path / "?.csv", "-o", tmp_path / "full", "--leave", "id", "--model", model, "--batch-rows", 9
    )
    assert result.exit_code == 0, result.output
    assert "'oops' " in result.output
    assert f"{tmp_path / '1.csv'}', line 13" in result.output
    assert b",oops," in (tmp_path / "full" / "1.csv").read_bytes()


def test_columns_are_read_as_all_rows_say(tmp_path: Path) -> None:
    """The first rows alone would be whole numbers, dates of either order, and plain labels."""
    lines = [f"{k},0{k % 9 + 1}/0{k % 7 + 1}/2024,{k % 5}" for k in range(60)]
    lines += ["7.25,29/01/2024,x1", "", "8,,x1"]
    source = tmp_path / "a.csv"
    source.write_text("\n".join(["a,when,code", *lines, ",05/02/2024,x1"]) + "\n")
    options = ("--effort", "fast", "--device", "cpu", "--batch-rows", 20, "--report", tmp_path / "r.json")
    result = run("impute", source, "-o", tmp_path / "full.csv", *options)
    assert result.exit_code == 0, result.output
    kinds = {column["name"]: column["kind"] for column in json.loads((tmp_path / "r.json").read_text())["columns"]}
    assert kinds == {"a": "decimal", "when": "datetime", "code": "categorical"}
    assert "29/01/2024" in result.output or (tmp_path / "full.csv").read_text().count("/2024") == 63


@pytest.mark.parametrize(
    ("files", "source", "said"),
    [
        ({"a.csv": "x,y\n1,2\n", "b.csv": "x,z\n1,2\n"}, "*.csv", "b.csv' has the columns ['x', 'z']"),
        ({"a.csv": "x,y\n1,2\n", "b.jsonl": "{}"}, "", "several formats"),
        ({"a/k.csv": "x,y\n1,2\n", "b/k.csv": "x,y\n1,2\n"}, "*/k.csv", "have one name"),
        ({"a.xlsx": ""}, "a.xlsx", "xlsx is not read some rows at a time"),
        ({"a.jsonl": '{"x": 1}\n{"x": [1]}\n'}, "a.jsonl", "'x' (a list, "),
        ({"a.csv": "x,y\n1,2\n"}, "no*.csv", "without a file that is read in parts"),
    ],
)
def test_files_that_are_no_table_together_are_refused(tmp_path: Path, files, source, said) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    before = sorted(tmp_path.rglob("*"))
    result = run("impute", tmp_path / source, "-o", tmp_path / f"full{Path(source).suffix}", "--batch-rows", 2)
    assert result.exit_code == 2
    assert said in result.output.replace("\n", " ")
    assert sorted(tmp_path.rglob("*")) == before


def test_cells_are_quoted_where_those_of_all_parts_are(model: Path, tmp_path: Path) -> None:
    """Also in a part that has no observed cell of the column."""
    frame = table()
    frame.loc[:24, "kind"] = None
    cells = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    lines = [
        ",".join("" if c is None else f'"{c}"' if j == 3 else str(c) for j, c in enumerate(row[1:], 1)) for row in cells
    ]
    lines = [
        line.replace(" €", " €").replace(row[5] or "\0", f'"{row[5]}"') for line, row in zip(lines, cells, strict=True)
    ]
    source = tmp_path / "a.csv"
    source.write_text("size,count,kind,day,price\n" + "\n".join(lines) + "\n", encoding="utf-8")
    for name, further in (("whole", ()), ("parts", ("--batch-rows", 17))):
        result = run("impute", source, "-o", tmp_path / f"{name}.csv", "--model", model, "-q", *further)
        assert result.exit_code == 0, result.output
    assert (tmp_path / "parts.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    filled = (tmp_path / "parts.csv").read_text(encoding="utf-8").splitlines()[1:25]
    assert all('"up"' in line or '"down, a bit"' in line for line in filled)
