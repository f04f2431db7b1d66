"""GAIN as published: the noise that hidden cells start from, in training and afterwards."""

import inspect

import numpy as np
import pytest
import torch

from tabgan import GAINImputer
from tabgan.imputation.published import NOISE_SCALE, GainGenerator, GainTask, PublishedGain, published_parameters
from tabgan.networks.heads import span_index
from tabgan.spans import Span
from tests.imputation.learning_of import run_of

SPANS = (Span("numeric", 0, 1), Span("categorical", 1, 3), Span("numeric", 3, 4))


@pytest.fixture
def seen(monkeypatch):
    """All that the generator is given: (values, visible slots, in training?)."""
    calls = []
    forward = GainGenerator.forward

    def noted(self, values, visible):
        calls.append((values.detach().clone(), visible.clone(), values.dtype == torch.float32))
        return forward(self, values, visible)

    monkeypatch.setattr(GainGenerator, "forward", noted)
    return calls


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    values = (0.2 + 0.8 * rng.random((200, 4))).astype(np.float32)  # nothing observed looks like noise
    mask = rng.random((200, 3)) < 0.6
    return np.where(mask[:, span_index(SPANS)], values, 0.0).astype(np.float32), mask


@pytest.mark.parametrize("variant", ["code", "paper"])
def test_hidden_cells_start_as_uniform_noise_of_a_hundredth_anew_in_every_batch(seen, table, variant):
    values, mask = table
    given = published_parameters(variant) | {"n_steps": 40, "batch_size": 64}
    PublishedGain.fit(values, mask, np.zeros_like(mask), SPANS, given, run_of())
    training = [(shown, visible) for shown, visible, in_training in seen if in_training]
    assert len(training) >= 40
    noise = torch.cat([shown[visible == 0] for shown, visible in training]).double()
    assert ((noise >= 0) & (noise <= 0.01)).all()
    n = len(noise)
    assert float(noise.mean()) == pytest.approx(0.005, abs=5 * 0.01 / np.sqrt(12 * n))
    assert float(noise.std()) == pytest.approx(0.01 / np.sqrt(12), rel=0.05)
    assert len(noise.unique()) > 0.2 * n  # half of the calls may share a batch
    observed = torch.cat([shown[visible > 0] for shown, visible in training])
    assert set(observed.tolist()) <= set(values[mask[:, span_index(SPANS)]].tolist())


def test_a_prediction_starts_from_the_noises_mean(seen, table):
    values, mask = table
    model = PublishedGain.fit(values, mask, np.zeros_like(mask), SPANS, {"n_steps": 1}, run_of())
    seen.clear()
    fouled = np.where(mask[:, span_index(SPANS)], values, 77.0)
    filled = model.predict(fouled, mask)
    ((shown, visible, in_training),) = seen
    assert not in_training
    gappy = ~mask.all(axis=1)
    assert len(shown) == gappy.sum()
    assert (shown[visible == 0] == 0.005).all()
    np.testing.assert_array_equal(shown[visible > 0], values[gappy][mask[gappy][:, span_index(SPANS)]])
    np.testing.assert_array_equal(filled[~gappy], fouled[~gappy])
    np.testing.assert_allclose(filled, model.predict(values, mask), rtol=0, atol=1e-12)


def test_the_scale_is_the_papers_and_the_tasks_own():
    assert NOISE_SCALE == 0.01
    assert inspect.signature(GainTask).parameters["noise_scale"].default == NOISE_SCALE


def test_held_out_cells_are_predicted_by_a_model_that_never_saw_them(table):
    values, mask = table
    held_out = mask & (np.random.default_rng(1).random(mask.shape) < 0.2)
    given = {"n_steps": 3}
    model = PublishedGain.fit(values, mask & ~held_out, held_out, SPANS, given, run_of())
    fouled = np.where(held_out[:, span_index(SPANS)], 0.9, values).astype(np.float32)
    other = PublishedGain.fit(fouled, mask & ~held_out, held_out, SPANS, given, run_of())
    rows = model.held_out.rows
    assert sorted(rows) == list(np.flatnonzero(held_out.any(axis=1)))
    np.testing.assert_array_equal(model.held_out.cells, held_out[rows])
    np.testing.assert_array_equal(model.held_out.predicted, other.held_out.predicted)


def test_a_state_gives_the_same_model_back(table):
    values, mask = table
    given = published_parameters("paper") | {"n_steps": 3}
    model = PublishedGain.fit(values, mask, np.zeros_like(mask), SPANS, given, run_of())
    again = PublishedGain.from_state(model.to_state())
    assert again.settings == model.settings
    assert (again.n_steps, again.stop_reason, again.history) == (3, None, model.history)
    np.testing.assert_array_equal(again.predict(values, mask), model.predict(values, mask))


def test_draws_and_intervals_are_refused():
    frame = np.array([[0.0, 1.0], [np.nan, 2.0], [2.0, 3.0]] * 5)
    imputer = GAINImputer.paper(n_steps=1, random_state=0).fit(frame)
    for ask in (imputer.sample, imputer.predict_interval):
        with pytest.raises(ValueError, match="objective='paper'"):
            ask(frame)
