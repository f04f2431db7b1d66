"""Labels as users have them: in columns, with gaps, of mixed kinds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from tabgan.exceptions import InvalidInputError
from tabgan.images import BAGANImageOversampler, ImageGAN

IMAGES = np.random.default_rng(0).random((20, 8, 8))
RARE = np.array([0] * 15 + [1] * 5)


@pytest.mark.parametrize("column", [RARE[:, None], torch.from_numpy(RARE[:, None]), pd.DataFrame({"kind": RARE})])
def test_labels_in_a_column_come_back_in_one(column):
    more = BAGANImageOversampler(random_state=0).fit_resample(IMAGES, column)[1]
    assert type(more) is type(column)
    assert np.asarray(more).tolist() == [[0]] * 15 + [[1]] * 15


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a"] * 15 + ["b"] * 4 + [np.nan], "missing values"),
        (["a"] * 15 + ["b"] * 4 + [None], "missing values"),
        (pd.Series(pd.Categorical(["a"] * 15 + ["b"] * 4 + [None])), "missing values"),
        (pd.Series([0] * 15 + [1] * 4 + [None], dtype="Int64"), "NaN|missing values"),
        (np.array([0.0] * 15 + [1.0] * 4 + [np.nan]), "NaN"),
        (["a"] * 15 + [1] * 5, "text among other labels"),
        (np.array(["a"] * 15 + [1] * 5, dtype=object), "text among other labels"),
    ],
)
def test_labels_that_are_missing_or_of_mixed_kinds_are_no_classes(y, message):
    for learn in (BAGANImageOversampler().fit_resample, ImageGAN("sngan", n_steps=1).fit):
        with pytest.raises(InvalidInputError, match=f"y holds .*({message})"):
            learn(IMAGES, y)
