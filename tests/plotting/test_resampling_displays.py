"""What the displays of a sampler hold and draw."""

import numpy as np
import pytest

from tabgan.exceptions import InvalidInputError
from tabgan.plotting import ClassCountsDisplay, ResamplingDisplay


def test_made_and_real_rows_of_the_class(sampler):
    display = ResamplingDisplay.from_estimator(sampler)
    display.figure_.canvas.draw()
    X, y = sampler.resample()
    made = sampler.synthetic_mask_
    assert display.label == "rare $"
    pair = next(pair for pair in display.pairs if pair.name == "n")
    np.testing.assert_allclose(pair.second, X["n"][made])
    np.testing.assert_allclose(pair.first, X["n"][~made & (np.asarray(y) == "rare $")])


def test_copies_lie_at_distance_zero_and_shifted_rows_far_away():
    rng = np.random.default_rng(0)
    real, others = rng.normal(size=(40, 3)), rng.normal(size=(50, 3)) + 5
    y, made = np.repeat([0, 1, 1], [50, 40, 40]), np.arange(130) >= 90
    copies = ResamplingDisplay.from_predictions(np.vstack([others, real, real]), y, made)
    assert copies.made_distances.max() == 0
    assert copies.correlation_difference.abs().to_numpy().max() == pytest.approx(0)
    np.testing.assert_allclose(copies.made_points, copies.real_points)
    far = ResamplingDisplay.from_predictions(np.vstack([others, real, real + 9]), y, made)
    assert far.made_distances.min() > far.real_distances.max()
    assert far.pairs[0].disagreement > 0.7


def test_a_broken_correlation_is_seen():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 1))
    real, made = np.hstack([x, x, rng.normal(size=(200, 1))]), rng.normal(size=(200, 3))
    y = np.repeat([0, 1, 1], [10, 200, 200])
    X = np.vstack([rng.normal(size=(10, 3)), real, made])
    display = ResamplingDisplay.from_predictions(X, y, np.arange(410) >= 210)
    assert display.correlation_difference.loc["0", "1"] < -0.8
    assert abs(display.correlation_difference.loc["0", "2"]) < 0.3


def test_one_column_and_one_row_are_drawn():
    X = np.arange(12.0)[:, None]
    display = ResamplingDisplay.from_predictions(X, np.repeat([0, 1, 1], [10, 1, 1]), np.arange(12) >= 11)
    display.figure_.canvas.draw()


def test_nothing_made_says_so():
    with pytest.raises(InvalidInputError, match="no row was made"):
        ResamplingDisplay.from_predictions(np.zeros((4, 2)), [0, 0, 1, 1], np.zeros(4, dtype=bool))
    with pytest.raises(InvalidInputError, match="must agree"):
        ResamplingDisplay.from_predictions(np.zeros((4, 2)), [0, 0, 1], np.zeros(4, dtype=bool))


def test_wide_tables_show_a_part(sampler):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 60)), np.repeat([0, 1, 1], [40, 25, 25])
    display = ResamplingDisplay.from_predictions(X, y, np.arange(90) >= 65)
    assert len(display.pairs) == 8
    assert display.correlation_difference.shape == (8, 8)


def test_class_counts(sampler):
    display = ClassCountsDisplay.from_estimator(sampler)
    display.figure_.canvas.draw()
    assert display.before.to_dict() == {"common": 90, "rare $": 30}
    assert display.after.to_dict() == {"common": 90, "rare $": 90}


def test_many_classes_show_the_ends():
    y = np.repeat(np.arange(50), np.arange(1, 51))
    display = ClassCountsDisplay.from_predictions(y, y)
    assert display.before.iloc[0] == 50
    assert display.before.iloc[-1] == 1
    assert "20 of 50 classes" in display.ax_.get_title("left")
