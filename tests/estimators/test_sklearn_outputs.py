"""What scikit-learn shows and hands on of our estimators: containers by `set_output`, parameters with links to our pages."""

import inspect
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

import tabgan
from tabgan.estimators import doc_links
from tabgan.images import ImageGAN
from tabgan.model_selection.baselines import MeanModeImputer, TreeChain, knn, mice
from tests.conftest import make_mixed

ROOT = Path(__file__).resolve().parents[2]
IMPUTERS = [
    tabgan.GAINImputer(n_steps=2, n_trees=2, n_boosts=2, n_donor_trees=1, random_state=0),
    MeanModeImputer(),
    TreeChain(n_trees=2, n_jobs=1),
    knn(),
    mice(max_iter=2),
]
ESTIMATORS = [
    tabgan.GAINImputer(),
    tabgan.BAGANOversampler(),
    tabgan.CGANSampler(),
    tabgan.PriorCorrectedClassifier(LogisticRegression()),
    tabgan.BalancedSamplingClassifier(),
    ImageGAN(),
    MeanModeImputer(),
]


def named(estimator):
    return type(estimator).__name__


def test_every_transformer_of_ours_is_here():
    modules = [
        import_module(".".join(p.relative_to(ROOT).with_suffix("").parts))
        for p in (ROOT / "tabgan").rglob("*.py")
        if p.name not in ("__main__.py", "__init__.py")
    ]
    found = {
        thing
        for module in modules
        for name, thing in vars(module).items()
        if inspect.isclass(thing)
        and thing.__module__ == module.__name__
        and hasattr(thing, "transform")
        and hasattr(thing, "fit")
    }
    tables = {kind for kind in found if kind.__name__ not in ("MixedImputer", "ImageGAN")}  # a base class; of images
    assert tables == {type(one) for one in IMPUTERS}


@pytest.mark.parametrize("imputer", IMPUTERS, ids=named)
def test_set_output_gives_pandas_and_polars(imputer):
    table = make_mixed(40)[["number", "price", "colour"]]
    filled = imputer.set_output(transform="pandas").fit(table).transform(table)
    assert isinstance(filled, pd.DataFrame)
    assert list(filled.columns) == list(table.columns) == list(imputer.get_feature_names_out())
    assert filled.notna().all(axis=None)
    by_polars = imputer.set_output(transform="polars").transform(table)
    assert isinstance(by_polars, pl.DataFrame)
    np.testing.assert_allclose(by_polars["price"].to_numpy(), filled["price"].to_numpy(dtype=float))
    assert isinstance(imputer.set_output(transform="polars").fit_transform(table), pl.DataFrame)
    imputer.set_output(transform="default")
    assert isinstance(imputer.transform(table), pd.DataFrame)


@pytest.fixture
def published(monkeypatch):
    monkeypatch.setattr(doc_links, "documentation_url", lambda: "https://docs.example.org/tabgan")


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=named)
def test_links_lead_to_the_page_of_the_class(estimator):
    link = estimator._get_doc_link()
    page = link.removeprefix("https://docs.example.org/tabgan/api/generated/").removesuffix(".html")
    room, _, name = page.rpartition(".")
    assert getattr(import_module(room), name) is type(estimator)
    listed = "\n".join(path.read_text() for path in (ROOT / "docs" / "api").glob("*.rst"))
    assert f"   {page}\n" in listed  # which makes that page


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=named)
def test_every_parameter_is_shown_with_what_it_does(estimator):
    text = pytest.importorskip("sklearn.utils._repr_html.common", reason="scikit-learn shows it from 1.8 on")
    for name in estimator.get_params(deep=False):
        said = text.get_docstring(type(estimator), "Parameters", name)
        assert said, f"{name} is not documented"
        assert len(said.split("<br><br>")[1]) > 10, name
    shown = estimator._repr_html_()
    assert "docs.example.org/tabgan" in shown


def test_no_link_is_made_up_where_the_documentation_stands_nowhere(monkeypatch):
    monkeypatch.setattr(doc_links, "documentation_url", lambda: "")
    assert tabgan.GAINImputer()._get_doc_link() == ""
    assert 'href="http' not in tabgan.GAINImputer()._repr_html_()


def test_the_address_is_the_one_that_the_distribution_names(monkeypatch):
    class Described:
        def get_all(self, name):
            assert name == "Project-URL"
            return ["Source, https://code.example.org", "Documentation, https://docs.example.org/"]

    monkeypatch.setattr(doc_links, "metadata", lambda name: Described())
    assert doc_links.documentation_url.__wrapped__() == "https://docs.example.org"
