"""What `report_` says: consistency, copies, collapse, and that it can be printed and shown."""

import json

import numpy as np
import pandas as pd
import pytest

from tabgan import BAGANOversampler, CGANSampler
from tabgan._runtime import make_generator
from tabgan.sampling.fitted import MadeRows
from tabgan.sampling.row_report import SamplingReport, build_report

QUICK = {"n_steps": 5, "width": 16, "n_blocks": 1, "random_state": 0}


def blobs(distance, n_rare=30, seed=0):
    rng = np.random.default_rng(seed)
    y = np.array(["rare"] * n_rare + ["common"] * 120)
    return rng.normal(size=(len(y), 4)) + distance * (y == "rare")[:, None], y


@pytest.mark.parametrize("sampler", [BAGANOversampler(**QUICK), CGANSampler(**QUICK)])
def test_classes_far_apart_are_told_apart(sampler):
    sampler.fit_resample(*blobs(6.0))
    line = sampler.report_.table.loc["rare"]
    assert line["n_real"] == 30
    assert line["n_synthetic"] == 90
    assert line["method"] == sampler.methods_["rare"]
    assert line["consistency"] >= 0.95
    assert line["consistency_real"] >= 0.95
    assert line["copies"] == 0
    assert 0.7 < line["spread"] < 1.3
    assert line["coverage"] > 0.8
    assert sampler.report_.warnings == []


def test_labels_without_meaning_are_not_consistent():
    X, _ = blobs(0.0)
    sampler = BAGANOversampler(n_steps=0, random_state=0)
    sampler.fit_resample(X, np.arange(len(X)) % 3 == 0)
    line = sampler.report_.table.loc[True]
    assert line["consistency_real"] < 0.6
    # A forest that had seen the rows that made ones start from would call nearly all of them right.
    assert line["consistency"] < 0.75


def test_copies_are_called_copies():
    sampler = BAGANOversampler(start="copies", n_steps=0, random_state=0)
    sampler.fit_resample(*blobs(3.0))
    assert sampler.report_.table.loc["rare", "copies"] == 1
    assert sampler.report_.table.loc["rare", "nearest"] == 0
    assert any("equal a real row" in warning for warning in sampler.report_.warnings)


def test_rounding_back_to_the_parent_counts_as_a_copy():
    X, y = blobs(3.0)
    X = np.rint(X / 4).astype(int)
    sampler = BAGANOversampler(n_steps=0, start="kernel", random_state=0)
    X_more, _ = sampler.fit_resample(X, y)
    real = {tuple(row) for row in X[y == "rare"].tolist()}
    equal = np.mean([tuple(row) in real for row in X_more[len(X) :].tolist()])
    assert equal > 0.3
    np.testing.assert_allclose(sampler.report_.table.loc["rare", "copies"], equal)


def test_repeats_in_the_data_are_no_ones_fault():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.integers(0, 2, size=(150, 3)).astype(str))
    sampler = BAGANOversampler(n_steps=0, random_state=0)
    sampler.fit_resample(X, blobs(0.0)[1])
    line = sampler.report_.table.loc["rare"]
    assert line["copies"] > 0.9
    assert line["repeats"] > 0.9
    assert not any("equal a real row" in warning for warning in sampler.report_.warnings)


def test_collapse_is_called_collapse():
    X, y = blobs(3.0)
    fitted = BAGANOversampler(n_steps=0, random_state=0).fit(X, y)._fitted
    rare = int(np.flatnonzero(fitted.target.classes == "rare")[0])
    parents = np.zeros(50, dtype=int)
    values = fitted.encoded.values[parents] + np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32) / 50
    made = MadeRows(np.full(50, rare), parents, {}, values)
    report = build_report(fitted, made, make_generator(0))
    assert any("collapse" in warning for warning in report.warnings)
    assert report.table.loc["rare", "spread"] < 0.1


def test_rows_of_another_class_are_called_inconsistent():
    X, y = blobs(6.0)
    fitted = BAGANOversampler(n_steps=0, random_state=0).fit(X, y)._fitted
    rare = int(np.flatnonzero(fitted.target.classes == "rare")[0])
    made = MadeRows(np.full(60, rare), np.arange(60) % 30, {}, fitted.encoded.values[60:120])
    report = build_report(fitted, made, make_generator(0))
    assert report.table.loc["rare", "consistency"] < 0.1
    assert any("look like their class" in warning for warning in report.warnings)


@pytest.mark.parametrize("n_rare", [1, 2, 4])
def test_small_classes_are_named(n_rare):
    sampler = BAGANOversampler(n_steps=0, random_state=0)
    sampler.fit_resample(*blobs(3.0, n_rare))
    assert any(f"has {n_rare} row" in warning for warning in sampler.report_.warnings)
    assert "rare" in str(sampler.report_)
    if n_rare == 1:
        assert np.isnan(sampler.report_.table.loc["rare", "consistency"])


def test_hostile_labels_are_escaped():
    X, y = blobs(3.0, 5)
    label = "<script>alert('&')</script>"
    sampler = BAGANOversampler(n_steps=0, random_state=0)
    sampler.fit_resample(X, np.where(y == "rare", label, y))
    shown = sampler.report_._repr_html_()
    assert "<script>" not in shown
    assert shown.count("&lt;script&gt;") >= 2, "in the table and in the warnings"
    assert label in str(sampler.report_)


def test_it_becomes_json_and_shows_plain_labels():
    X, y = blobs(3.0, 5)
    sampler = BAGANOversampler(n_steps=0, random_state=0)
    sampler.fit_resample(X, (y == "rare").astype(int))
    plain = json.loads(json.dumps(sampler.report_.to_dict(), allow_nan=False))
    assert [line["class"] for line in plain["classes"]] == [1]
    assert plain["classes"][0]["n_synthetic"] == 115
    assert "class 1 has 5 rows" in sampler.report_.warnings[-1]
    assert "np.int64" not in str(sampler.report_)


def test_nothing_made_nothing_said():
    sampler = BAGANOversampler(sampling_strategy={}, n_steps=0, random_state=0)
    X_more, _ = sampler.fit_resample(*blobs(3.0))
    assert len(X_more) == 150
    assert str(sampler.report_) == "no rows were made"
    assert "<table" in sampler.report_._repr_html_()
    assert sampler.report_.to_dict() == {"classes": [], "warnings": [], "training": [], "gate": None}
    assert not sampler.synthetic_mask_.any()


def test_training_warnings_are_shown():
    report = SamplingReport(pd.DataFrame({"n_synthetic": [1]}, index=["a"]), ["one"], ["<two>"])
    assert str(report).endswith("! one\n! <two>")
    assert "&lt;two&gt;" in report._repr_html_()


def test_provenance_tells_made_rows_and_where_they_started():
    X, y = blobs(3.0)
    sampler = BAGANOversampler(n_steps=0, start="copies", random_state=0)
    X_more, y_more = sampler.fit_resample(X, y)
    assert sampler.synthetic_mask_.tolist() == [False] * 150 + [True] * 90
    np.testing.assert_array_equal(X_more[sampler.synthetic_mask_], X[sampler.parents_])
    np.testing.assert_array_equal(y_more[sampler.synthetic_mask_], y[sampler.parents_])
    assert not hasattr(sampler, "sample_indices_")


def test_the_report_is_measured_once_and_not_before_rows_are_made():
    X, y = blobs(3.0)
    sampler = BAGANOversampler(n_steps=0, random_state=0).fit(X, y)
    assert not hasattr(sampler, "report_")
    sampler.resample()
    assert sampler.report_ is sampler.report_
    earlier = sampler.report_
    sampler.resample({"rare": 50})
    assert sampler.report_.table.loc["rare", "n_synthetic"] == 20
    assert earlier.table.loc["rare", "n_synthetic"] == 90
    sampler.fit(X, y)
    assert not hasattr(sampler, "report_")
    assert not hasattr(sampler, "synthetic_mask_")
    assert isinstance(sampler._repr_html_(), str)
