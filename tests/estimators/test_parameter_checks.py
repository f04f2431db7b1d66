"""Rules of parameters: what they let pass, and what they say of the rest."""

import numpy as np
import pytest

from tabgan import BAGANOversampler, CGANSampler, GAINImputer
from tabgan.estimators.parameter_checks import number
from tabgan.exceptions import InvalidParameterError
from tabgan.images import ImageGAN

X = np.random.default_rng(0).normal(size=(30, 8))


@pytest.mark.parametrize("value", [np.inf, np.float32("inf"), np.nan])
def test_numbers_are_finite(value):
    holds, words = number(0)
    assert not holds(value)
    assert words == "a number >= 0 and finite"
    assert number(0, infinite=True)[0](value) == (value == np.inf)
    assert not number(0, 1)[0](value)


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (GAINImputer, "learning_rate"),
        (GAINImputer, "adversarial_weight"),
        (BAGANOversampler, "learning_rate"),
        (CGANSampler, "learning_rate"),
        (ImageGAN, "learning_rate"),
    ],
)
def test_an_infinite_step_is_refused(estimator, name):
    with pytest.raises(InvalidParameterError, match=f"{name}=inf is not valid; it must be .*a number .* and finite"):
        estimator(**{name: np.inf}).fit(X, [0, 1] * 15)


def test_training_may_last_for_ever():
    GAINImputer(max_time=np.inf, n_steps=1).fit(np.where(X > 1, np.nan, X))
