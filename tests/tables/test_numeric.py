"""Scalings: monotone, invertible, finite, and the same after JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tabgan.tables.numeric import NUMERIC_TRANSFORMS

RNG = np.random.default_rng(0)
SAMPLES = {
    "normal": RNG.normal(10, 3, 2000),
    "lognormal": RNG.lognormal(0, 2, 2000),
    "negative lognormal": -RNG.lognormal(0, 2, 2000),
    "mostly zeros": np.where(RNG.random(2000) < 0.9, 0.0, RNG.lognormal(0, 1, 2000)),
    "two values": np.array([3.0, 3.0, 3.0, 4.0]),
    "one outlier": np.append(RNG.normal(size=500), 1e9),
    "huge": np.array([-1.7e308, 0.0, 1.7e308]),
    "tiny": np.array([5e-324, 1e-320, 3e-310]),
    "far from zero": 1e9 + RNG.normal(size=300),
    "integers": RNG.integers(0, 10, 500).astype(float),
}


@pytest.mark.parametrize("name", NUMERIC_TRANSFORMS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_inverse_undoes_forward(name, sample):
    values = SAMPLES[sample]
    transform = NUMERIC_TRANSFORMS[name]().fit(values)
    scaled = transform.forward(values)
    assert np.isfinite(scaled).all()
    assert scaled.std() < 100
    scale = np.abs(values).max()
    np.testing.assert_allclose(transform.inverse(scaled) / scale, values / scale, atol=1e-6)


@pytest.mark.parametrize("name", NUMERIC_TRANSFORMS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_monotone_and_finite_everywhere(name, sample):
    transform = NUMERIC_TRANSFORMS[name]().fit(SAMPLES[sample])
    grid = np.concatenate([-np.logspace(308, -320, 400), [0.0], np.logspace(-320, 308, 400), np.linspace(-20, 20, 999)])
    grid.sort()
    for curve in (transform.forward, transform.inverse):
        out = curve(grid)
        assert np.isfinite(out).all()
        steps = np.diff(out * 1e-6)
        assert (steps >= -1e-9 * np.maximum(np.abs(out[1:] * 1e-6), 1e-12)).all()


@pytest.mark.parametrize("name", NUMERIC_TRANSFORMS)
def test_state_round_trip(name):
    values = SAMPLES["lognormal"]
    transform = NUMERIC_TRANSFORMS[name]().fit(values)
    state = json.loads(json.dumps(transform.state(), allow_nan=False))
    again = type(transform).from_state(state)
    np.testing.assert_array_equal(again.forward(values), transform.forward(values))
    np.testing.assert_array_equal(again.inverse(values), transform.inverse(values))


@given(
    hnp.arrays(np.float64, st.integers(2, 30), elements=st.floats(-1e12, 1e12)).filter(lambda a: np.ptp(a) > 0),
    st.sampled_from(sorted(NUMERIC_TRANSFORMS)),
)
@settings(max_examples=50)
def test_any_sample(values, name):
    transform = NUMERIC_TRANSFORMS[name]().fit(values)
    scaled = transform.forward(values)
    np.testing.assert_allclose(transform.inverse(scaled), values, rtol=1e-6, atol=1e-6 * np.abs(values).max())
    order = np.argsort(values)
    assert (np.diff(scaled[order]) >= -1e-9 * (1 + np.abs(scaled[order][1:]))).all()


def test_shapes_of_the_scalings():
    values = SAMPLES["normal"]
    standard = NUMERIC_TRANSFORMS["standard"]().fit(values).forward(values)
    np.testing.assert_allclose([standard.mean(), standard.std()], [0, 1], atol=1e-9)
    unit = NUMERIC_TRANSFORMS["minmax"]().fit(values).forward(values)
    assert (unit.min(), unit.max()) == (0.0, 1.0)
    normal = NUMERIC_TRANSFORMS["quantile"]().fit(SAMPLES["lognormal"]).forward(SAMPLES["lognormal"])
    np.testing.assert_allclose(np.quantile(normal, [0.1587, 0.5, 0.8413]), [-1, 0, 1], atol=0.02)
    powered = NUMERIC_TRANSFORMS["power"]().fit(SAMPLES["lognormal"]).forward(SAMPLES["lognormal"])
    raw = NUMERIC_TRANSFORMS["standard"]().fit(SAMPLES["lognormal"]).forward(SAMPLES["lognormal"])
    assert abs((powered**3).mean()) < 2 < (raw**3).mean() / 4


def test_robust_ignores_one_outlier_and_survives_ties():
    outlier = NUMERIC_TRANSFORMS["robust"]().fit(SAMPLES["one outlier"])
    assert abs(outlier.forward(np.array([1.0]))[0]) < 1.5
    assert outlier.forward(np.array([1e9]))[0] < 30
    zeros = NUMERIC_TRANSFORMS["robust"]().fit(SAMPLES["mostly zeros"])
    assert zeros.forward(np.array([0.0]))[0] == 0.0


def test_quantile_maps_ties_to_one_point():
    values = SAMPLES["mostly zeros"]
    transform = NUMERIC_TRANSFORMS["quantile"]().fit(values)
    assert np.unique(transform.forward(values[values == 0])).size == 1
    assert (transform.inverse(transform.forward(np.zeros(3))) == 0).all()
