"""Reports are whole, load nothing, run nothing that comes from data, and say what the tables say."""

import html
import re

import numpy as np
import pandas as pd
import pytest

from tabgan import (
    CGANSampler,
    GAINImputer,
    compare_imputers,
    report_comparison,
    report_images,
    report_imputation,
    report_resampling,
    report_rows,
)
from tabgan.exceptions import InvalidInputError
from tabgan.model_selection.ranking import Comparison
from tabgan.report import pictures
from tabgan.report.html import render
from tabgan.report.imputation_page import report_nothing_to_fill
from tabgan.report.page import Cell, Head, Notice, Page, Table
from tabgan.report.pictures import picture_of
from tabgan.report.resampling_page import report_nothing_to_make
from tests.report.pages import BREAKOUT, HOSTILE, Structure, check_page


@pytest.fixture(scope="module")
def hostile() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=80)
    table = pd.DataFrame(
        {
            HOSTILE: x,
            BREAKOUT: np.where(x > 0, HOSTILE, BREAKOUT).astype(object),
            "plain": 2 * x + rng.normal(size=80),
            "empty": np.nan,
        }
    )
    table.iloc[:20, 0] = np.nan
    table.iloc[10:30, 1] = None
    return table


@pytest.fixture(scope="module")
def imputer(hostile):
    return GAINImputer(n_steps=2, draw_steps=0, random_state=7).fit(hostile)


@pytest.fixture(scope="module")
def report(imputer, hostile):
    pytest.importorskip("matplotlib").use("Agg")
    return report_imputation(imputer, hostile, n_draws=2)


def test_hostile_names_and_cells_are_words_only(report):
    page = check_page(report.html)
    assert HOSTILE in page.words
    assert BREAKOUT in page.words
    assert "<script>alert" not in report.html
    assert "<img src=x" not in report.html
    assert "49" not in page.words


def test_draws_are_shown_from_all_sides(report, imputer, hostile):
    titles = [
        "Multiple imputations",
        "Are there enough draws?",
        "Given the probability of being missing",
        "Like with like",
    ]
    words = check_page(report.html).words
    assert [title for title in titles if title in words] == titles
    assert "Are there enough draws?" not in check_page(report_imputation(imputer, hostile, n_draws=1).html).words


def test_the_summary_tells_the_table_and_the_seed(report, hostile):
    words = check_page(report.html).words
    assert words[words.index("Rows") + 1] == "80"
    assert words[words.index("Missing cells") + 1].startswith("120 ")
    assert words[words.index("Seed") + 1] == "7"
    assert any("'empty': no value to learn from" in word for word in words)
    assert any("random_state" in word for word in words)


def test_plots_are_drawings_in_two_layouts(report):
    page = check_page(report.html)
    wide, narrow = ([float(svg["viewbox"].split()[2]) for svg in page.all("svg")][k::2] for k in range(2))
    assert len(wide) == len(narrow) == len(page.all("figure")) >= 3
    assert all(400 < width < 700 for width in wide)
    assert all(200 < width < 300 for width in narrow)
    assert not page.all("img")
    assert not [svg for svg in page.all("svg") if "width" in svg]
    assert "observed" in page.words  # letters are text


def test_a_picture_comes_out_the_same_whatever_style_the_notebook_draws_in():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    from tabgan.plotting import MissingnessDisplay

    def picture():
        return picture_of(lambda: MissingnessDisplay.from_predictions([[1.0, None], [None, 2.0]]), "t", "a", "c")

    plain = picture()
    with pyplot.style.context("dark_background"):
        assert picture() == plain
    assert "var(--ink, #000000)" in plain.wide
    assert "var(--plot-main, #0072b2)" in plain.wide
    assert "#" not in re.sub(r"var\([^)]*\)|url\(#[^)]*\)|href=\"#|&#\d+;", "", plain.wide.replace("data:image", ""))
    assert not re.search(r"\.\d{3}", re.sub(r"base64,[^\"]*|style=\"[^\"]*\"", "", plain.wide))
    assert not pyplot.get_fignums()


def test_points_without_number_are_stored_as_pixels():
    pytest.importorskip("matplotlib").use("Agg")
    from tabgan.plotting import DecisionDisplay

    def drawn(n):
        share = np.random.default_rng(0).random(n)
        both = np.column_stack([share, 1 - share])
        y = np.where(np.arange(n) % 2, "a", "b")
        return picture_of(
            lambda: DecisionDisplay.from_predictions(y, both, both, classes=["a", "b"]), "t", "a", "c"
        ).wide

    few, many = drawn(60), drawn(1200)
    assert "<image" not in few
    assert few.count("<use") > 60
    assert many.count("<image") >= 1
    assert len(many) < 200_000


def test_errors_in_the_table_are_those_of_the_imputer(report, imputer):
    page = Structure(report.html)
    scores = imputer.validation_scores_.loc["plain"]
    at = page.words.index("plain")
    row = [word for word in page.words[at : at + 20] if word]
    assert row[:4] == ["plain", "continuous", "0", "0.0%"]
    assert row[4:7] == [
        f"{scores['rmse']:.4g}",
        f"{scores['rmse_mean']:.4g}",
        f"{scores['rmse'] / scores['rmse_mean']:.2f}",
    ]


def test_saving_replaces_whole_files_only(report, tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    report.save(path)
    assert path.read_text(encoding="utf-8") == report.html
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(OSError, match="nowhere"):
        report.save(tmp_path / "nowhere" / "report.html")


def test_notebooks_get_the_report_in_a_frame(report):
    frame = Structure(report._repr_html_())
    ((tag, attributes),) = frame.found
    assert tag == "iframe"
    assert attributes["sandbox"] == "allow-scripts"
    assert attributes["srcdoc"] == report.html


def test_a_wide_table_stays_small_and_has_a_row_per_column():
    pytest.importorskip("matplotlib").use("Agg")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 128))
    X[:15, ::2] = np.nan
    X[15:25, 1::3] = np.nan
    imputer = GAINImputer(n_donor_trees=2, draw_steps=1, validation_fraction=0, random_state=0).fit(X)
    report = report_imputation(imputer, X, n_draws=2)
    page = check_page(report.html)
    first = Structure(report.html[report.html.index("<table") : report.html.index("</table>") + len("</table>")])
    assert len([head for head in first.all("th") if head["scope"] == "row"]) == 128
    assert any(word == "128 rows: scroll inside the table to see all." for word in page.words)
    assert len(page.all("figure")) == 8
    assert all(float(svg["viewbox"].split()[3]) < 2000 for svg in page.all("svg"))  # no wall of 128 panels
    assert len(report.html.encode()) < 2e6


def test_a_report_without_matplotlib_says_what_is_missing(imputer, hostile, monkeypatch):
    monkeypatch.setattr(pictures.importlib.util, "find_spec", lambda name: None)
    page = check_page(report_imputation(imputer, hostile).html)
    assert not page.all("figure")
    assert any("tabgan-learn[plot]" in word for word in page.words)


def test_the_check_adds_truth_against_prediction(imputer, hostile):
    pytest.importorskip("matplotlib").use("Agg")
    words = check_page(report_imputation(imputer, hostile, n_draws=0, check=True).html).words
    assert "Hidden cells: truth against prediction" in words
    assert "Do intervals keep their word?" in words


def test_the_published_objective_has_a_report_without_draws(hostile):
    pytest.importorskip("matplotlib").use("Agg")
    imputer = GAINImputer.paper(n_steps=2, random_state=0).fit(hostile)
    words = check_page(report_imputation(imputer, hostile, check=True).html).words
    assert "Multiple imputations" not in words
    assert any("No cell was held out" in word for word in words)


def test_resampling_report(hostile):
    pytest.importorskip("matplotlib").use("Agg")
    y = np.where(np.arange(80) % 4 == 0, HOSTILE, "common")
    page = check_page(report_resampling(CGANSampler(n_steps=0, random_state=0).fit(hostile, y)).html)
    assert page.words[page.words.index("Synthetic rows") + 1] == "40"
    assert HOSTILE in page.words
    assert len(page.all("figure")) == 2


def test_the_resampling_check_shows_what_a_classifier_makes_of_it(hostile):
    pytest.importorskip("matplotlib").use("Agg")
    y = np.where(np.arange(80) % 4 == 0, HOSTILE, "common")
    sampler = CGANSampler(n_steps=0, random_state=0).fit(hostile, y)
    page = check_page(report_resampling(sampler, check=True).html)
    assert len(page.all("figure")) == 3
    assert f"recall of {HOSTILE}" in page.words
    assert any(word.startswith("A logistic regression fitted twice; 20 real rows") for word in page.words)
    alone = np.where(np.arange(80) == 0, "alone", "common")
    sampler = CGANSampler(n_steps=0, random_state=0).fit(hostile, alone)
    words = check_page(report_resampling(sampler, check=True).html).words
    assert any("decisions were not compared: class 'alone' has 1 of 80 rows" in word for word in words)


def test_made_rows_are_told_beside_the_training_rows(hostile):
    pytest.importorskip("matplotlib").use("Agg")
    y = pd.Series(np.where(np.arange(80) % 4 == 0, HOSTILE, "common"), name=BREAKOUT)
    sampler = CGANSampler(n_steps=0, random_state=0).fit(hostile, y)
    sampler.resample()
    mask, said = sampler.synthetic_mask_.copy(), str(sampler.report_)
    X, classes = sampler.sample(30, y=HOSTILE, random_state=0)
    page = check_page(report_rows(sampler, X, classes, where={HOSTILE: BREAKOUT}, random_state=5).html)
    assert page.words[page.words.index("Synthetic rows") + 1] == "30"
    assert page.words[page.words.index("Training rows") + 1] == "80"
    at = page.words.index(HOSTILE, page.words.index("Class by class", page.words.index("Summary") + 1))
    assert [word for word in page.words[at : at + 12] if word][:3] == [HOSTILE, "20", "30"]
    assert len(page.all("figure")) == 1
    assert any(word.startswith(f"All rows were asked to have {HOSTILE}") for word in page.words)
    assert (sampler.synthetic_mask_ == mask).all()
    assert str(sampler.report_) == said
    with pytest.raises(InvalidInputError, match="columns"):
        report_rows(sampler, X.iloc[:, 1:], classes)
    with pytest.raises(InvalidInputError, match="CGANSampler"):
        report_rows(CGANSampler(), X, classes)


def test_rows_that_equal_real_ones_are_called_copies(hostile):
    pytest.importorskip("matplotlib").use("Agg")
    y = np.where(np.arange(80) % 4 == 0, "rare", "common")
    sampler = CGANSampler(n_steps=0, random_state=0).fit(hostile, y)
    words = check_page(report_rows(sampler, hostile[y == "rare"], y[y == "rare"]).html).words
    assert any(word.startswith("Class 'rare': 100% of the synthetic rows equal a real row") for word in words)


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).random((40, 8, 8), dtype=np.float32)


def test_the_image_report_tells_the_model_and_compares_with_training_images(pixels):
    pytest.importorskip("matplotlib").use("Agg")
    from tabgan.images import ImageGAN

    names = [HOSTILE, BREAKOUT] * 20
    gan = ImageGAN("cgan", n_steps=60, random_state=9).fit(pixels, names)
    page = check_page(report_images(gan, pixels, names).html)
    assert page.words[page.words.index("Recipe") + 1] == "cgan"
    assert page.words[page.words.index("Steps") + 1] == "60"
    assert page.words[page.words.index("Seed") + 1] == "9"
    assert len(page.all("figure")) == 4
    assert f"class {HOSTILE}" in page.words
    assert any("No figure here says" in word for word in page.words)
    made, y = gan.sample(30, random_state=0, return_y=True)
    page = check_page(report_images(gan, made=made, y_made=y).html)
    assert page.words[page.words.index("Drawn") + 1] == "30"
    with pytest.raises(InvalidInputError, match="CGANSampler"):
        report_images(CGANSampler())


def test_the_image_report_says_when_images_are_copies_or_all_alike(pixels, monkeypatch):
    from tabgan.images import ImageGAN

    monkeypatch.setattr(pictures.importlib.util, "find_spec", lambda name: None)
    gan = ImageGAN("minimax", n_steps=1, random_state=0).fit(pixels)
    told = {
        "near-copies": lambda n, random_state: pixels[np.arange(n) % 40],
        "collapse": lambda n, random_state: np.repeat(pixels[:1] * 0.5, n, axis=0),
    }
    for said, sample in told.items():
        monkeypatch.setattr(gan, "sample", sample)
        words = check_page(report_images(gan, pixels).html).words
        mine = [word for word in words if word.startswith("Drawn images")]
        assert [text for text in told if any(text in word for word in mine)] == [said]


def test_a_model_that_translates_shows_translations(pixels):
    pytest.importorskip("matplotlib").use("Agg")
    from tabgan.images import ImageGAN

    gan = ImageGAN("supervised-l1", n_steps=1, random_state=0).fit(pixels, targets=1 - pixels)
    words = check_page(report_images(gan, pixels, targets=1 - pixels).html).words
    assert "Translations" in words
    assert "Drawn images" not in words


def test_estimators_report_on_themselves(imputer, hostile, pixels, monkeypatch):
    from tabgan.images import ImageGAN

    monkeypatch.setattr(pictures.importlib.util, "find_spec", lambda name: None)

    def undated(report):
        return re.sub(r"<footer>.*?</footer>|<title>.*?</title>|<p class=.made.>.*?</p>", "", report.html)

    assert undated(imputer.to_html(hostile)) == undated(report_imputation(imputer, hostile))
    sampler = CGANSampler(n_steps=0, random_state=0).fit(hostile, np.arange(80) % 4 == 0)
    assert undated(sampler.to_html(check=True)) == undated(report_resampling(sampler, check=True))
    gan = ImageGAN("minimax", n_steps=1, random_state=0).fit(pixels)
    assert undated(gan.to_html(pixels)) == undated(report_images(gan, pixels))
    assert not [model for model in (imputer, sampler, gan) if hasattr(model, "report")]  # report_ is another thing


@pytest.fixture(scope="module")
def comparison(hostile):
    class Failing:
        def fit_transform(self, X):
            raise RuntimeError(BREAKOUT)

        def get_params(self, deep=True):
            return {}

    return compare_imputers(hostile, methods=["mean/mode", "kNN"], imputers={HOSTILE: Failing()}, n_repeats=2)


def test_the_comparison_report_tells_what_the_comparison_found(comparison):
    pytest.importorskip("matplotlib").use("Agg")
    page = check_page(report_comparison(comparison).html)
    assert " ".join(page.words[page.words.index("Comparison of imputers", 1) :]).find(comparison.verdict()[:40]) >= 0
    assert page.words[page.words.index("Repeats") + 1] == "2"
    best = comparison.summary.iloc[0]
    row = [word for word in page.words[page.words.index(best["method"]) :] if word]
    assert row[:3] == [best["method"], "1", f"{best['relative_error']:.3f}"]
    assert any(word.startswith(f"{HOSTILE} failed") for word in page.words)
    assert any("'empty'" in word for word in page.words)
    assert (len(page.all("figure")), len(page.all("table"))) == (1, 2)
    summary = comparison.summary.assign(i_score=[0.4321, np.nan, np.nan])
    scored = check_page(report_comparison(Comparison(summary, comparison.per_column, comparison.settings)).html)
    assert {"Energy-I-Score", "0.4321"} <= {*scored.words} - {*page.words}


def test_the_comparison_report_does_without_matplotlib(comparison, monkeypatch):
    monkeypatch.setattr(pictures.importlib.util, "find_spec", lambda name: None)
    page = check_page(report_comparison(comparison).html)
    assert not page.all("figure")
    assert any("tabgan-learn[plot]" in word for word in page.words)
    with pytest.raises(InvalidInputError, match="DataFrame"):
        report_comparison(comparison.summary)


def test_reports_where_there_was_nothing_to_do(hostile):
    check_page(report_nothing_to_fill(5, 3).html)
    check_page(report_nothing_to_make(pd.Series({HOSTILE: 4, "b": 4})).html)
    y = np.arange(80) % 2
    words = check_page(report_resampling(CGANSampler(n_steps=0, random_state=0).fit(hostile, y)).html).words
    assert any("No row was made" in word for word in words)


def test_other_estimators_are_refused(hostile):
    from sklearn.impute import SimpleImputer

    with pytest.raises(InvalidInputError, match="SimpleImputer"):
        report_imputation(SimpleImputer().fit(hostile[["plain"]]), hostile[["plain"]])
    with pytest.raises(InvalidInputError, match="CGANSampler"):
        report_resampling(CGANSampler())


def test_every_field_of_a_page_is_escaped():
    page = Page(HOSTILE, HOSTILE, [(HOSTILE, BREAKOUT)], [Notice(HOSTILE, BREAKOUT)], no_pictures=HOSTILE)
    page.tables = [Table(HOSTILE, [Head(HOSTILE, hint=BREAKOUT)], [[Cell(HOSTILE, BREAKOUT, BREAKOUT)] * 2], BREAKOUT)]
    page.details = [(BREAKOUT, [(HOSTILE, "\ud800 lone")])]
    text = render(page).html
    check_page(text)
    assert html.escape(HOSTILE, quote=False).replace("'", "&#39;") in text
