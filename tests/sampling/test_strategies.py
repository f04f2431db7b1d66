"""`sampling_strategy` in every form: exact counts, originals first, and imbalanced-learn's own errors."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabgan import BAGANOversampler, CGANSampler
from tabgan.exceptions import InvalidParameterError

COUNTS = {"a": 40, "b": 12, "c": 5, "d": 1}


def classes_table(counts, seed=0):
    rng = np.random.default_rng(seed)
    y = np.repeat(list(counts), list(counts.values()))
    X = rng.normal(size=(len(y), 3)) + np.unique(y, return_inverse=True)[1][:, None]
    order = rng.permutation(len(y))
    return X[order], y[order]


@pytest.fixture(scope="module")
def fitted():
    return BAGANOversampler(n_steps=5, width=16, random_state=0).fit(*classes_table(COUNTS))


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("auto", {"a": 40, "b": 40, "c": 40, "d": 40}),
        ("all", {"a": 40, "b": 40, "c": 40, "d": 40}),
        ("not majority", {"a": 40, "b": 40, "c": 40, "d": 40}),
        ("not minority", {"a": 40, "b": 40, "c": 40, "d": 1}),
        ("minority", {"a": 40, "b": 12, "c": 5, "d": 40}),
        ({"b": 13, "d": 3}, {"a": 40, "b": 13, "c": 5, "d": 3}),
        (lambda y: {"c": 2 * int((y == "c").sum())}, {"a": 40, "b": 12, "c": 10, "d": 1}),
        ({}, COUNTS),
    ],
)
@pytest.mark.parametrize("sampler", [BAGANOversampler, CGANSampler])
def test_every_form(sampler, strategy, expected):
    X, y = classes_table(COUNTS)
    made = sampler(sampling_strategy=strategy, n_steps=2, width=16, random_state=0)
    X_more, y_more = made.fit_resample(X, y)
    assert Counter(y_more.tolist()) == expected
    np.testing.assert_array_equal(X_more[: len(X)], X)
    np.testing.assert_array_equal(y_more[: len(y)], y)
    wanted = {label: expected[label] - COUNTS[label] for label in COUNTS}
    assert {k: v for k, v in made.sampling_strategy_.items() if v} == {k: v for k, v in wanted.items() if v}


def test_a_ratio_for_two_classes():
    X, y = classes_table({"a": 40, "b": 12})
    _, y_more = BAGANOversampler(sampling_strategy=0.7, n_steps=2, random_state=0).fit_resample(X, y)
    assert Counter(y_more.tolist()) == {"a": 40, "b": 28}


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        (0.1, "ratio required to remove samples"),
        (1.5, "sampling_strategy"),
        ("most", "sampling_strategy"),
        ("majority", "sampling_strategy"),
        ({"a": 3}, "[Oo]riginally"),
        ({"z": 90}, "not present"),
        ({"b": -3}, "negative|cannot be"),
        ([1, 2], "sampling_strategy"),
    ],
)
def test_imbalanced_learns_own_errors(strategy, words):
    X, y = classes_table({"a": 40, "b": 12})
    with pytest.raises((ValueError, TypeError), match=words):
        BAGANOversampler(sampling_strategy=strategy, n_steps=2).fit_resample(X, y)


@pytest.mark.parametrize("strategy", [None, True, False, np.bool_(True), "most", "majority"])
def test_what_is_no_strategy_is_refused_in_words(strategy):
    X, y = classes_table({"a": 40, "b": 12})
    sampler = BAGANOversampler(sampling_strategy=strategy, n_steps=2)
    with pytest.raises(InvalidParameterError, match="'not majority', 'all', a ratio above 0 and up to 1") as caught:
        sampler.fit(X, y)
    assert f"sampling_strategy={strategy!r}" in str(caught.value)
    assert not hasattr(sampler, "methods_")


def test_a_ratio_is_refused_for_more_than_two_classes(fitted):
    with pytest.raises(ValueError, match="binary"):
        fitted.resample(0.9)


@settings(max_examples=200, derandomize=True)
@given(extra=st.dictionaries(st.sampled_from(sorted(COUNTS)), st.integers(0, 60), max_size=4))
def test_counts_are_exact_for_any_dict(fitted, extra):
    wanted = {label: COUNTS[label] + more for label, more in extra.items()}
    X, y = fitted.resample(wanted)
    assert Counter(y.tolist()) == Counter(COUNTS | wanted)
    assert len(X) == len(y) == fitted.synthetic_mask_.size
    assert fitted.synthetic_mask_.sum() == sum(extra.values()) == len(fitted.parents_)
    np.testing.assert_array_equal(y[fitted.parents_], y[fitted.synthetic_mask_])


def test_resampling_again_does_not_train_again(fitted):
    steps = fitted.n_iter_
    first, _ = fitted.resample({"d": 30})
    again, _ = fitted.resample({"d": 30})
    np.testing.assert_array_equal(first, again)
    assert fitted.n_iter_ == steps
