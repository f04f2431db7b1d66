"""``python -m benchmarks.imputation.downstream``: what imputation is worth to the model that comes after it.

Eight tables with a target, cut to 2,000 rows; 30 % of the feature cells hidden, completely at random (MCAR) or by their own values
(MNAR); 70 % of the rows to learn from, 30 % to score on. Imputers learn from the training rows only and never see the target; the
model learns from the imputed training rows and is scored on the imputed test rows: AUROC of two classes, R2 of numbers. Boosting is
scikit-learn's HistGradientBoosting with its defaults, linear is logistic or ridge regression on standardised numbers and one-hot
labels. Beside the imputers: the table before cells were hidden, boosting that is given the missing values as they are, and mean or
mode with a column per incomplete feature that says where values were missing. Linear models have no row where the table has missing
values of its own that are not imputed. A difference smaller than that between seeds says that the choice of imputer did not matter.
"""

from __future__ import annotations

import argparse
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.data import BenchmarkTable, load_frame, load_table, load_target_name
from benchmarks.imputation.competitors import COMPETITORS
from benchmarks.imputation.report import markdown
from benchmarks.rows import run_missing, stored_rows
from tabgan.tables.amputation import ampute

__all__ = ["TABLES", "run"]

TABLES = (
    "phoneme",
    "mammography",
    "german_credit",
    "adult_train",
    "california_housing",
    "winequality_red",
    "abalone",
    "diamonds",
)
NOTHING_HIDDEN, AS_THEY_ARE, INDICATOR = "(nothing hidden)", "(missing values as they are)", "mean/mode + indicator"
IMPUTERS = ("mean/mode", "kNN(5)", "MICE", "tree chain", "miceforest", "re-masking autoencoder", "GAINImputer")
WAYS = (NOTHING_HIDDEN, AS_THEY_ARE, INDICATOR, *IMPUTERS)
MODELS = ("boosting", "linear")


@cache
def _task(name: str, mechanism: str, seed: int) -> tuple[BenchmarkTable, pd.DataFrame, np.ndarray, np.ndarray]:
    """Features, features with cells hidden, target, and which rows are for training."""
    table, target = load_table(name), load_frame(name)[load_target_name(name)]
    rng = np.random.default_rng(seed)
    rows = rng.permutation(np.flatnonzero(target.notna()))[:2000]
    truth, y = table.frame.iloc[rows].reset_index(drop=True), target.iloc[rows].to_numpy()
    if len(np.unique(y)) == 2:
        y = (y == np.unique(y)[1]).astype(int)
    codes = truth.copy()
    for column in table.categorical:
        codes[column] = truth[column].astype("category").cat.codes.replace(-1, np.nan)
    observed = truth.notna().to_numpy()
    hidden = ampute(codes.to_numpy(float), 0.3, mechanism=mechanism, random_state=seed, observed=observed)  # type: ignore[arg-type]
    gappy = truth.copy()
    for j, column in enumerate(truth.columns):
        gappy[column] = truth[column].mask(hidden[:, j], None if column in table.categorical else np.nan)
    training = np.arange(len(y)) < int(0.7 * len(y))  # the rows are in random order
    return BenchmarkTable(name, truth, table.categorical), gappy, y, training


def run(table: str, mechanism: str, seed: int, way: str) -> dict[str, Any]:
    """One row of results: the score of both models after one way to treat gaps."""
    known, gappy, y, training = _task(table, mechanism, seed)
    train, test = gappy[training].reset_index(drop=True), gappy[~training].reset_index(drop=True)
    added: list[pd.DataFrame] = [pd.DataFrame(index=range(len(part))) for part in (train, test)]
    if way == NOTHING_HIDDEN:
        train, test = (known.frame[rows].reset_index(drop=True) for rows in (training, ~training))
    elif way != AS_THEY_ARE:
        gaps = [column for column in train if train[column].isna().any()]
        if way == INDICATOR:
            added = [part[gaps].isna().astype(float).add_suffix(" is missing") for part in (train, test)]
        imputer = COMPETITORS["mean/mode" if way == INDICATOR else way]()
        outcome = imputer(BenchmarkTable(table, train, known.categorical), test, seed)
        train, test = outcome.train.reset_index(drop=True), outcome.test.reset_index(drop=True)
    train, test = (pd.concat([part, extra], axis=1) for part, extra in zip((train, test), added, strict=True))
    scores = {"boosting": _score(_boosting, train, test, y, training, known.categorical)}
    # Real gaps are left where nothing is imputed; linear models cannot take them.
    if way != AS_THEY_ARE and not (train.isna().any().any() or test.isna().any().any()):
        scores["linear"] = _score(_linear, train, test, y, training, known.categorical)
    return scores


def _score(
    make: Any, train: pd.DataFrame, test: pd.DataFrame, y: np.ndarray, training: np.ndarray, categorical: list[str]
) -> float:
    from sklearn.metrics import r2_score, roc_auc_score

    classes = len(np.unique(y)) == 2
    model = make(classes, [column for column in train if column not in categorical], categorical)
    model.fit(train, y[training])
    if classes:
        return float(roc_auc_score(y[~training], model.predict_proba(test)[:, 1]))
    return float(r2_score(y[~training], model.predict(test)))


def _boosting(classes: bool, numeric: list[str], categorical: list[str]) -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan)
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    model = kind(random_state=0, categorical_features=list(range(len(categorical))) or None)
    return make_pipeline(make_column_transformer((codes, categorical), ("passthrough", numeric)), model)


def _linear(classes: bool, numeric: list[str], categorical: list[str]) -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), categorical), (StandardScaler(), numeric)
    )
    return make_pipeline(columns, LogisticRegression(max_iter=1000) if classes else Ridge())


def main() -> None:
    """Run what the results file does not hold yet, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imputation.downstream", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--tables", nargs="+", default=list(TABLES))
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS), metavar="WAY")
    parser.add_argument("--results", type=Path, help="rows (default: benchmarks/imputation/results/downstream.jsonl)")
    parser.add_argument("--only-report", action="store_true")
    options = parser.parse_args()
    here = Path(__file__).parent
    path = options.results or here / "results" / "downstream.jsonl"
    warnings.filterwarnings("ignore")
    if not options.only_report:
        cells = [
            {"table": table, "mechanism": mechanism, "seed": seed, "way": way}
            for seed in range(options.seeds)
            for table in options.tables
            for mechanism in ("mcar", "mnar")
            for way in options.ways
        ]
        run_missing(path, cells, run)
    page = path.with_suffix(".md") if options.results else here.parents[1] / "docs" / "benchmarks" / "downstream.md"
    page.write_text(_page(pd.DataFrame(stored_rows(path))))


def _page(rows: pd.DataFrame) -> str:
    parts = [
        "# After imputation",
        "What are imputed values worth to the model that learns from them?",
        (__doc__ or "").split("\n\n", 1)[1].strip(),
    ]
    present = [way for way in WAYS if (rows["way"] == way).any()]
    for model in (model for model in MODELS if model in rows):
        cells = rows.pivot_table(index=["table", "mechanism", "seed"], columns="way", values=model)
        cells = cells.reindex(columns=[way for way in present if way in cells])
        parts += [f"## {model.capitalize()}: AUROC or R2", _table(cells), _standing(cells, model)]
    if "error" in rows and rows["error"].notna().any():
        failed = rows[rows["error"].notna()].itertuples()
        parts += ["## Failed runs", "\n".join(f"- {r.table} {r.mechanism}, {r.way}: {r.error}" for r in failed)]
    return "\n\n".join(parts) + "\n"


def _table(cells: pd.DataFrame) -> str:
    """Mean over seeds; the best way of those that were given gaps in bold."""
    mean = cells.groupby(level=["table", "mechanism"], sort=False).mean()
    best = mean.drop(columns=NOTHING_HIDDEN, errors="ignore").max(axis=1)
    shown = mean.map(lambda value: "-" if pd.isna(value) else f"{value:.3f}")
    for index in mean.index:
        for way in mean.columns.drop(NOTHING_HIDDEN, errors="ignore"):
            if mean.loc[index, way] == best[index]:
                shown.loc[index, way] = f"**{shown.loc[index, way]}**"
    shown.index = [f"{table} {mechanism}" for table, mechanism in shown.index]
    shown.index.name = "table"
    return markdown(shown)


def _standing(cells: pd.DataFrame, model: str) -> str:
    """Mean rank of the ways that were given gaps, and how much better than the simplest way they are."""
    against = AS_THEY_ARE if model == "boosting" else "mean/mode"
    given = cells.drop(columns=NOTHING_HIDDEN, errors="ignore").dropna(axis=1, how="all")
    lines = {}
    ranks = given.rank(axis=1, ascending=False)
    for way in given:
        change = (given[way] - given[against]).dropna() if against in given else pd.Series(dtype=float)
        lines[way] = {
            "mean rank": f"{ranks[way].mean():.2f}",
            f"mean change from {against}": f"{change.mean():+.4f}" if len(change) else "-",
            "better-worse": f"{(change > 0.001).sum()}-{(change < -0.001).sum()}",
        }
    table = pd.DataFrame(lines).T
    table.index.name = f"{model}, {len(cells)} cells"
    return markdown(table)


if __name__ == "__main__":
    main()
