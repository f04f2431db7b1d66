"""A column that nothing else tells of is filled with its mean, or its commonest label."""

import numpy as np
import pandas as pd
import pytest

from tabgan import GAINImputer


@pytest.mark.parametrize("effort", ["fast", "balanced"])
@pytest.mark.parametrize("n", [12, 80])
def test_a_lonely_column_of_numbers_gets_its_mean(effort, n):
    cells = np.exp(np.random.default_rng(0).normal(size=n))  # skewed: its median is far from its mean
    cells[::5] = np.nan
    frame = pd.DataFrame({"a": cells, "same": 1.0})
    filled = GAINImputer(effort=effort, random_state=0).fit_transform(frame)["a"].to_numpy()
    np.testing.assert_allclose(filled[::5], np.nanmean(cells), rtol=1e-5)
    assert np.nanmedian(cells) < 0.8 * np.nanmean(cells)


def test_a_lonely_column_of_labels_gets_the_commonest():
    frame = pd.DataFrame({"a": ["u", "v", "u", None, "w"] * 20})
    assert (GAINImputer(effort="fast", random_state=0).fit_transform(frame)["a"][3::5] == "u").all()
