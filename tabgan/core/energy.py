"""The energy score of draws: a strictly proper score, as a loss."""

from __future__ import annotations

from torch import Tensor

__all__ = ["energy_score"]


def energy_score(first: Tensor, second: Tensor, truth: Tensor, cells: Tensor) -> Tensor:
    """Mean energy score of two draws per row against the truth, over the chosen cells.

    Parameters
    ----------
    first, second, truth : Tensor of shape (n, width)
        Two independent draws, and what really was there.
    cells : Tensor of shape (n, width)
        1 where a slot counts.

    Returns
    -------
    Tensor of shape ()
        ``mean over rows of (|a - t| + |b - t|) / 2 - |a - b| / 2`` with Euclidean norms over the row's chosen slots. Its
        expectation is smallest for draws from the conditional distribution (a strictly proper score).

    References
    ----------
    Gneiting and Raftery 2007, "Strictly Proper Scoring Rules, Prediction, and Estimation", eq. 22 with two draws.
    """

    def distance(a: Tensor, b: Tensor) -> Tensor:
        return (((a - b).square() * cells).sum(1) + 1e-8).sqrt()

    scores = 0.5 * (distance(first, truth) + distance(second, truth) - distance(first, second))
    rows = (cells.sum(1) > 0).to(scores)
    return (scores * rows).sum() / rows.sum().clamp_min(1)
