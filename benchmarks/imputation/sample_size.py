"""``python -m benchmarks.imputation.sample_size``: what a fit on a sample of a large table loses against a fit on all its rows.

Three simulated tables and two real ones, whose rows are repeated with noise, each of a million rows. What the results file
holds is not run again.
"""

from __future__ import annotations

import argparse
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from benchmarks.data import load_frame
from benchmarks.imputation.report import markdown
from benchmarks.rows import run_missing, stored_rows
from tabgan import GAINImputer, fit_batches

__all__ = ["TABLES", "flat_from", "run"]

ALL = 1_000_000
SIZES = (10_000, 30_000, 100_000, 300_000, ALL)
JUDGED = 20_000
"""Rows that no fit sees."""
NOISE = 0.05
"""Of a real number, in standard deviations of its column."""
BATCH = 50_000
_HERE = Path(__file__).parent
KEPT = _HERE / "results" / "sample_size.jsonl"
DOCS = _HERE.parents[1] / "docs" / "benchmarks"
_OPENING = """# How many rows to learn from

Of a table larger than memory an imputer sees a sample only, 100,000 rows unless `n_rows` says otherwise. What does that cost?
Each table here has a million rows, and a fifth of its cells is missing at random. `fit_batches` learnt from samples of several
sizes, `fit` from all rows. All are judged on the missing cells of the same 20,000 further rows. Figures are errors divided by
the error of the fit on all rows: 1.010 is 1 % worse. Lower is better. `fit` itself shows each of its stages 50,000 rows at most,
drawn at random. So larger samples are equally good, and differ by the luck of the draw.

![Error over the size of the sample](sample_size.png)

"""


def factors(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Numbers, counts and labels that hang on three factors."""
    weights = np.random.default_rng(0).normal(size=(3, 10))
    values = rng.normal(size=(n, 3)) @ weights + rng.normal(size=(n, 10))
    frame = pd.DataFrame(values, columns=[f"x{j}" for j in range(10)]).round(3)
    frame["x7"] = np.exp(frame["x7"] / 3).round()
    for name in ("x8", "x9"):
        frame[name] = np.array(list("abcd"))[np.digitize(frame[name], [-1, 0, 1])]
    return frame


def curves(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Numbers that bend with four factors."""
    weights = np.random.default_rng(7).normal(size=(3, 4, 10))
    parts = rng.normal(size=(n, 4))
    bent = parts @ weights[0] + 1.5 * np.sin(parts @ weights[1]) + 0.5 * (parts @ weights[2]) ** 2
    return pd.DataFrame(bent + 0.3 * rng.normal(size=(n, 10)), columns=[f"x{j}" for j in range(10)]).round(3)


def groups(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Forty groups of unequal size, each with its own means, spreads and labels."""
    shape = np.random.default_rng(11)
    shares = shape.dirichlet(np.full(40, 0.5))
    means, spreads = 2 * shape.normal(size=(40, 8)), shape.uniform(0.3, 1.5, size=(40, 8))
    group = rng.choice(40, size=n, p=shares)
    frame = pd.DataFrame(means[group] + spreads[group] * rng.normal(size=(n, 8)), columns=[f"x{j}" for j in range(8)])
    frame = frame.round(3)
    frame["kind"] = np.array([f"k{g % 9}" for g in range(40)])[group]
    frame["place"] = np.array(list("uvwxyz"))[np.where(rng.random(n) < 0.8, group % 6, rng.integers(6, size=n))]
    return frame


def repeated(name: str, rng: np.random.Generator, n: int, judged: bool) -> pd.DataFrame:
    """Rows of a real table, drawn again and again; its last fifth is for judging. Numbers get noise, and keep their decimals."""
    frame = load_frame(name).dropna().reset_index(drop=True)
    frame = frame.iloc[np.random.default_rng(3).permutation(len(frame))]
    cut = 4 * len(frame) // 5
    spread = frame.std(numeric_only=True)
    frame = (frame.iloc[cut:] if judged else frame.iloc[:cut]).sample(n, replace=True, random_state=rng)
    frame = frame.reset_index(drop=True)
    for column, sd in spread.items():
        if frame[column].nunique() > 20:
            decimals = 0 if frame[column].dtype.kind in "iu" else 3
            noisy = frame[column] + NOISE * sd * rng.normal(size=n)
            frame[column] = noisy.clip(frame[column].min(), frame[column].max()).round(decimals)
    return frame


SIMULATED = {"factors": factors, "curves": curves, "groups": groups}
REAL = ("california_housing", "diamonds")
TABLES = (*SIMULATED, *REAL)


@lru_cache(maxsize=1)
def tables(name: str, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A million rows to learn from, with cells missing, and complete rows to judge by."""
    rngs = [np.random.default_rng([seed, k]) for k in range(3)]
    if name in SIMULATED:
        learnt, judged = (SIMULATED[name](rng, n) for rng, n in zip(rngs[:2], (ALL, JUDGED), strict=True))
    else:
        learnt, judged = (repeated(name, rngs[k], n, bool(k)) for k, n in enumerate((ALL, JUDGED)))
    return learnt.mask(rngs[2].random(learnt.shape) < 0.2), judged


def run(table: str, rows: int, effort: str, seed: int) -> dict[str, Any]:
    """Error of a fit on so many rows of a table."""
    learnt, judged = tables(table, seed)
    hidden = np.random.default_rng([seed, 9]).random(judged.shape) < 0.2
    imputer, started = GAINImputer(effort=effort, random_state=seed), time.process_time()
    if rows == ALL:
        imputer.fit(learnt)
    else:
        fit_batches(imputer, (learnt.iloc[k : k + BATCH] for k in range(0, ALL, BATCH)), n_rows=rows)
    seconds = time.process_time() - started
    filled = imputer.transform(judged.mask(hidden))
    squares, wrong = [], []
    for j, name in enumerate(judged):
        truth, found = judged.loc[hidden[:, j], name], filled.loc[hidden[:, j], name]
        if truth.dtype.kind in "iuf":
            squares.append(float(((found - truth) ** 2).mean() / judged[name].var()))
        else:
            wrong.append(float((found.astype(str) != truth.astype(str)).mean()))
    return {
        "rmse": float(np.sqrt(np.mean(squares))),
        "wrong": float(np.mean(wrong)) if wrong else None,
        "fit_cpu": seconds,
    }


def main() -> None:
    """Run what the results file does not hold yet, and write page and plot."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imputation.sample_size", description=__doc__)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--effort", default="fast")
    parser.add_argument("--only-report", action="store_true")
    given = parser.parse_args()
    if not given.only_report:
        with threadpool_limits(1):
            for table in given.tables:
                cells = [{"table": table, "rows": n, "effort": given.effort, "seed": 0} for n in given.sizes]
                run_missing(KEPT, cells, run)
    rows = pd.DataFrame([row for row in stored_rows(KEPT) if "error" not in row])
    _plot(rows, DOCS / "sample_size.png")
    (DOCS / "sample_size.md").write_text(page(rows))


def relative(rows: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Errors over those of the fit on all rows: a row per effort and table, a column per size; only where that fit is in."""
    wide = rows.pivot_table(index=["effort", "table"], columns="rows", values=measure)
    wide = wide[wide[ALL].notna()] if ALL in wide else wide.iloc[:0]
    return wide.div(wide[ALL], axis=0) if len(wide) else wide


def flat_from(errors: pd.Series, within: float = 0.005) -> int:
    """The smallest size from which on no error, relative to the one of all rows, is larger by more than so much."""
    sizes = sorted(errors.dropna().index)
    far = [n for n in sizes if errors[n] - 1 > within]
    return next(n for n in sizes if not far or n > max(far))


def page(rows: pd.DataFrame) -> str:
    """The page as Markdown."""
    parts = [_OPENING.rstrip()]
    for measure, title in (("rmse", "Numbers: RMSE"), ("wrong", "Labels: share wrong")):
        found = relative(rows.dropna(subset=[measure]), measure)
        shown = found.map(lambda value: "" if np.isnan(value) else f"{value:.3f}")
        shown.columns = [f"{n:,}" for n in found.columns]
        base = rows[rows["rows"] == ALL].set_index(["effort", "table"])[measure].reindex(found.index)
        shown["error of all rows"] = base.map("{:.3f}".format)
        if measure == "rmse":
            shown["at most 0.5 % worse from"] = [f"{flat_from(found.loc[one]):,}" for one in found.index]
        shown.index = pd.Index([f"{table}, {effort}" for effort, table in found.index], name="table, effort")
        parts += [f"## {title}", markdown(shown)]
    parts += ["## CPU seconds of a fit", _costs(rows), _how()]
    return "\n\n".join(parts) + "\n"


def _costs(rows: pd.DataFrame) -> str:
    wide = rows.pivot_table(index=["effort", "table"], columns="rows", values="fit_cpu")
    shown = wide.map(lambda value: "" if np.isnan(value) else f"{value:.0f}")
    shown.columns = [f"{n:,}" for n in wide.columns]
    shown.index = pd.Index([f"{table}, {effort}" for effort, table in wide.index], name="table, effort")
    return markdown(shown)


def _how() -> str:
    return """The seconds of samples hold the reading of all rows. *factors*: ten columns that hang on three factors, two of them
labels, one a count. *curves*: ten columns that bend with four factors. *groups*: forty groups with means of their own, and two
labels. The real tables are repeated to a million rows: numbers get noise of 5 % of their spread. A fifth of their own rows is
kept for judging. One seed, one thread. Made by `python -m benchmarks.imputation.sample_size`."""


def _plot(rows: pd.DataFrame, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    for (effort, table), line in relative(rows, "rmse").iterrows():
        line = line.dropna()
        axes.plot(line.index, line, marker="o", ms=3, ls="-" if effort == "fast" else "--", label=f"{table}, {effort}")
    axes.axhspan(0.995, 1.005, color="0.9", zorder=0)
    axes.set(xscale="log", xlabel="rows of the sample", ylabel="RMSE / RMSE of all rows")
    axes.legend(frameon=False, fontsize="small")
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
