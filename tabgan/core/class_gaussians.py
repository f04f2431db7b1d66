"""Class-conditional Gaussians over an autoencoder's codes, from which latent draws of a class can come."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["correlated", "fit_class_gaussians"]


def correlated(noise: Tensor, factors: Tensor, classes: Tensor) -> Tensor:
    """White noise given the covariance of its row's class.

    Parameters
    ----------
    noise : Tensor of shape (n, d)
        Standard normal.
    factors : Tensor of shape (n_classes, d, d)
        Cholesky factor of each class.
    classes : LongTensor of shape (n,)
        The class of each row.

    Returns
    -------
    Tensor of shape (n, d)
        ``factors[classes] @ noise`` row by row, without a matrix per row in memory.
    """
    if torch.compiler.is_compiling():  # exporters follow no loop over classes that they cannot know
        return (factors[classes] @ noise[:, :, None])[:, :, 0]
    out = torch.empty_like(noise)
    for index in torch.unique(classes).tolist():
        mine = classes == index
        out[mine] = noise[mine] @ factors[index].T
    return out


@torch.no_grad()
def fit_class_gaussians(codes: Tensor, classes: Tensor, n_classes: int) -> tuple[Tensor, Tensor]:
    """Mean and Cholesky factor of each class's codes.

    A class of n codes takes weight ``n / (n + d_code)`` for its own covariance and the rest for the pooled one: with fewer codes
    than dimensions the sample covariance is singular, and the draws would be a handful of known rows.

    Parameters
    ----------
    codes : Tensor of shape (n, d_code)
        One code per row.
    classes : LongTensor of shape (n,)
        The class of each row.
    n_classes : int
        Number of classes.

    Returns
    -------
    mean : Tensor of shape (n_classes, d_code)
    factor : Tensor of shape (n_classes, d_code, d_code)
        Lower triangular. A class without codes has mean 0 and the pooled covariance.

    References
    ----------
    Mariani et al. 2018, "Data Augmentation with Balancing GAN" (arXiv 1803.09655), section 3.2. Departure: the shrinkage.
    """
    width = codes.shape[1]
    codes, classes = codes.double(), classes.to(codes.device)
    mean = torch.zeros(n_classes, width).to(codes)
    factor = torch.zeros(n_classes, width, width).to(codes)
    for index in range(n_classes):
        if (classes == index).any():
            mean[index] = codes[classes == index].mean(0)
    centred = codes - mean[classes]
    pooled = centred.T @ centred / max(len(codes) - n_classes, 1)
    ridge = 1e-6 * pooled.diagonal().mean().clamp_min(1e-6) * torch.eye(width).to(pooled)
    for index in range(n_classes):
        mine = centred[classes == index]
        own = mine.T @ mine / max(len(mine) - 1, 1)
        share = len(mine) / (len(mine) + width)
        factor[index] = torch.linalg.cholesky(share * own + (1 - share) * pooled + ridge)
    return mean.float(), factor.float()
