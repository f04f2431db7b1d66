"""Walks in latent space and truncated noise."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images.latent import lerp, slerp, truncated_noise
from tabgan.metrics import precision_recall_density_coverage


def codes(seed, shape=(3, 20)):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64), torch.randn(
        shape, generator=generator, dtype=torch.float64
    )


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_slerp_keeps_the_norm_and_turns_evenly(seed):
    start, end = codes(seed)
    end = end / end.norm(dim=1, keepdim=True) * start.norm(dim=1, keepdim=True)
    path = slerp(start, end, 9)
    assert torch.allclose(path.norm(dim=-1), start.norm(dim=-1).expand(9, 3))
    assert torch.allclose(path[0], start)
    assert torch.allclose(path[-1], end)
    step = (path[1:] - path[:-1]).norm(dim=-1)
    assert torch.allclose(step, step[:1].expand(8, 3))


def test_lerp_cuts_the_corner():
    start, end = codes(1)
    path = lerp(start, end, 5)
    assert torch.allclose(path[2], (start + end) / 2)
    assert (path[2].norm(dim=1) < slerp(start, end, 5)[2].norm(dim=1)).all()


def test_slerp_between_different_norms_and_along_one_direction():
    start = torch.tensor([1.0, 0.0])
    assert torch.allclose(slerp(start, torch.tensor([0.0, 3.0]), 3)[1].norm(), torch.tensor(2.0))
    assert torch.allclose(slerp(start, 3 * start, 3), torch.tensor([[1.0, 0], [2, 0], [3, 0]]))


def test_truncated_noise_has_the_truncated_distribution():
    noise = truncated_noise(5000, 4, 0.8, torch.Generator().manual_seed(0))
    assert noise.shape == (5000, 4)
    assert noise.abs().max() <= 0.8
    assert stats.kstest(noise.flatten().numpy(), stats.truncnorm(-0.8, 0.8).cdf).pvalue > 1e-3
    # the same as drawing entries again until they fit
    plain = torch.randn(60000, generator=torch.Generator().manual_seed(1))
    assert stats.ks_2samp(noise.flatten().numpy(), plain[plain.abs() <= 0.8].numpy()).pvalue > 1e-3


def test_truncation_buys_precision_with_recall():
    real = torch.randn(600, 4, generator=torch.Generator().manual_seed(4)).numpy()
    scores = [
        precision_recall_density_coverage(real, truncated_noise(600, 4, tau, torch.Generator().manual_seed(5)).numpy())
        for tau in (8.0, 1.0, 0.4)
    ]
    assert scores[0].precision < scores[1].precision <= scores[2].precision
    assert scores[0].recall > scores[1].recall > scores[2].recall
    assert scores[0].coverage > scores[1].coverage > scores[2].coverage


def test_wide_and_narrow_thresholds():
    wide = truncated_noise(20000, 1, 50.0, torch.Generator().manual_seed(2))
    assert wide.isfinite().all()
    assert stats.kstest(wide.flatten().numpy(), "norm").pvalue > 1e-3
    assert truncated_noise(100, 2, 1e-3, torch.Generator().manual_seed(3)).abs().max() <= 1e-3


def test_refusals():
    start = torch.ones(2)
    with pytest.raises(InvalidInputError, match="opposite"):
        slerp(start, -start, 3)
    with pytest.raises(InvalidInputError, match="norm 0"):
        slerp(start, 0 * start, 3)
    with pytest.raises(InvalidInputError, match="alike"):
        lerp(start, torch.ones(3), 3)
    with pytest.raises(InvalidParameterError, match="steps=1"):
        lerp(start, start, 1)
    with pytest.raises(InvalidParameterError, match="uniform"):
        truncated_noise(2, 2, 0.5, torch.Generator(), distribution="uniform")
    with pytest.raises(InvalidParameterError, match="threshold"):
        truncated_noise(2, 2, 0.0, torch.Generator())
