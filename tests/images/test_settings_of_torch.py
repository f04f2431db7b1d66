"""Image models give the same whatever the caller set in torch, and leave the caller's settings alone."""

import numpy as np
import pytest
import torch

from tabgan.images import ImageGAN


class DefaultDtype:
    """float64 by default."""

    def __enter__(self) -> None:
        torch.set_default_dtype(torch.float64)

    def __exit__(self, *_: object) -> None:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(
    "setting",
    [DefaultDtype, lambda: torch.device("meta"), torch.no_grad, torch.inference_mode, lambda: torch.autocast("cpu")],
    ids=["default dtype", "default device", "no_grad", "inference_mode", "autocast"],
)
def test_what_the_caller_set_in_torch_changes_nothing(setting):
    images = np.random.default_rng(0).random((16, 16, 16))
    settings = {"n_steps": 2, "batch_size": 8, "random_state": 0, "device": "cpu"}
    plain = ImageGAN("dcgan", **settings).fit(images)
    with setting():
        same = ImageGAN("dcgan", **settings).fit(images)
        made = same.sample(2)
        same.partial_fit(images, n_steps=1)
    np.testing.assert_array_equal(made, plain.sample(2))
