"""What recipes were shown to reach. Written by ``python -m benchmarks.images report`` from its results; do not edit."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["REACHED", "Reached"]


class Reached(NamedTuple):
    """One training run of a recipe.

    Attributes
    ----------
    recipe : str
        Its name.
    data : str
        ``"digits"`` (8 x 8, 648 images), ``"mnist"`` and ``"fashion"`` (28 x 28, 5,000 images), or a task of image to image.
    labels : bool
        Whether it was trained with the classes.
    n_steps : int or None
        Steps of training.
    seconds : float or None
        CPU seconds on one core.
    frechet : float or None
        Frechet distance in the features of a small classifier; comparable within one data set only, and with no published FID.
    coverage : float or None
        Share of real images that have a generated one among them.
    accuracy : float or None
        Share of generated images that a classifier gives to the class asked for.
    error : float or None
        Mean absolute error of translations, in grey levels from -1 to 1.
    """

    recipe: str
    data: str
    labels: bool
    n_steps: int | None
    seconds: float | None
    frechet: float | None
    coverage: float | None
    accuracy: float | None
    error: float | None


REACHED: list[Reached] = [
    Reached("acgan", "digits", True, 4000, 19.8, 0.372, 0.86, 0.975, None),
    Reached("acgan", "fashion", True, 4000, 94.2, 78.8, 0.145, 0.796, None),
    Reached("acgan", "mnist", True, 4000, 103.0, 49.4, 0.262, 0.994, None),
    Reached("autoencoder", "digits", False, None, 2.37, 2.16, 0.484, None, None),
    Reached("bagan", "digits", True, 3000, 14.1, 0.46, 0.937, 0.998, None),
    Reached("bagan", "fashion", True, 4000, 101.0, 46.5, 0.498, 0.932, None),
    Reached("bagan", "mnist", True, 4000, 91.0, 14.5, 0.882, 0.993, None),
    Reached("began", "digits", True, 3000, 19.9, 6.7, 0.29, 0.998, None),
    Reached("began", "mnist", True, 2500, 110.0, 57.1, 0.554, 0.878, None),
    Reached("cgan", "digits", True, 4000, 18.2, 0.58, 0.877, 0.994, None),
    Reached("cgan", "fashion", True, 4000, 105.0, 24.0, 0.584, 0.823, None),
    Reached("cgan", "mnist", True, 4000, 127.0, 27.4, 0.605, 0.888, None),
    Reached("cyclegan", "cyclegan", False, None, 52.0, None, None, None, 0.0994),
    Reached("dcgan", "digits", True, 1200, 10.7, 0.445, 0.797, 0.982, None),
    Reached("dcgan", "mnist", True, 3000, 99.8, 55.6, 0.405, 0.352, None),
    Reached("dragan", "digits", True, 2000, 13.6, 0.369, 0.835, 0.986, None),
    Reached("dragan", "mnist", True, 2500, 135.0, 49.5, 0.476, 0.737, None),
    Reached("feature-matching", "digits", True, 2500, 11.2, 0.623, 0.78, 0.874, None),
    Reached("feature-matching", "mnist", True, 3000, 91.6, 140.0, 0.201, 0.156, None),
    Reached("gmmn", "digits", False, None, 13.7, 1.13, 0.578, None, None),
    Reached("lsgan", "digits", True, 3000, 16.9, 0.974, 0.841, 0.994, None),
    Reached("lsgan", "mnist", True, 4000, 127.0, 14.2, 0.774, 0.906, None),
    Reached("matching-aware", "digits", True, 2500, 11.0, 0.592, 0.824, 0.995, None),
    Reached("matching-aware", "mnist", True, 3000, 122.0, 129.0, 0.104, 0.881, None),
    Reached("minibatch-discrimination", "digits", True, 2000, 30.2, 0.901, 0.769, 0.846, None),
    Reached("minibatch-discrimination", "mnist", True, 3000, 116.0, 9.47, 0.909, 0.966, None),
    Reached("minimax", "digits", True, 3000, 13.6, 0.455, 0.855, 0.983, None),
    Reached("minimax", "mnist", True, 4000, 127.0, 21.1, 0.645, 0.817, None),
    Reached("non-saturating", "digits", False, 3000, 12.5, 2.01, 0.678, None, None),
    Reached("non-saturating", "mnist", False, 4000, 89.2, 53.1, 0.314, None, None),
    Reached("pix2pix", "deblending", False, 1500, 7.96, None, None, None, 0.285),
    Reached("pix2pix", "heat", False, 2000, 28.6, None, None, None, 0.065),
    Reached("pix2pix", "resolution", False, 300, 6.78, None, None, None, 0.127),
    Reached("pixelcnn", "digits", False, None, 6.87, 4.64, 0.467, None, None),
    Reached("projection", "digits", True, 1000, 14.7, 0.248, 0.884, 0.945, None),
    Reached("projection", "fashion", True, 2000, 101.0, 10.7, 0.771, 0.885, None),
    Reached("projection", "mnist", True, 2000, 112.0, 7.07, 0.851, 0.946, None),
    Reached("rbm", "digits", False, None, 3.18, 12.7, 0.398, None, None),
    Reached("sngan", "digits", True, 1000, 16.2, 0.327, 0.846, 0.972, None),
    Reached("sngan", "fashion", True, 2000, 123.0, 12.8, 0.724, 0.828, None),
    Reached("sngan", "mnist", True, 2000, 140.0, 6.06, 0.822, 0.907, None),
    Reached("stackgan", "digits", True, 3500, 54.2, 2.45, 0.773, 0.949, None),
    Reached("stackgan", "mnist", True, 800, 115.0, 121.0, 0.22, 0.222, None),
    Reached("supervised-l1", "deblending", False, 1500, 3.0, None, None, None, 0.238),
    Reached("supervised-l1", "heat", False, 2000, 11.1, None, None, None, 0.0231),
    Reached("supervised-l1", "resolution", False, 300, 2.16, None, None, None, 0.103),
    Reached("supervised-l2", "deblending", False, 1500, 2.84, None, None, None, 0.257),
    Reached("supervised-l2", "heat", False, 2000, 10.3, None, None, None, 0.0326),
    Reached("supervised-l2", "resolution", False, 300, 1.67, None, None, None, 0.133),
    Reached("unrolled", "digits", True, 1500, 53.3, 0.811, 0.787, 0.948, None),
    Reached("unrolled", "mnist", True, 500, 133.0, 315.0, 0.02, 0.344, None),
    Reached("vae", "digits", False, None, 3.57, 2.73, 0.581, None, None),
    Reached("vector-conditions", "digits, seen", True, None, 15.9, None, None, 1.0, None),
    Reached("vector-conditions", "digits, unseen", True, None, 15.9, None, None, 1.0, None),
    Reached("wgan", "digits", True, 1500, 22.2, 0.707, 0.732, 0.798, None),
    Reached("wgan", "mnist", True, 1200, 112.0, 160.0, 0.209, 0.338, None),
    Reached("wgan-gp", "digits", True, 2000, 34.1, 0.33, 0.943, 0.988, None),
    Reached("wgan-gp", "fashion", True, 1000, 129.0, 22.3, 0.657, 0.822, None),
    Reached("wgan-gp", "mnist", True, 1000, 133.0, 19.4, 0.694, 0.827, None),
]
