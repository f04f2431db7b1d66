"""Model cards: what was learnt, what not to rely on, the same from a file; no name breaks the table."""

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from tabgan import BAGANOversampler, GAINImputer, load, model_card
from tabgan.exceptions import InvalidParameterError
from tabgan.images import ImageGAN

QUICK = {"n_steps": 2, "n_trees": 2, "n_boosts": 2, "n_donor_trees": 1, "random_state": 0}


def lines_of(card):
    """The rows of its tables, by their first cell."""
    rows = [re.split(r"(?<!\\) \| ", line[2:-2]) for line in card.splitlines() if line.startswith("| ")]
    return {row[0].strip("`"): row[1:] for row in rows}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=120)
    frame = pd.DataFrame(
        {
            "height": np.round(170 + 10 * x, 1),
            "weight": np.round(70 + 12 * x + rng.normal(size=120)),
            "noise": rng.normal(size=120),
            "a|b": np.where(x > 0, "tall`", "short"),
            "same": "constant",
            "year": rng.integers(2007, 2010, 120),
        }
    )
    frame.loc[::4, "weight"] = np.nan
    frame.loc[::6, "a|b"] = None
    return frame


@pytest.fixture(scope="module")
def imputer(table):
    return GAINImputer(**QUICK).fit(table)


def test_a_card_says_what_each_column_was_and_how_well_it_is_filled(imputer, table):
    card = model_card(imputer)
    lines = lines_of(card)
    scores = imputer.validation_scores_
    assert lines["weight"][:2] == ["integer", str(table["weight"].isna().sum())]
    assert lines["weight"][2] == f"{table['weight'].min():.0f} to {table['weight'].max():.0f}"
    assert lines["weight"][-1] == str(scores.loc["weight", "n_cells"])
    assert lines["height"][1] == "none"
    assert lines["a\\|b"][0] == "categorical"
    assert "one of `short`, `tall'`" in lines["a\\|b"][2]
    assert "% wrong" in lines["a\\|b"][3]
    assert lines["same"][2] == "always `constant`"
    assert "It learnt from 120 rows and 6 columns." in card
    assert f"those of {scores['n_cells'].sum()} known cells" in card


def test_a_card_says_what_not_to_rely_on(imputer):
    card = model_card(imputer)
    section = card.split("## What not to rely on")[1].split("##")[0]
    assert "weight" in section  # of the columns with gaps, the least sure
    error = imputer.validation_scores_.loc["noise"]
    assert ("`noise`" in section) == bool(error["rmse"] >= error["rmse_mean"])
    assert "tabgan.pool" in section


def test_a_complete_column_that_is_filled_no_better_than_by_its_mean_is_named(imputer):
    scores = imputer.validation_scores_.copy()
    imputer.validation_scores_ = scores.assign(rmse=scores["rmse_mean"] * np.where(scores.index == "height", 1.0, 0.5))
    try:
        assert "Were values of `height` missing, fills would be no better" in model_card(imputer)
    finally:
        imputer.validation_scores_ = scores


def test_a_card_of_a_file_is_that_of_the_model(imputer, tmp_path):
    imputer.save(tmp_path / "model.tabgan")
    loaded = load(tmp_path / "model.tabgan")
    assert (loaded.n_rows_, loaded.n_missing_) == (120, imputer.n_missing_)
    assert model_card(loaded) == model_card(imputer)


def test_an_older_file_that_lacks_the_numbers_says_what_is_known(imputer):
    counts = imputer.n_rows_, imputer.n_missing_
    imputer.n_rows_, imputer.n_missing_ = None, None
    try:
        card = model_card(imputer)
    finally:
        imputer.n_rows_, imputer.n_missing_ = counts
    assert "It learnt from 6 columns." in card
    assert lines_of(card)["weight"][1] == "some"
    assert lines_of(card)["height"][1] == "none"


def test_settings_that_differ_from_the_defaults_and_versions_are_stated(imputer):
    card = model_card(imputer, "Heights\n2009")
    assert card.startswith("# Heights 2009\n")
    assert "- `n_trees=2`" in card
    assert "n_members" not in card
    assert re.search(r"tabgan-learn \S+, torch \S+, scikit-learn", card)
    assert "What it is for" in card


def test_a_sampler_states_its_classes_and_that_it_holds_the_table(table):
    y = np.where(np.arange(120) < 100, "many", "few")
    sampler = BAGANOversampler(n_steps=2, random_state=0).fit(table.drop(columns="same"), y)
    card = model_card(sampler)
    lines = lines_of(card)
    assert lines["few"][:2] == ["20", "80 more"]
    assert lines["many"][:2] == ["100", "0 more"]
    assert lines["few"][2] == sampler.methods_["few"]
    assert "120 rows and 5 columns. The file holds them all" in card
    assert "not anonymous" in card
    assert "No gate was asked for" in card


def test_an_image_model_states_its_recipe():
    gan = ImageGAN("dcgan", n_steps=1, random_state=0).fit(np.zeros((8, 16, 16), dtype=np.float32))
    assert "- recipe: dcgan" in model_card(gan)


def test_what_is_no_model_of_ours_is_refused():
    with pytest.raises(InvalidParameterError, match="must be a fitted GAINImputer"):
        model_card({})
    with pytest.raises(NotFittedError):
        model_card(GAINImputer())
