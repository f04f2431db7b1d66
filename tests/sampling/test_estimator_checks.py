"""Both suites of estimator checks, in full: imbalanced-learn's and scikit-learn's own.

With imbalanced-learn 0.14 and scikit-learn 1.9 these are, for six settings, 348 checks, none exempted; scikit-learn itself skips
`check_array_api_input` (once per setting) unless SCIPY_ARRAY_API is set.
"""

import pytest
from imblearn.utils.estimator_checks import parametrize_with_checks as imblearn_checks
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks as sklearn_checks

from tabgan import BAGANOversampler, CGANSampler
from tabgan.sampling import gate

QUICK = {"n_steps": 5, "width": 16, "n_blocks": 1, "random_state": 0}

SAMPLERS = [
    BAGANOversampler(**QUICK),
    BAGANOversampler.paper(**QUICK, d_noise=8, autoencoder_steps=5),
    CGANSampler(**QUICK),
    CGANSampler(**QUICK, start="noise"),
    BAGANOversampler(**QUICK, gate="balanced_accuracy"),
    CGANSampler(**QUICK, gate="balanced_accuracy"),
]

# Check name -> why it cannot pass. Strict: a check that starts to pass must leave this list.
EXPECTED_FAILED: dict[str, str] = {}


@pytest.fixture(autouse=True)
def quick_judge(monkeypatch):
    """The gate's cross-validation with its fastest classifier: the suites fit some hundred samplers."""
    monkeypatch.setattr(gate, "_classifiers", lambda seed: [LogisticRegression()])


@imblearn_checks(SAMPLERS)
def test_imblearn_checks(estimator, check):
    check(estimator)


@sklearn_checks(SAMPLERS, expected_failed_checks=lambda estimator: EXPECTED_FAILED)
def test_sklearn_checks(estimator, check):
    check(estimator)


def test_the_suites_are_there():
    imblearn_count, sklearn_count = (
        len(list(suite(SAMPLERS[:1]).args[1])) for suite in (imblearn_checks, sklearn_checks)
    )
    assert imblearn_count >= 17
    assert sklearn_count >= 40
    assert not EXPECTED_FAILED
