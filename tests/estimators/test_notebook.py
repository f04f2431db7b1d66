"""What notebooks show of fitted estimators and results: scikit-learn's diagram first, then what was learnt, all of it escaped."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tabgan import BAGANOversampler, CGANSampler, GAINImputer, compare_imputers
from tabgan.imputation.scoring import learnt_columns, relative_errors
from tabgan.inference.pooling import pool_scalars

HOSTILE = "<script>alert('x')</script>"


class Words(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.words, self.tags = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)

    def handle_data(self, data):
        self.words.append(data.strip(" ·\n"))


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=90)
    frame = pd.DataFrame({HOSTILE: x, "b": x + 0.1 * rng.normal(size=90), "c": np.where(x > 0, HOSTILE, "low")})
    frame.iloc[::7, 0] = np.nan
    return frame


@pytest.fixture(scope="module")
def imputer(table):
    return GAINImputer(n_steps=1, draw_steps=0, random_state=0).fit(table)


def shown(estimator):
    """What a notebook shows; both ways of asking agree."""
    bundle = estimator._repr_mimebundle_()
    # The diagram numbers its parts anew at every call.
    unnumbered = [
        re.sub(r"(sk-[a-z-]*|id-)[0-9a-f-]*\d[0-9a-f-]*", r"\1", text)
        for text in (bundle["text/html"], estimator._repr_html_())
    ]
    assert unnumbered[0] == unnumbered[1]
    return bundle["text/html"]


def test_an_imputer_shows_its_diagram_and_its_scores(imputer):
    text = shown(imputer)
    assert "sk-top-container" in text
    assert HOSTILE not in text
    words = Words(text).words
    assert words[words.index("steps") + 1] == "1"
    relative = relative_errors(imputer.validation_scores_)
    at = max(k for k, word in enumerate(words) if word == HOSTILE)
    assert words[at + 1] == "continuous"
    assert words[at + 2] == f"{relative[HOSTILE]:.2f}"
    assert any("below 1 is better" in word for word in words)


@pytest.mark.parametrize("kind", [BAGANOversampler, CGANSampler])
def test_a_sampler_shows_how_rows_of_each_class_are_made(kind, table):
    target = np.where(np.arange(90) % 5 == 0, HOSTILE, "often")
    sampler = kind(n_steps=0, random_state=0).fit(table, target)
    text = shown(sampler)
    assert HOSTILE not in text
    words = Words(text).words
    at = words.index("class")
    assert words[at : at + 3] == ["class", "real rows", "rows are made by"]
    assert [words[at + 3 + 3 * k + 1] for k in range(2)] == ["18", "72"]
    assert words[at + 5] == sampler.methods_[HOSTILE]


def test_an_image_gan_shows_its_recipe():
    from tabgan.images import ImageGAN

    images = np.random.default_rng(0).integers(0, 255, size=(16, 8, 8, 1), dtype=np.uint8)
    gan = ImageGAN("minimax", n_steps=1, random_state=0).fit(images)
    words = [word for word in Words(shown(gan)).words if word]
    at = words.index("images")  # the diagram has no parameter of this name
    assert words[at - 2 : at + 4] == ["recipe", "minimax", "images", "1 x 8 x 8", "steps", "1"]


def test_before_fit_and_inside_a_pipeline_there_is_the_diagram_alone(imputer):
    assert "<b>steps</b>" not in shown(clone(imputer))
    assert "<b>steps</b>" not in make_pipeline(clone(imputer), StandardScaler())._repr_html_()


def test_plain_display_stays_plain(imputer):
    with config_context(display="text"):
        assert set(imputer._repr_mimebundle_()) == {"text/plain"}
        assert not hasattr(imputer, "_repr_html_")


def test_wide_tables_show_the_worst_columns_and_say_so():
    names = [f"x{k}" for k in range(30)]
    scores = pd.DataFrame(
        {"kind": "continuous", "n_cells": 9, "rmse": np.arange(30.0), "rmse_mean": 10.0, "error_rate": np.nan}, names
    ).assign(error_rate_mode=np.nan)
    rows, note = learnt_columns(scores)
    assert [row[0] for row in rows[1:]] == [f"x{k}" for k in range(29, 21, -1)]
    assert rows[1][2] == "2.90"
    assert note.startswith("The 8 worst of 30 columns.")
    assert "median 1.45" in note
    assert learnt_columns(scores.iloc[:0])[0] == []


def test_results_show_themselves_escaped(table):
    found = compare_imputers(table, methods=["mean/mode"], n_repeats=1, random_state=0)
    text = found._repr_html_()
    assert HOSTILE not in text
    assert found.verdict() in Words(text).words
    assert "mean/mode" in Words(text).words
    estimates = pool_scalars([[1.0], [2.0]], [[0.1], [0.1]], names=[HOSTILE])
    text = estimates._repr_html_()
    assert HOSTILE not in text
    assert HOSTILE in Words(text).words
    assert "1.5" in Words(text).words


def test_a_loaded_model_shows_what_the_saved_one_did(imputer, table, tmp_path):
    import tabgan

    target = np.where(np.arange(90) % 5 == 0, HOSTILE, "often")
    for estimator in (imputer, CGANSampler(n_steps=0, random_state=0).fit(table, target)):
        estimator.save(tmp_path / "model")
        assert tabgan.load(tmp_path / "model")._learnt() == estimator._learnt()
