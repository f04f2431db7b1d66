"""``python -m benchmarks.rebalancing.advice``: what the advice of `should_rebalance` is worth on tables like those of card fraud.

The table is simulated after the published shape of the public card-fraud table: 30 numeric columns, of which 28 are
principal components with heavy tails, and a quarter per cent of positives, of which some look like anybody. `should_rebalance` is
asked on it within a time limit; every candidate is then trained on all of it and judged on further rows of the same kind, so that the
best of them is known. ``--smoke`` runs a small table in seconds.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.imputation.report import markdown
from benchmarks.processes import run_apart
from tabgan import should_rebalance
from tabgan.estimators.cross_validation import seeded_copy
from tabgan.model_selection.candidates import DERIVED, NONE, all_candidates

__all__ = ["CASES", "HELD_BACK", "SMOKE", "Case", "against_nothing", "judged", "page", "regret", "simulated"]

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "benchmarks"
LIMIT = 1800.0
COSTS = {(0, 1): 1.0, (1, 0): 50.0}
"""A checked alarm, and a fraud that nobody saw."""


@dataclass(frozen=True)
class Case:
    """A simulated table, the estimator that is asked about, and how.

    Parameters
    ----------
    estimator : {"boosting", "logistic"}
    rows : int, default=60_000
    seed : int, default=0
    share : float, default=0.0025
        Of positives.
    max_time : float, default=240.0
        Seconds that `should_rebalance` gets.
    costs : bool, default=False
        Whether it is told what errors cost (`COSTS`).
    test_rows : int, default=400_000
        Further rows to judge by.
    own : bool, default=True
        Whether our samplers are among the candidates.
    """

    estimator: str
    rows: int = 60_000
    seed: int = 0
    share: float = 0.0025
    max_time: float = 240.0
    costs: bool = False
    test_rows: int = 400_000
    own: bool = True

    def __str__(self) -> str:
        told = ", with costs" if self.costs else ""
        return f"{self.estimator}, {self.rows:,} rows, seed {self.seed}{told}"


CASES = (Case("boosting"), Case("boosting", seed=1), Case("boosting", seed=2), Case("logistic", costs=True))
HELD_BACK = tuple(
    Case("boosting", rows=5_000, seed=100 + k, share=0.01, max_time=60.0, test_rows=50_000, own=False)
    for k in range(20)
)
"""Smaller tables, many: whether the advice is ever worse than doing nothing."""
_SMALL = Case("logistic", rows=1_000, share=0.04, max_time=20.0, test_rows=2_000, own=False)
SMOKE = (_SMALL, replace(_SMALL, costs=True))


def simulated(rows: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of shape (rows, 30) and classes 0 and 1.

    Positives are of three kinds: half stand out in ten components, three in ten a little, and two in ten are like anybody.
    """
    rng = np.random.default_rng(seed)
    y = np.zeros(rows, dtype=int)
    y[rng.choice(rows, round(share * rows), replace=False)] = 1
    spread = np.linspace(1.95, 0.35, 28)
    components = rng.standard_t(4, size=(rows, 28)) * spread
    positive = np.flatnonzero(y)
    kind = rng.choice([1.0, 0.35, 0.0], size=len(positive), p=[0.5, 0.3, 0.2])
    shift = np.zeros(28)
    shift[[2, 3, 6, 8, 9, 10, 11, 13, 15, 16]] = [-3.5, 2.2, -2.8, -1.3, -2.8, 1.9, -3.1, -3.5, -2.0, -3.3]
    scale = 0.5 + rng.gamma(2.0, 0.5, size=(len(positive), 1))  # some frauds are bolder than others
    components[positive] += kind[:, None] * scale * shift
    hour = rng.random(rows) * 48
    amount = rng.lognormal(3.0 + 0.4 * y, 1.6)
    return np.column_stack([hour, components, amount]), y


def estimator_of(case: Case) -> Any:
    """The classifier with its defaults."""
    if case.estimator == "boosting":
        return HistGradientBoostingClassifier(random_state=case.seed)
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))


def judged(case: Case) -> dict[str, Any]:
    """What was advised, and what every candidate is worth on further rows."""
    X, y = simulated(case.rows, case.share, case.seed)
    started = time.perf_counter()
    costs = COSTS if case.costs else None
    found = should_rebalance(
        X,
        y,
        estimator_of(case),
        samplers=None if case.own else [],
        costs=costs,
        random_state=case.seed,
        max_time=case.max_time,
    )
    advised = time.perf_counter() - started
    further, truth = simulated(case.test_rows, case.share, case.seed + 1000)
    worth: dict[str, Any] = {}
    for candidate in all_candidates(X, 10, estimator_of(case), None if case.own else [], 2):
        row: dict[str, Any] = {"expected": None, "n_folds": 0}
        if candidate.model is not None:
            known = found.table.set_index("candidate").loc[candidate.name]
            row = {"expected": _number(known["average_precision"]), "n_folds": int(known["n_folds"])}
            row["expected_gain"] = [_number(known[f"average_precision_difference{what}"]) for what in ("", "_se")]
        if candidate.model is not None and candidate.name not in DERIVED:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = candidate.fit(seeded_copy(candidate.model, case.seed), X, y)
            p = model.predict_proba(further)[:, 1]
            row["average_precision"] = float(average_precision_score(truth, p))
        worth[candidate.name] = row
    answer = {
        "best": found.best,
        "recommendation": found.recommendation,
        "warnings": found.warnings,
        "advice_s": advised,
    }
    if case.costs:
        answer["costs"] = (
            _cost_of(found.estimator, X, y, further, truth),
            _cost_of(estimator_of(case), X, y, further, truth),
        )
    return answer | {"worth": worth}


def gain_of(case: Case, best: str) -> dict[str, Any]:
    """By how much a candidate betters the estimator as it is on further rows, and the standard error of that."""
    X, y = simulated(case.rows, case.share, case.seed)
    further, truth = simulated(case.test_rows, case.share, case.seed + 1000)
    known = {one.name: one for one in all_candidates(X, 10, estimator_of(case), None if case.own else [], 2)}
    said = []
    for name in (NONE, best):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = known[name].fit(seeded_copy(known[name].model, case.seed), X, y)
        said.append(model.predict_proba(further)[:, 1])
    before, after = (float(average_precision_score(truth, p)) for p in said)
    return {"gain": after - before, "gain_se": gain_error(truth, *said)}


def gain_error(truth: np.ndarray, before: np.ndarray, after: np.ndarray, n: int = 200) -> float:
    """Standard error of the difference of two average precisions on the same rows, by a paired Poisson bootstrap of these."""
    rng = np.random.default_rng(0)
    places = [np.unique(-p, return_inverse=True)[1].reshape(-1) for p in (before, after)]
    differences = []
    for _ in range(n):
        weights = rng.poisson(1.0, len(truth)).astype(float)
        one, other = (_weighted_precision(place, truth, weights) for place in places)
        differences.append(other - one)
    return float(np.std(differences, ddof=1))


def _weighted_precision(place: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> float:
    """Average precision of rows with weights; ``place`` is 0 for the highest score, and equal for equal ones."""
    found = np.bincount(place, weights * truth)
    so_far = np.bincount(place, weights).cumsum()
    return float((found * found.cumsum() / np.maximum(so_far, 1e-12)).sum() / found.sum())


def _cost_of(estimator: Any, X: np.ndarray, y: np.ndarray, further: np.ndarray, truth: np.ndarray) -> float:
    said = estimator.fit(X, y).predict(further)
    return float(np.mean((said < truth) * COSTS[1, 0] + (said > truth) * COSTS[0, 1]))


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def regret(row: dict[str, Any]) -> tuple[str, float]:
    """The best candidate on further rows, and by how much its average precision is above that of the advice."""
    known = {name: one["average_precision"] for name, one in row["worth"].items() if "average_precision" in one}
    best = max(known, key=lambda name: known[name])
    advised = NONE if row["best"] in DERIVED else row["best"]
    return best, known[best] - known[advised]


def against_nothing(rows: list[dict[str, Any]], gains_of: Sequence[dict[str, Any]] = ()) -> str:
    """What the advice gains over the estimator as it is, over many tables, with what `gain_of` says of each."""
    gains = []
    for row in rows:
        none, advised = (row["worth"][name] for name in (NONE, NONE if row["best"] in DERIVED else row["best"]))
        gains.append(advised["average_precision"] - none["average_precision"])
    asked, n_nothing = rows[0]["case"], sum(row["best"] in (NONE, *DERIVED) for row in rows)
    behind = np.mean([regret(row)[1] for row in rows])
    commits = pd.Series([row["commit"] for row in rows]).value_counts()
    within = " Rows by commit: " + ", ".join(f"{name} {n}" for name, n in commits.items()) + "."
    errors = {(json.dumps(one["case"]), one["best"]): one["gain_se"] for one in gains_of if "gain_se" in one}
    known = [errors.get((json.dumps(row["case"]), row["best"]), np.nan) for row in rows]
    lost = [(gain, error) for gain, error in zip(gains, known, strict=True) if gain < 0]
    if lost and not any(np.isnan(error) for _, error in lost):
        beyond = [f"{gain:+.4f} ± {error:.4f}" for gain, error in lost if -gain > error]
        shown = ", ".join(f"{gain:+.4f} ± {error:.4f}" for gain, error in lost)
        within += f" Paired bootstrap of the further rows: {shown}; so it is worse by more than one standard error on {len(beyond)}."
        gained = [gain / error for gain, error in zip(gains, known, strict=True) if gain > 0]
        within += f" Of {len(gained)} gains {sum(ratio > 1 for ratio in gained)} are larger than theirs."
    return (
        f"**{len(rows)} smaller tables** ({asked['estimator']}, {asked['rows']:,} rows, {asked['share']:.1%} positives, without our "
        f"samplers, judged on {asked['test_rows']:,} further rows each): the advice gains {np.mean(gains):+.3f} AUPRC over the "
        f"estimator as it is (standard error {np.std(gains, ddof=1) / np.sqrt(len(gains)):.3f}), at worst {min(gains):+.3f}; it is "
        f"worse on {sum(gain < 0 for gain in gains)} of them, and leaves table and settings as they are on {n_nothing}. The best "
        f"candidate, had one known it, is {behind:.3f} ahead of the advice.{within}"
    )


_RULE_SINCE = "2026-11-30T14:00:00"
"""When `should_rebalance` began to ask that weights, bags and rows better what leaves the table as it is."""


def page(rows: list[dict[str, Any]], gains_of: Sequence[dict[str, Any]] = ()) -> str:
    """Markdown: what was advised, at what price, and what every candidate was worth; of a case that ran again, the last row."""
    rows = list({json.dumps(row["case"]): row for row in rows}.values())
    small = [asdict(case) for case in HELD_BACK]
    many = [row for row in rows if "error" not in row and row["case"] in small]
    done = [row for row in rows if "error" not in row and row["case"] not in small]
    last, names = done[-1], {json.dumps(asdict(case)): str(case) for case in (*CASES, *SMOKE)}
    summary, worth = [], {}
    for row in done:
        name = names.get(json.dumps(row["case"]), str(row["case"]))
        best, behind = regret(row)
        seconds, memory = f"{row['advice_s']:.0f}", f"{row['peak_mb'] - row['base_mb']:,.0f}"
        line = {"case": name, "advised": row["best"], "best on further rows": best, "behind it, AUPRC": f"{behind:.3f}"}
        summary.append(line | {"seconds": seconds, "MB": memory})
        worth[name] = {
            key: "-"
            if "average_precision" not in one
            else f"{one['average_precision']:.3f}"
            + ("" if one["expected"] is None else f" ({one['expected']:.3f}, {one['n_folds']} folds)")
            for key, one in row["worth"].items()
        }
    shown = pd.DataFrame(worth).fillna("-")
    shown.index.name = "candidate"
    asked = last["case"]
    parts = [
        "# Is the advice good where classes are very rare?",
        "A table simulated after the published shape of the public card-fraud table: 30 numeric columns with heavy tails, "
        f"{asked['share']:.2%} positives, of which a fifth are like anybody. `should_rebalance` is asked, our samplers among the "
        f"candidates, and given {asked['max_time']:.0f} seconds, one thread; then every candidate is trained on the whole "
        f"table and judged on {asked['test_rows']:,} further rows. CPU, {last['machine']}, Python {last['python']}, "
        f"scikit-learn {last['scikit-learn']}, commit {last['commit']}. Made by `python -m benchmarks.rebalancing.advice`.",
        markdown(pd.DataFrame(summary).set_index("case")),
        "AUPRC on further rows, and in brackets what `should_rebalance` expected of it, over how many folds:",
        markdown(shown),
    ]
    for row in done:
        name = names.get(json.dumps(row["case"]), str(row["case"]))
        said = [f"**{name}**: {row['recommendation']}", *(f"*{warning}*" for warning in row["warnings"])]
        if "costs" in row:
            ours, plain = row["costs"]
            said.append(
                f"Cost per further row, {COSTS[1, 0]:g} for a missed positive and {COSTS[0, 1]:g} for an alarm: {ours:.4f} as "
                f"advised, {plain:.4f} with the estimator as it is."
            )
        parts.append(" ".join(said))
    parts += [against_nothing(many, gains_of)] if len(many) > 1 else []
    earlier = sum(row.get("time", _RULE_SINCE) < _RULE_SINCE for row in (*done, *many))
    if earlier:
        parts.append(
            f"**{earlier} of {len(done) + len(many)} answers were given by an earlier rule**: by now, weights, bags and new rows have "
            "to better a threshold, calibration or other settings of the estimator clearly, too."
        )
    failed = [f"- {row['case']}: {row['error']}" for row in rows if "error" in row]
    return "\n\n".join(parts + (["## Failed runs\n\n" + "\n".join(failed)] if failed else [])) + "\n"


def main() -> None:
    """Run what is not there yet, then write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rebalancing.advice", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="a small table, in seconds; needs --results")
    parser.add_argument("--results", type=Path, help="folder for rows and page (default: as the grids' do)")
    parser.add_argument(
        "--cases", nargs="+", type=int, help="numbers of cases to run, from 0; others are left for later"
    )
    parser.add_argument(
        "--errors", action="store_true", help="add standard errors of what the advice gained on the smaller tables"
    )
    parser.add_argument("--again", action="store_true", help="also run cases that have rows; the last of each counts")
    parser.add_argument("--only-report", action="store_true", help="do not run anything")
    options = parser.parse_args()
    if options.smoke and options.results is None:
        parser.error("--smoke needs --results, so that its page is not taken for the real one")
    path = (options.results or HERE / "results") / "advice.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    for number, case in enumerate(SMOKE if options.smoke else (*CASES, *HELD_BACK)):
        asked = not options.only_report and (options.cases is None or number in options.cases)
        if not asked or (not options.again and any(row["case"] == asdict(case) for row in rows)):
            continue
        answer = run_apart(lambda c=case: judged(c), LIMIT)  # type: ignore[misc]
        rows.append({"case": asdict(case)} | answer)
        with path.open("a") as file:
            file.write(json.dumps(rows[-1]) + "\n")
        print(case, rows[-1].get("error") or rows[-1]["recommendation"], flush=True)
    gains_path = path.with_name("advice_gains.jsonl")
    gains_of = [json.loads(line) for line in gains_path.read_text().splitlines()] if gains_path.exists() else []
    for row in {json.dumps(row["case"]): row for row in rows}.values() if options.errors else []:
        if row["case"] not in [asdict(case) for case in HELD_BACK] or row["best"] in (NONE, *DERIVED):
            continue
        if not any(one["case"] == row["case"] and one["best"] == row["best"] for one in gains_of):
            case = Case(**row["case"])
            gains_of.append(
                {"case": row["case"], "best": row["best"]}
                | run_apart(lambda c=case, b=row["best"]: gain_of(c, b), LIMIT)
            )  # type: ignore[misc]
            with gains_path.open("a") as file:
                file.write(json.dumps(gains_of[-1]) + "\n")
            print(case, gains_of[-1].get("error") or (gains_of[-1]["gain"], gains_of[-1]["gain_se"]), flush=True)
    text = page(rows, gains_of)
    ((options.results or DOCS) / "rebalancing-advice.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
