"""Whole numbers from a list, and two-valued ones: found by evidence, and filled and synthesised from what occurs."""

import numpy as np
import pandas as pd
import pytest

from tabgan import BAGANOversampler, CGANSampler, GAINImputer
from tabgan.exceptions import CodesWarning
from tabgan.tables.code_lists import is_code_list, is_two_valued
from tabgan.tables.encoder import TableEncoder
from tabgan.tables.frames import read_table
from tabgan.tables.schema import infer_schema

CODES = np.array([10, 20, 30, 99])


def coded(n: int = 400, seed: int = 0) -> pd.DataFrame:
    """Codes, a yes and no in 1 and 2, a flag in 0 and 1, and a number that they follow."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return pd.DataFrame(
        {
            "x": x,
            "code": CODES[np.clip(np.round(1.5 + x), 0, 3).astype(int)],
            "yes": np.where(x > 0, 2, 1),
            "flag": (x + rng.normal(size=n) > 0).astype(int),
            "amount": rng.poisson(40, n),
        }
    )


def kinds_of(frame, **wishes):
    return [column.kind for column in infer_schema(read_table(frame), **wishes).columns]


def test_the_schema_says_so_and_can_be_told_otherwise():
    schema = infer_schema(read_table(coded()))
    assert [column.kind for column in schema.columns] == ["continuous", "coded", "boolean", "boolean", "integer"]
    assert schema.columns[1].levels == (10.0, 20.0, 30.0, 99.0)
    assert schema.columns[2].levels == (1.0, 2.0)
    wishes = {"code": "integer", "yes": "integer", "flag": "continuous"}
    assert kinds_of(coded(), column_kinds=wishes)[1:] == ["integer", "integer", "continuous", "integer"]
    assert kinds_of(coded(), categorical_features=["code", "flag"])[1:4] == ["categorical", "boolean", "categorical"]
    assert kinds_of(coded(), column_kinds={"amount": "coded"})[4] == "coded"


@pytest.mark.parametrize(
    ("values", "counts", "answer"),
    [
        ([10, 20, 30, 99], [40, 30, 20, 10], True),
        ([99, 10, 30, 20], [10, 40, 20, 30], True),
        ([0, 1, 2, 3, 4], [20] * 5, False),
        ([0, 1, 2, 3, 57], [200, 100, 50, 20, 2], False),  # a far value proves nothing
        ([10, 20, 30, 99], [2, 2, 2, 2], False),  # too few cells
        ([0, 50], [50, 50], False),
        (list(range(0, 400, 10)), [20] * 40, False),  # many values
        ([2**53 + 1, 2**53 + 11, 2**53 + 100], [30, 30, 30], True),
        ([1, 2, 4], [20, 9, 9], False),
        ([1, 2, 4], [20, 10, 10], True),
    ],
)
def test_evidence_for_a_list(values, counts, answer):
    assert is_code_list(np.array(values), np.array(counts)) is answer


@pytest.mark.parametrize(
    ("values", "counts", "answer"),
    [
        ([0, 1], [9, 1], True),
        ([2, 1], [5, 5], True),
        ([0, 1], [5, 4], False),
        ([10, 20], [18, 2], True),
        ([10, 20], [19, 1], False),
        ([10, 20], [8, 8], False),
        ([0, 1, 2], [9, 9, 9], False),
    ],
)
def test_evidence_for_yes_and_no(values, counts, answer):
    assert is_two_valued(np.array(values), np.array(counts)) is answer


@pytest.mark.parametrize("kind", ["Int64", "float64"])
def test_no_imputed_or_drawn_value_is_off_the_list(kind):
    truth = coded(1000)
    rng = np.random.default_rng(1)
    gappy = truth.astype(dict.fromkeys(["code", "yes", "flag"], kind))
    for name in ("code", "yes", "flag"):
        gappy[name] = gappy[name].mask(rng.random(1000) < 0.3)
    settings = {"n_steps": 5, "draw_steps": 5, "n_boosts": 5, "n_trees": 5, "n_references": 0, "random_state": 0}
    imputer = GAINImputer(**settings).fit(gappy[:300])
    for filled in (imputer.transform(gappy), *imputer.sample(gappy, 2)):
        for name, listed in {"code": CODES, "yes": [1, 2], "flag": [0, 1]}.items():
            assert filled[name].dtype == kind
            assert np.isin(filled[name].to_numpy(), listed).all()
    scores = imputer.validation_scores_
    assert scores["error_rate"].notna().tolist() == [False, False, True, True, False]
    assert scores.loc["yes", "error_rate"] < 0.1  # x tells
    hidden = gappy["yes"].isna()
    assert (imputer.transform(gappy)["yes"] == truth["yes"])[hidden].mean() > 0.9


@pytest.mark.parametrize("sampler", [BAGANOversampler, CGANSampler])
def test_no_synthetic_value_is_off_the_list(sampler):
    frame = coded().astype({"code": "int16"})
    fitted = sampler(random_state=0, n_steps=10).fit(frame, np.repeat([0, 1], [320, 80]))
    rows, _ = fitted.sample(10_000, y=1)
    for name, listed in {"code": CODES, "yes": [1, 2], "flag": [0, 1]}.items():
        assert np.isin(rows[name], listed).all()
        assert rows[name].dtype == frame[name].dtype


def test_fills_snap_to_the_nearest_code_and_large_ones_to_the_last_digit():
    for offset in (0, 2**60):
        codes = np.array([offset + 10, offset + 20, offset + 99])
        frame = pd.DataFrame({"code": pd.array([*np.repeat(codes, 20), None, None, None], dtype="Int64")})
        table = read_table(frame)
        encoder = TableEncoder().fit(table, infer_schema(table))
        slots = encoder.encode(table).values.copy()
        near = np.array([slots[:20].mean() + 0.05, slots[20:40].mean() - 0.05, 40.0])
        slots[60:, 0] = near
        assert encoder.decode(table, slots)["code"].tolist()[60:] == codes.tolist()


def test_two_numbers_come_as_their_mean_where_fills_may_be_raw():
    """Which is what the lowest squared error takes; whole dtypes and draws stay whole."""
    frame = pd.DataFrame({"f": [1.0, 2.0] * 10 + [np.nan], "i": pd.array([1, 2] * 10 + [None], dtype="Int64")})
    table = read_table(frame)
    encoder = TableEncoder(round_like_observed=False).fit(table, infer_schema(table))
    slots = np.tile([0.3, 0.7], (21, 2))
    assert encoder.decode(table, slots).iloc[20].tolist() == pytest.approx([1.7, 2.0])
    assert encoder.decode(table, slots, choose=np.random.default_rng(0)).iloc[20, 0] in (1.0, 2.0)
    assert TableEncoder().fit(table, infer_schema(table)).decode(table, slots).iloc[20].tolist() == [2.0, 2.0]


def test_columns_that_may_be_codes_are_named_once():
    frame = coded().assign(grade=np.random.default_rng(0).integers(1, 6, 400)).drop(columns=["x", "yes", "flag"])
    frame.loc[::9, ["code", "grade"]] = np.nan
    settings = {"n_steps": 0, "draw_steps": 0, "n_boosts": 0, "n_trees": 0, "n_references": 0}
    with pytest.warns(CodesWarning, match=r"\['code', 'grade'\].*column_kinds=\{'code': 'integer'\}") as caught:
        imputer = GAINImputer(**settings).fit(frame)
    ours = [warning for warning in caught if warning.category is CodesWarning]
    assert len(ours) == 1
    assert ours[0].filename == __file__
    notes = {column.name: column.note for column in imputer.schema_.columns if column.note}
    assert list(notes) == ["code", "grade"]
    assert notes["grade"].startswith("5 different whole numbers")
    declared = infer_schema(read_table(frame), categorical_features=["code"], column_kinds={"grade": "integer"})
    assert not any(column.note for column in declared.columns)
