"""Whatever a parameter is given: it is taken, or refused by name before anything is trained."""

import datetime
import inspect
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression

import tabgan
from tabgan.exceptions import InvalidInputError, InvalidParameterError, TabganError
from tabgan.images import BAGANImageOversampler, ImageGAN
from tabgan.inference.pooling import pool_scalars
from tabgan.model_selection.balanced_sampling import BalancedSamplingClassifier
from tabgan.model_selection.prior_correction import PriorCorrectedClassifier, correct_prior
from tabgan.model_selection.should_rebalance import should_rebalance
from tests.conftest import make_mixed


class Unequal:
    """Compares with nothing, and cannot be hashed."""

    __hash__ = None

    def __eq__(self, other):
        raise RuntimeError("not comparable")


ODD = [
    *(None, True, -1, 3, 10**30, -(10**30), 0.5, float("nan"), float("inf"), 1j, "x", "", b"x", Ellipsis, slice(2)),
    *([], [1], ["number"], [["number"]], (), (0.1, 0.2), {}, {"number": 1}, {1: 2}, {None: None}, set(), {"number"}),
    *({"rare": 10**30}, {"rare": 1.5}, {"rare": "x"}, np.array(1.0), np.array([]), np.array([[1]]), np.int64(3)),
    *(np.complex64(1), np.datetime64("2020"), torch.tensor(1.0), torch.tensor([1.0, 2.0], requires_grad=True)),
    *(Decimal("sNaN"), Decimal("1e999"), pd.NA, pd.NaT, pd.Series([1, 2]), datetime.date(2020, 1, 1), Unequal()),
    *(object(), lambda *_: 1, iter([1]), "a" * 10_000),
]

TABLE = make_mixed(40)[["number", "colour"]]
Y = np.where(np.arange(40) % 4 == 0, "rare", "common")
IMAGES = np.random.default_rng(0).random((12, 8, 8))

FITS = {
    "GAINImputer": (tabgan.GAINImputer, lambda model: model.fit(TABLE)),
    "GAINImputer.paper": (tabgan.GAINImputer.paper, lambda model: model.fit(TABLE)),
    "CGANSampler": (tabgan.CGANSampler, lambda model: model.fit(TABLE, Y)),
    "BAGANOversampler": (tabgan.BAGANOversampler, lambda model: model.fit(TABLE, Y)),
    "ImageGAN": (ImageGAN, lambda model: model.fit(IMAGES)),
}


class Reached(BaseException):
    """Training would begin."""


@pytest.fixture
def _no_training(monkeypatch):
    def reached(*_args, **_kwargs):
        raise Reached

    monkeypatch.setattr("tabgan.imputation.gain.fit_objective", reached)
    monkeypatch.setattr("tabgan.sampling.fit.ClassSeeds", reached)  # conditions are read by then
    monkeypatch.setattr("tabgan.images.gan.ImageGAN._train", reached)


@pytest.mark.usefixtures("_no_training")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FITS)
def test_each_parameter_of_an_estimator(name):
    make, fit = FITS[name]
    wrong = []
    for parameter in inspect.signature(make).parameters:
        for value in ODD:
            try:
                fit(make(**{parameter: value}))
            except Reached:
                continue
            except TabganError as error:
                if parameter not in str(error):
                    wrong.append(f"{parameter}={value!r:.60}: does not name it: {error}")
            except TypeError as error:  # the signature's own: a function with other parameters
                if "unexpected keyword" not in str(error) and "multiple values" not in str(error):
                    wrong.append(f"{parameter}={value!r:.60}: {error!r}")
            except Exception as error:
                wrong.append(f"{parameter}={value!r:.60}: {error!r}")
    assert not wrong, "\n".join(wrong)


def test_a_function_as_a_strategy_must_give_a_dict():
    for strategy in (lambda y: 1, lambda y: None, lambda y: ["rare"]):
        with pytest.raises(InvalidParameterError, match="sampling_strategy is a function that gave"):
            tabgan.CGANSampler(n_steps=0, sampling_strategy=strategy).fit(TABLE, Y)
    sampler = tabgan.CGANSampler(n_steps=0, random_state=0, sampling_strategy=lambda y: {"rare": len(y)})
    assert sampler.fit(TABLE, Y).sampling_strategy_ == {"rare": 30}


MECHANISMS = ["mcar", "mar", "mnar", "mnar-quantile", "block"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("scale", [1e308, 1e200, 1e-320, 0.0, np.nan])
def test_cells_are_hidden_whatever_the_columns_hold(mechanism, scale):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(40, 3))
    X[:, 0] *= scale
    for rate in (0.01, 0.2, 0.5):
        hidden = tabgan.ampute(X, rate, mechanism=mechanism, random_state=0)
        assert abs(hidden.sum() - rate * np.isfinite(X).sum()) <= 1
        assert not hidden[np.isnan(X)].any()


def test_the_magnitude_of_a_column_changes_nothing():
    X = np.random.default_rng(0).normal(size=(60, 3))
    for mechanism in MECHANISMS:
        few = tabgan.ampute(X, mechanism=mechanism, random_state=0)
        for scale in (2.0**-1000, 2.0**1000):
            np.testing.assert_array_equal(tabgan.ampute(X * scale, mechanism=mechanism, random_state=0), few)


@pytest.mark.parametrize("mechanism", [*MECHANISMS, "copy"])
@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.zeros(3), r"X has shape \(3,\)"),
        (np.zeros((2, 2, 2)), r"X has shape \(2, 2, 2\)"),
        (None, "X "),
        (1, "X has shape"),
        ("x", "X is no table of numbers"),
        ([["a", "b"]], "X is no table of numbers"),
        ([[1, 2], [3]], "X is no table of numbers"),
        ([[1j, 2]], "X is no table of numbers.*complex"),
        ([[1.0, 2.0, 3.0], [2.0, -np.inf, 3.0]], "column 1 of X has -inf in row 1"),
    ],
)
def test_what_is_no_table_of_numbers_is_not_amputed(mechanism, X, words):
    with pytest.raises(InvalidInputError, match=words):
        tabgan.ampute(X, mechanism=mechanism)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("mechanism", [*MECHANISMS, "copy"])
def test_empty_tables_and_tensors_are_amputed(mechanism):
    for shape in ((0, 3), (3, 0)):
        if mechanism != "mar" or shape[1]:
            assert tabgan.ampute(np.zeros(shape), mechanism=mechanism).shape == shape
    nothing = tabgan.ampute(np.full((3, 2), np.nan), mechanism=mechanism)
    assert not nothing.any()
    X = torch.randn(20, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    if mechanism != "copy":
        assert tabgan.ampute(X, mechanism=mechanism).sum() == 12


@pytest.mark.parametrize(
    ("name", "values"),
    {
        "rate": ["x", None, np.array([0.2]), float("nan"), 0, 1],
        "mechanism": [None, 1, [], "x", {}],
        "random_state": ["x", 1.5, -1],
        "observed": [1, "x", np.ones((2, 2), bool), np.ones(40, bool)],
        "donors": ["x", np.ones((2, 3), bool), 5],
        "mar_observed_fraction": ["x", None, -1, 2, float("nan"), float("inf")],
    }.items(),
)
def test_parameters_of_ampute(name, values):
    X = np.random.default_rng(0).normal(size=(40, 2))
    for value in values:
        given = {"mechanism": "copy" if name == "donors" else "mar", name: value}
        with pytest.raises(InvalidParameterError, match=name):
            tabgan.ampute(X, **given)


FUNCTIONS = {
    "ampute": (tabgan.ampute, ["mechanism", "rate", "observed"], {"X": np.ones((4, 3))}),
    "compare_imputers": (
        tabgan.compare_imputers,
        ["methods", "imputers", "mechanism", "rate", "n_repeats", "max_rows", "random_state", "max_time", "progress"],
        {"X": pd.DataFrame({"a": range(20), "b": range(20)}), "methods": ["mean/mode"], "n_repeats": 1},
    ),
    "pool": (tabgan.pool, ["fit"], {}),
    "pool, of tables": (
        tabgan.pool,
        ["tables", "parameters", "n_complete_df", "confidence"],
        {"fit": lambda table: ([1.0], [1.0]), "tables": [1, 2]},
    ),
    "pool_scalars": (
        pool_scalars,
        ["estimates", "variances", "names", "n_complete_df", "confidence"],
        {"estimates": [[1.0], [2.0]], "variances": [[1.0], [1.0]]},
    ),
    "correct_prior": (
        correct_prior,
        ["probabilities", "train_prior", "target_prior"],
        {"probabilities": [[0.5, 0.5]], "train_prior": [1, 1], "target_prior": [1, 2]},
    ),
    "should_rebalance": (
        should_rebalance,
        [
            "estimator",
            "scoring",
            "costs",
            "cv",
            "n_repeats",
            "random_state",
            "tolerance",
            "max_time",
            "n_jobs",
            "progress",
        ],
        {"X": TABLE, "y": Y, "estimator": LogisticRegression(), "samplers": []},
    ),
    "PriorCorrectedClassifier": (
        lambda **named: PriorCorrectedClassifier(**named).fit(TABLE[["number"]].fillna(0.0), Y),
        ["estimator", "sampler", "method", "tune_threshold", "costs", "cv", "random_state"],
        {"estimator": LogisticRegression()},
    ),
    "BalancedSamplingClassifier": (
        lambda **named: BalancedSamplingClassifier(**named).fit(TABLE[["number"]].fillna(0.0), Y),
        [
            *("estimator", "sampler", "n_estimators", "majority_ratio", "calibration", "decision", "max_time"),
            *("n_jobs", "random_state"),
        ],
        {"estimator": LogisticRegression(), "n_estimators": 2},
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_parameter_of_a_function(name, monkeypatch):
    function, parameters, given = FUNCTIONS[name]
    wrong = []
    monkeypatch.setattr("tabgan.model_selection.should_rebalance.all_candidates", lambda *_: [])
    monkeypatch.setattr("tabgan.model_selection.should_rebalance.weighed", lambda *_: None)
    for parameter in parameters:
        for value in ODD:
            if parameter == "progress" and callable(value):
                continue
            try:
                function(**given | {parameter: value})
            except TabganError as error:
                if parameter not in str(error) and "too few for Rubin's rules" not in str(error):
                    wrong.append(f"{parameter}={value!r:.60}: does not name it: {error}")
            except Exception as error:
                if not (parameter == "fit" and callable(value)):  # the user's own
                    wrong.append(f"{parameter}={value!r:.60}: {error!r}")
    assert not wrong, "\n".join(wrong)


@pytest.fixture(scope="module")
def sampler():
    return tabgan.CGANSampler(n_steps=0, random_state=0).fit(TABLE, Y)


def test_labels_and_images_may_be_tensors_that_require_gradients(sampler):
    y = torch.tensor([0.0] * 30 + [1.0] * 10).requires_grad_()
    fitted = tabgan.CGANSampler(n_steps=0, random_state=0).fit(TABLE, y)
    assert fitted.classes_.tolist() == [0.0, 1.0]
    assert len(fitted.sample(2, y=y[[0, 39]])[0]) == 2
    images = torch.rand(12, 8, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    gan = ImageGAN("acgan", n_steps=1, batch_size=4, random_state=0).fit(images, y[28:])
    assert len(gan.sample(y=y[[0, 39]])) == 2
    for strategy in (None, 2, "x", [1], {1: "x"}, {1: 11.5}, {1: 10**30}, {5: 1}):
        with pytest.raises(InvalidParameterError, match="sampling_strategy"):
            BAGANImageOversampler(sampling_strategy=strategy).fit_resample(images, y[28:])


def test_signalling_labels_are_refused(sampler):
    odd = Decimal("sNaN")
    for y in (np.array([Decimal(1)] * 20 + [odd] * 20, dtype=object), pd.Series([Decimal(1)] * 20 + [odd] * 20)):
        with pytest.raises(InvalidInputError, match="y holds a signalling NaN"):
            tabgan.CGANSampler().fit(TABLE, y)
    with pytest.raises(InvalidInputError, match=r"y asks for class Decimal\('sNaN'\)"):
        sampler.sample(1, y=odd)


@pytest.mark.parametrize("value", ["x", -1, 1.5, [1], 10**30, None, Decimal("sNaN")])
def test_reports_refuse_what_is_no_seed(sampler, value):
    with pytest.raises(InvalidParameterError, match="random_state"):
        sampler.to_html(random_state=value)
    with pytest.raises(InvalidParameterError, match="check"):
        sampler.to_html(check=value)


def of_two(first, second):
    """Labels of objects, one in four of them the first."""
    labels = np.empty(40, dtype=object)
    labels[:] = [first if k % 4 == 0 else second for k in range(40)]
    return labels


REFUSED_LABELS = {
    "tuples": of_two(("a", 1), ("b", 2)),
    "None": of_two(None, "b"),
    "NaN": of_two(np.nan, 1.0),
    "bytes": of_two(b"x", b"y").astype("S"),
    "dates": of_two(datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)),
    "large": of_two(10**30, 10**31),
    "decimals": of_two(Decimal(1), Decimal(2)),
    "signalling": of_two(Decimal("sNaN"), Decimal(2)),
    "mixed": of_two("x", 1),
    "lists": of_two([1], [2]),
    "complex": np.arange(40) % 4 * 1j,
    "amounts": np.random.default_rng(0).normal(size=40),
    "infinite": of_two(np.inf, 1.0).astype(float),
    "two columns": np.zeros((40, 2)),
    "a number": 3,
    "a text": "x",
    "a dict": {"a": 1},
    "nothing": [],
    "one class": np.zeros(40),
    "repeated names": pd.DataFrame(np.zeros((40, 2)), columns=["y", "y"]),
}
TAKEN_LABELS = {
    "truth": np.arange(40) % 4 == 0,
    "wide": np.where(np.arange(40) % 4 == 0, 2**64 - 1, 2**64 - 2).astype(np.uint64),
    "texts": of_two(np.str_("x"), np.str_("y")),
    "categories": pd.Series(of_two("x", "y")).astype(pd.CategoricalDtype(["q", "y", "x", "r"])),
    "nullable": pd.array(np.arange(40) % 4 == 0, dtype="boolean"),
    "read only": np.broadcast_to(np.array(1), 40) * (np.arange(40) % 4 == 0),
}
NUMBERS = np.random.default_rng(0).normal(size=(40, 2))
NUMBERS.setflags(write=False)
CLASSIFY = {
    "PriorCorrectedClassifier": lambda X, y: PriorCorrectedClassifier(LogisticRegression()).fit(X, y),
    "BalancedSamplingClassifier": lambda X, y: BalancedSamplingClassifier(LogisticRegression(), n_estimators=2).fit(
        X, y
    ),
    "should_rebalance": lambda X, y: should_rebalance(X, y, LogisticRegression(), samplers=[], cv=2),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CLASSIFY)
@pytest.mark.parametrize("case", REFUSED_LABELS)
def test_labels_that_classifiers_do_not_take_are_refused_by_name(name, case):
    with pytest.raises((InvalidInputError, ValueError), match=r"\by\b|inconsistent") as caught:
        CLASSIFY[name](NUMBERS, REFUSED_LABELS[case])
    assert isinstance(caught.value, TabganError) or case == "nothing"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["PriorCorrectedClassifier", "BalancedSamplingClassifier"])
@pytest.mark.parametrize("case", TAKEN_LABELS)
def test_other_labels_are_taken(name, case):
    labels = TAKEN_LABELS[case]
    predicted = CLASSIFY[name](NUMBERS, labels).predict(NUMBERS)
    assert set(predicted) <= set(np.asarray(labels).tolist())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CLASSIFY)
@pytest.mark.parametrize("X", [None, "x", 3, {"a": [1]}, NUMBERS[:, 0], pd.DataFrame(NUMBERS, columns=["a", "a"])])
def test_what_is_no_table_is_refused_by_name(name, X):
    if name == "should_rebalance" and isinstance(X, pd.DataFrame):
        pytest.skip("taken by position")
    with pytest.raises(InvalidInputError, match="X"):
        CLASSIFY[name](X, Y)


@pytest.mark.parametrize("X", [None, "x", 3, {"a": [1]}, NUMBERS[:, 0], np.zeros((4, 2, 2)), NUMBERS * 1j])
def test_imputers_are_not_compared_on_what_is_no_table(X):
    with pytest.raises(InvalidInputError, match="X"):
        tabgan.compare_imputers(X, methods=["mean/mode"], n_repeats=1)
