"""``python -m benchmarks.imputation.real_gaps``: draws of values that really are missing, ranked by the energy-I-Score.

Nobody knows these values. The score turns the roles round: what a method made up is all that it may learn a column from, and what
was observed is what it has to draw.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.data import data_folder
from benchmarks.imputation.inference.filling import Kinds
from benchmarks.imputation.inference.methods import METHODS
from benchmarks.imputation.inference.scenarios import Case, Kind
from benchmarks.rows import run_missing, stored_rows
from tabgan.metrics import energy_i_score

__all__ = ["TABLES", "coded", "page"]

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "benchmarks" / "real_gaps.md"
COMPARED = ("tabgan", "mice pmm", "mice cart", "mice rf", "mice norm", "IterativeImputer draws")
N_DRAWS = 10
MOST_ROWS = 1000


@dataclass(frozen=True)
class GappedTable:
    """A table with missing values of its own.

    Parameters
    ----------
    file : str
    left_out : tuple of str
        Names of rows, and columns without any value.
    missing : tuple of str
        Markers.
    zero_is_missing : tuple of str
        Columns of measurements in which 0 was written for "not measured".
    header : bool
    """

    file: str
    left_out: tuple[str, ...] = ()
    missing: tuple[str, ...] = ("?",)
    zero_is_missing: tuple[str, ...] = ()
    header: bool = True


TABLES = {
    "titanic": GappedTable("titanic.csv", left_out=("PassengerId", "Name", "Ticket", "Cabin")),
    "hepatitis": GappedTable("hepatitis.csv"),
    "credit_approval": GappedTable("credit_approval.csv"),
    "pima": GappedTable("pima-indians-diabetes.csv", zero_is_missing=("1", "2", "3", "4", "5"), header=False),
    "sick": GappedTable("sick.csv.gz", left_out=("TBG", "TBG measured")),
}


def coded(table: GappedTable) -> tuple[pd.DataFrame, dict[str, Kind]]:
    """At most `MOST_ROWS` rows, labels as codes from 0, constant columns left out; and which columns are labels."""
    folder = data_folder()
    if folder is None:
        raise FileNotFoundError("no benchmark data: set TABGAN_DATA to the folder that holds manifest.json")
    frame = pd.read_csv(folder / table.file, na_values=list(table.missing), header=0 if table.header else None)
    frame.columns = [str(name) for name in frame.columns]
    frame = frame.drop(columns=list(table.left_out))
    if len(frame) > MOST_ROWS:
        frame = frame.sample(MOST_ROWS, random_state=0)
    found: dict[str, np.ndarray] = {}
    kinds: dict[str, Kind] = {}
    for number, name in enumerate(frame.columns):
        column, plain = frame[name], f"x{number}"  # R would change other names
        if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
            values = column.to_numpy(dtype=float, na_value=np.nan)
            found[plain] = np.where(values == 0, np.nan, values) if name in table.zero_is_missing else values
        else:
            codes, levels = pd.factorize(column, sort=True)
            found[plain] = np.where(codes < 0, np.nan, codes)
            kinds[plain] = "binary" if len(levels) == 2 else "nominal"
    coded_frame = pd.DataFrame(found)
    varies = [name for name in coded_frame if coded_frame[name].nunique() > 1]
    return coded_frame[varies], {name: kind for name, kind in kinds.items() if name in varies}


def run(table: str, method: str) -> dict[str, Any]:
    """The score of a method on a table, and of each column."""
    frame, kinds = coded(TABLES[table])

    def draw(part: Any, n_draws: int) -> list[pd.DataFrame]:
        part = pd.DataFrame(part)
        own: Kinds = {name: kind for name, kind in kinds.items() if name in part}
        (filled,) = METHODS[method](
            [(Case(part.reset_index(drop=True), part.isna().reset_index(drop=True)), 0)], own, n_draws
        )
        if isinstance(filled, Exception):
            raise filled
        return [one[list(part.columns)].set_axis(part.index) for one in filled]

    score = energy_i_score(frame, draw, n_draws=N_DRAWS, categorical=list(kinds))
    columns = {str(name): float(value) for name, value in score.columns["score"].dropna().items()}
    return {"score": score.score, "columns": columns, "n_rows": len(frame), "n_columns": frame.shape[1]}


def page(rows: pd.DataFrame) -> str:
    """The page as Markdown.

    Parameters
    ----------
    rows : DataFrame
        ``table``, ``method``, ``score``, ``n_rows``, ``n_columns``, and ``error`` where a run failed.
    """
    scores = rows.pivot_table(index="table", columns="method", values="score", sort=False)
    scores = scores.reindex(columns=[method for method in COMPARED if method in scores])
    ranks = scores.fillna(np.inf).rank(axis=1)
    sizes = rows.drop_duplicates("table").set_index("table")
    lines = [
        "# Values that really are missing",
        "",
        "Which method draws missing values that look like what is missing, where nobody knows the truth? The energy-I-Score (Näf,",
        "Grzesiak and Scornet 2025) turns the roles round. What a method made up is all that it may learn a column from. What was",
        "observed is what it has to draw then. Lower is better; scores of different tables are not comparable. Labels are told as",
        "such to every method.",
        "",
        "| table | rows | columns | " + " | ".join(scores.columns) + " |",
        "|---" * (3 + scores.shape[1]) + "|",
    ]
    for table, row in scores.iterrows():
        best = row.min()
        shown = ["-" if np.isnan(one) else f"**{one:.4f}**" if one == best else f"{one:.4f}" for one in row]
        size = sizes.loc[table]
        lines.append(f"| {table} | {size['n_rows']:.0f} | {size['n_columns']:.0f} | " + " | ".join(shown) + " |")
    lines.append("| mean rank | | | " + " | ".join(f"{one:.2f}" for one in ranks.mean()) + " |")
    failed = rows[rows["error"].notna()] if "error" in rows else rows[:0]
    lines += ["", "A method that failed on a table has the last rank there." if len(failed) else "No run failed.", ""]
    lines += [f"- {one.table}, {one.method}: {one.error[:200]}" for one in failed.itertuples()]
    lines += ["", f"{N_DRAWS} draws, one seed. Made by `python -m benchmarks.imputation.real_gaps`.", ""]
    return "\n".join(lines)


def main() -> None:
    """Run what is not there yet, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imputation.real_gaps", description=__doc__)
    parser.add_argument("--results", type=Path, default=HERE / "results" / "real_gaps.jsonl", help="file of rows")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES), help="run these only")
    parser.add_argument("--methods", nargs="+", choices=COMPARED, default=list(COMPARED), help="run these only")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write")
    options = parser.parse_args()
    cells = [{"table": table, "method": method} for method in options.methods for table in options.tables]
    run_missing(options.results, cells, run)
    options.page.write_text(page(pd.DataFrame(stored_rows(options.results))))


if __name__ == "__main__":
    main()
