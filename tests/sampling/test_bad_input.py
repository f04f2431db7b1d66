"""Every mistake ends in an error that names it, before any training."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from tabgan import BAGANOversampler, CGANSampler
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.sampling import fit as fitting

X = pd.DataFrame(
    {
        "a": [1.0, 2.0, 3.0, 4.0, None, 6.0],
        "word": ["x", "y", None, "x", "y", "y"],
        "whole": [1, 2, 3, 4, 5, 6],
        "flag": [True, False, True, True, False, True],
        "day": pd.Series(np.arange(6).astype("M8[D]")),
        "same": "s",
    }
)
Y = ["r", "r", "c", "c", "c", "c"]

BOTH = [
    ("start", "smote"),
    ("n_steps", -1),
    ("n_steps", 2.5),
    ("n_steps", True),
    ("batch_size", 0),
    ("learning_rate", 0.0),
    ("learning_rate", float("nan")),
    ("d_noise", 0),
    ("width", 0),
    ("n_blocks", 0),
    ("adversarial_weight", -0.1),
    ("energy_weight", "much"),
    ("patience", -1),
    ("max_categories", 0),
    ("max_time", 0),
    ("random_state", -1),
    ("random_state", "seed"),
    ("n_threads", 0),
    ("verbose", -1),
    ("device", "gpu"),
    ("missing_values", [[1]]),
    ("categorical_features", ["zz"]),
    ("column_kinds", {"zz": "integer"}),
]
CASES = [
    *((sampler, name, value) for sampler in (BAGANOversampler, CGANSampler) for name, value in BOTH),
    (BAGANOversampler, "autoencoder_steps", 0),
    (BAGANOversampler, "start", "noise"),
    (CGANSampler, "start", "autoencoder"),
    (CGANSampler, "conditioning", "film"),
    (CGANSampler, "loss", "fake-class"),
    (CGANSampler, "wrong_weight", 1.0),
    (CGANSampler, "gradient_penalty", -1),
    (CGANSampler, "n_critic", 0),
    (CGANSampler, "betas", 0.5),
    (CGANSampler, "betas", (0.5, 1.0)),
    (CGANSampler, "betas", (0.5, 0.9, 0.9)),
    (CGANSampler, "condition_columns", ["zz"]),
    (CGANSampler, "condition_columns", "word"),
]


@pytest.fixture
def no_training(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("training started")

    monkeypatch.setattr(fitting, "train_maker", refuse)


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(("sampler", "name", "value"), CASES, ids=[f"{c[0].__name__}-{c[1]}-{c[2]}" for c in CASES])
def test_a_parameter_out_of_range_names_itself(sampler, name, value):
    with pytest.raises((InvalidParameterError, InvalidInputError), match=name):
        sampler(**{name: value}).fit(X, Y)


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("y", "words"),
    [
        (None, "requires y"),
        (["r", "r", "c", "c", "c", None], "row 5"),
        ([0.0, 1.0, 0.0, 1.0, np.nan, 1.0], "row 4.*NaN"),
        (pd.Series(["r", None, "c", "c", "c", "c"], dtype="string"), "row 1"),
        ([0.5, 1.2, 3.1, 2.2, 0.1, 0.7], "continuous"),
        (["c"] * 6, "more than 1 class"),
        (Y[:5], "5 labels.*6 rows"),
        ("r", "single value"),
        (np.ones((6, 2, 2)), "Unknown label type|supports"),
        (np.array([[0, 1], [1, 1], [1, 0], [1, 0], [1, 0], [1, 0]]), "[Mm]ultilabel"),
        (np.array([[0, 1], [0, 0], [1, 0], [1, 0], [1, 0], [1, 0]]), "row 1"),
        (np.array([[2, 1], [3, 1], [1, 2], [1, 2], [1, 2], [4, 4]]), "1d array"),
        (["r", 1, "c", "c", "c", "c"], "mixes labels of the types.*int.*str"),
    ],
)
def test_targets_that_are_none(y, words):
    with pytest.raises(ValueError, match=words):
        BAGANOversampler().fit_resample(X, y)


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("table", "words"),
    [
        (X.assign(a=[1.0, np.inf, 1, 1, 1, 1]), "'a' has inf in row 1"),
        (X.iloc[:0], r"0 sample\(s\)"),
        (X[[]], r"0 feature\(s\)"),
        (np.arange(6.0), "2D array"),
        ("table.csv", "table.csv|2D array|scalar"),
    ],
)
def test_tables_that_are_none(table, words):
    with pytest.raises(ValueError, match=words):
        BAGANOversampler().fit_resample(table, Y)


def test_weights_are_not_quietly_left_out():
    with pytest.raises(TypeError, match="sample_weight"):
        BAGANOversampler().fit(X, Y, sample_weight=np.ones(6))


@pytest.fixture(scope="module")
def fitted():
    return CGANSampler(n_steps=0, random_state=0).fit(X, Y)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"n": 0}, "n=0.*>= 1"),
        ({"n": 2.5}, "n=2.5"),
        ({"n": True}, "n=True"),
        ({"y": "z"}, r"class 'z'.*\['c', 'r'\]"),
        ({"y": ["r", "z"]}, "class 'z'"),
        ({"y": [["r"], ["c"]]}, r"class \['r'\]"),
        ({"random_state": "seed"}, "random_state='seed'"),
        ({"where": {"zz": 1}}, "'zz'"),
        ({"where": [("a", 1)]}, "no dict"),
        ({"where": {"a": "much"}}, "'much' in column 'a'.*numbers"),
        ({"where": {"a": float("nan")}}, "column 'a'.*finite"),
        ({"where": {"a": None}}, "None in column 'a'"),
        ({"where": {"whole": 2.5}}, "2.5 in column 'whole'.*whole"),
        ({"where": {"flag": 2}}, "2 in column 'flag'.*booleans"),
        ({"where": {"word": "z"}}, "'z' in column 'word'.*'x', 'y'"),
        ({"where": {"word": None}}, "None in column 'word'"),
        ({"where": {"day": "soon"}}, "'soon' in column 'day'.*datetime"),
        ({"where": {"day": None}}, "None in column 'day'"),
        ({"where": {"same": "t"}}, "'t' in column 'same'"),
    ],
)
def test_sample_refuses_and_does_not_move(fitted, parameters, words):
    before = fitted._draws
    with pytest.raises(ValueError, match=words):
        fitted.sample(**parameters)
    assert fitted._draws == before


def test_nothing_works_before_fit():
    from sklearn.exceptions import NotFittedError

    for call in (lambda s: s.sample(), lambda s: s.resample(), lambda s: s.save("x")):
        with pytest.raises(NotFittedError):
            call(BAGANOversampler())


def test_a_fit_that_fails_leaves_no_old_model():
    sampler = BAGANOversampler(n_steps=0, random_state=0).fit(X, Y)
    with pytest.raises(InvalidInputError):
        sampler.fit(X.assign(more=1), ["r"] * 6)  # one class
    with pytest.raises(NotFittedError):
        sampler.sample(2)
