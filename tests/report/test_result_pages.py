"""Every public result has a page, Markdown and plain data."""

import dataclasses
import importlib
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tabgan.exceptions import InvalidInputError
from tabgan.images.image_scoring import ImageScores, Scores
from tabgan.inference.pooling import pool, pool_scalars
from tabgan.metrics.i_score import IScore
from tabgan.model_selection.candidates import Candidate
from tabgan.model_selection.weighing import RebalanceDecision
from tabgan.report.html import HTMLReport
from tabgan.report.result_page import report_result
from tabgan.sampling.gate import GateDecision
from tabgan.sampling.row_report import SamplingReport

API = Path(__file__).resolve().parents[2] / "docs" / "api"
NAN = float("nan")


def pooled(names=("a|b", "<b>slope</b>")):
    analyses = [
        (pd.Series([1.0 + k, 2.0], index=list(names)), pd.DataFrame(np.diag([0.1, 0.2]), names, names))
        for k in range(4)
    ]
    return pool(analyses)


def decision():
    row = {"candidate": "none", "error": None, "better": False, "seconds": 0.5, "n_folds": 6, "threshold": NAN}
    measures = ("average_precision", "roc_auc", "brier", "f1", "balanced_accuracy", "balanced_accuracy_tuned")
    for measure in measures:
        row |= {measure: 0.25, f"{measure}_se": NAN, f"{measure}_difference": 0.0, f"{measure}_difference_se": 0.0}
    settings = {
        "scoring": ["average_precision"], "label_measure": "balanced_accuracy", "positive": "<i>yes</i>", "n_repeats": 2,
        "cv": 3, "rows": 1200, "tolerance": 0.01, "classes": {0: 1100, "<i>yes</i>": 100}, "costs": np.eye(2),
    }  # fmt: skip
    said = "Do not rebalance: nothing is better. A threshold may be."
    return RebalanceDecision(said, "none", object, 0.125, pd.DataFrame([row]), pd.DataFrame([row]), settings, ["rare"])


def results():
    i_score = pd.DataFrame(
        {"score": [0.5, NAN], "weight": [1.0, 0.0], "missing_share": [0.25, 0.5], "n_scored": [9, 0], "n_predictors": [2, 0]},
        index=["a", "b"],
    )  # fmt: skip
    row = dict.fromkeys(
        ["consistency", "consistency_real", "density", "coverage", "nearest", "copies", "distinct", "spread"], 0.5
    )
    made = pd.DataFrame([{"class": "x", "n_real": 5, "n_synthetic": 7, "method": "kernel", "repeats": NAN} | row])
    shares = pd.DataFrame(
        {"share": [0.0, 1.0], "f1": [0.25, 0.5], "difference": [0, 0.25], "difference_se": [NAN, 0.125]}
    )
    scores = Scores(1.0, 2.0, 0.5, 0.25, 1.5, 0.75, 0.625, NAN)
    return {
        "PooledEstimates": (pooled(), "parameter a|b loses most to missing values"),
        "PooledTest": (pooled().wald_test(), "over 4 imputed tables"),
        "RebalanceDecision": (decision(), "Do not rebalance: nothing is better."),
        "SamplingReport": (SamplingReport(made.set_index("class"), ["class x collapse"], ["bad"]), "7 rows made for one class. 2"),
        "GateDecision": (GateDecision("f1", 0.0, "f1 0.250 without any.", shares), "Gate: no rows are made."),
        "IScore": (IScore(0.5, i_score), "Energy-I-Score 0.5; lower is better."),
        "ImageScores": (ImageScores(scores, scores, 50, "pixels", 64), "AUC of 0.62"),
    }  # fmt: skip


@pytest.fixture(params=sorted(results()))
def result(request):
    return results()[request.param]


def test_a_result_has_a_page_that_begins_with_what_it_says(result):
    found, said = result
    report = found.to_html(source="t.csv")
    assert isinstance(report, HTMLReport)
    head = report.html[: report.html.index("<nav")].replace("Parameter", "parameter")
    assert said in head
    assert "t.csv" in head
    assert "<i>yes</i>" not in report.html
    assert "<b>slope</b>" not in report.html


def test_a_result_has_markdown_and_strict_plain_data(result):
    found, said = result
    assert said.replace("|", "\\|") in found.to_markdown().replace("Parameter", "parameter")
    plain = found.to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert {part.name for part in dataclasses.fields(found)} - {"table", "columns"} <= plain.keys()


def test_plain_data_hold_the_numbers():
    plain = pooled().to_dict()
    assert plain["names"] == ["a|b", "<b>slope</b>"]
    assert plain["estimate"] == [2.5, 2.0]
    assert plain["n_complete_df"] is None  # a large sample
    assert plain["df"][1] is None  # the draws agree on the slope
    plain = decision().to_dict()
    assert plain["settings"]["classes"] == {"0": 1100, "<i>yes</i>": 100}
    assert plain["settings"]["costs"] == [[1.0, 0.0], [0.0, 1.0]]
    assert plain["table"][0]["average_precision_se"] is None
    assert results()["IScore"][0].to_dict()["columns"][1] == {
        "column": "b", "score": None, "weight": 0.0, "missing_share": 0.5, "n_scored": 0, "n_predictors": 0,
    }  # fmt: skip
    gate = results()["GateDecision"][0]
    pd.testing.assert_frame_equal(GateDecision.from_dict(gate.to_dict()).table, gate.table)


def test_few_draws_are_said_with_how_many_it_takes():
    notices = pooled().to_html().to_dict()["notices"]
    assert "4 imputed tables are few here" in notices[0]["what"]
    assert "sample(X, " in notices[0]["advice"]
    enough = pool_scalars([1.0, 1.001], [1.0, 1.0])
    assert enough.to_html().to_dict()["notices"] == []


def test_numbers_in_text_sort_as_numbers():
    table = decision().to_html().html
    assert 'data-sort="0.25"' in table
    assert 'data-sort="none"' in table


def test_what_was_not_made_and_what_is_no_result_is_said():
    nothing = SamplingReport(pd.DataFrame(columns=["n_synthetic"]), gate="gate: no rows are made; no gain.")
    assert nothing.to_html().to_dict()["headline"] == "No row was made."
    with pytest.raises(InvalidInputError, match=r"takes a result \(RebalanceDecision, .*, not Candidate"):
        report_result(Candidate("none", None, "nothing"))


def documented_results():
    """Dataclasses that the reference names where it is about tables, questions to them, inference and scores."""
    text = "\n".join(
        (API / f"{page}.rst").read_text() for page in ("inference", "metrics", "model_selection", "tables")
    )
    for module, name in re.findall(r"^   (tabgan[\w.]*)\.([A-Z]\w+)$", text, re.MULTILINE):
        thing = getattr(importlib.import_module(module), name)
        if dataclasses.is_dataclass(thing) and not name.endswith("Schema"):
            yield thing


def test_no_documented_result_is_without_faces():
    found = {thing.__name__: thing for thing in documented_results()}
    assert {
        "Comparison",
        "PooledEstimates",
        "PooledTest",
        "RebalanceDecision",
        "SamplingReport",
        "IScore",
    } <= found.keys()
    faces = ("to_html", "to_markdown", "to_dict")
    assert [name for name, thing in found.items() if not all(hasattr(thing, face) for face in faces)] == []
