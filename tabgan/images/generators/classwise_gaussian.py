"""The baseline that every conditional generator should beat: a mixture of normal distributions per class."""

from __future__ import annotations

import torch
from sklearn.covariance import ledoit_wolf
from sklearn.mixture import GaussianMixture
from torch import Tensor

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images.generators.one_player import checked_data

__all__ = ["ClasswiseGaussianMixture"]


class ClasswiseGaussianMixture:
    """Per class, a Gaussian mixture with shrunk covariances.

    Parameters
    ----------
    n_components : int, default=3
        Normal distributions per class; fewer in a class of fewer than ``5 n_components`` rows.
    shrinkage : float in [0, 1], default=None
        How far each covariance is pulled towards ``tr(S)/d I``; None takes Ledoit and Wolf's estimate per component. Without it the
        covariance of n rows has rank n - 1 and all samples lie in the plane of their training rows.

    Attributes
    ----------
    classes : LongTensor of shape (n_classes,)
        Labels met in `fit`.
    class_share : Tensor of shape (n_classes,)
        Their shares.

    Notes
    -----
    Expectation-maximisation is scikit-learn's; rows are then given to their most likely component, whose mean and covariance are
    estimated anew with shrinkage.

    References
    ----------
    Ledoit and Wolf 2004, "A well-conditioned estimator for large-dimensional covariance matrices".
    """

    classes: Tensor
    class_share: Tensor

    def __init__(self, n_components: int = 3, *, shrinkage: float | None = None) -> None:
        if n_components < 1:
            raise InvalidParameterError(f"n_components={n_components!r} must be at least 1.")
        if shrinkage is not None and not 0 <= shrinkage <= 1:
            raise InvalidParameterError(f"shrinkage={shrinkage!r} must lie in [0, 1], or be None.")
        self.n_components = n_components
        self.shrinkage = shrinkage

    def fit(
        self, data: Tensor, labels: Tensor | None = None, *, generator: torch.Generator
    ) -> ClasswiseGaussianMixture:
        """Fit to ``data`` (n, ...) and integer ``labels`` (n,); without labels all rows are one class.

        Raises
        ------
        InvalidInputError
            As for `checked_data`, labels of another length, or a class of one row.
        """
        self._like, self._shape = data[:0], data.shape[1:]
        rows = checked_data(data).flatten(1).double().cpu()
        labels = torch.zeros(len(rows), dtype=torch.long) if labels is None else labels.cpu()
        if labels.shape != (len(rows),):
            raise InvalidInputError(f"labels has shape {tuple(labels.shape)} for {len(rows)} rows; pass one per row.")
        self.classes, counts = labels.unique(return_counts=True)
        if counts.min() < 2:
            raise InvalidInputError(f"class {int(self.classes[counts.argmin()])} has one row; its spread is unknown.")
        self.class_share = counts / len(rows)
        self._mixtures = [self._fit_class(rows[labels == label], generator) for label in self.classes]
        return self

    def sample(self, n: int, generator: torch.Generator, *, labels: Tensor | None = None) -> Tensor:
        """Draw ``n`` rows of shape (n, ...): of the given classes, or of classes in their shares (see `sample_labelled`)."""
        if labels is None:
            return self.sample_labelled(n, generator)[0]
        labels = labels.cpu()
        if len(labels) != n:
            raise InvalidInputError(f"labels has {len(labels)} entries for n={n} rows.")
        noise = torch.randn(n, self._shape.numel(), generator=generator, dtype=torch.float64)
        result = torch.full_like(noise, torch.nan)
        for label, (weights, means, roots) in zip(self.classes, self._mixtures, strict=True):
            asked = torch.nonzero(labels == label)[:, 0]
            for row in asked.split(1000) if len(asked) else ():
                part = torch.multinomial(weights, len(row), replacement=True, generator=generator)
                result[row] = means[part] + torch.einsum("nij,nj->ni", roots[part], noise[row])
        if result.isnan().any():
            raise InvalidInputError(f"labels holds classes that fit did not meet; known are {self.classes.tolist()}.")
        return result.to(self._like).unflatten(1, self._shape)

    def sample_labelled(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Rows and their classes, drawn in the classes' shares."""
        labels = self.classes[torch.multinomial(self.class_share, n, replacement=True, generator=generator)]
        return self.sample(n, generator, labels=labels), labels

    def _fit_class(self, rows: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        k = max(1, min(self.n_components, len(rows) // 5))
        seed = int(torch.randint(2**31, (), generator=generator))
        # A floor for the variances during the fit only: constant pixels would make the likelihood infinite.
        floor = 1e-2 * float(rows.var(0).mean()) or 1e-12
        mixture = GaussianMixture(k, reg_covar=floor, random_state=seed).fit(rows.numpy())
        part = torch.from_numpy(mixture.predict(rows.numpy()))
        kept = [i for i in range(k) if (part == i).sum() >= 2]
        weights = torch.stack([(part == i).double().mean() for i in kept])
        means = torch.stack([rows[part == i].mean(0) for i in kept])
        return weights, means, torch.stack([self._root(rows[part == i]) for i in kept])

    def _root(self, rows: Tensor) -> Tensor:
        """A matrix R with ``R R' =`` the shrunk covariance."""
        if self.shrinkage is None:
            covariance = torch.from_numpy(ledoit_wolf(rows.numpy())[0])
        else:
            covariance = torch.cov(rows.T, correction=0).reshape(rows.shape[1], rows.shape[1])
            target = covariance.trace() / len(covariance) * torch.eye(len(covariance), dtype=covariance.dtype)
            covariance = (1 - self.shrinkage) * covariance + self.shrinkage * target
        values, vectors = torch.linalg.eigh(covariance)
        return vectors * values.clamp_min(0).sqrt()
