"""`report_images`: what an image GAN draws, how it was trained, and whether it copies or collapses."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from tabgan.exceptions import InvalidInputError
from tabgan.images.reading import open_images, read_images
from tabgan.images.training_data import labels_of
from tabgan.metrics.rows import nearest_distances
from tabgan.plotting.views import check_draws
from tabgan.report.html import HTMLReport, render
from tabgan.report.page import Head, Notice, Page, Table, number_cell, settings_of, text_cell, versions
from tabgan.report.pictures import NO_MATPLOTLIB, can_draw, has_curves, picture_of
from tabgan.wording import figures

__all__ = ["report_images"]

_MOST_REAL, _MOST_MADE = 2000, 256
_MOST_SHOWN, _PER_ROW = 100, 10
_FEW = 3
_COPIES = _COLLAPSE = 0.5


def report_images(
    gan: Any,
    images: Any = None,
    y: Any = None,
    targets: Any = None,
    *,
    made: Any = None,
    y_made: Any = None,
    random_state: int = 0,
) -> HTMLReport:
    """Write a one-file HTML report on what an image GAN draws or translates.

    Parameters
    ----------
    gan : ImageGAN
        Fitted.
    images : ndarray, Tensor or path, default=None
        What the model was trained on, or other images of the kind. With them the report says whether drawn images copy or are all
        alike; models that translate show what they make of the first eight. None leaves that out.
    y : array of shape (n,) or (n, d), default=None
        Their classes or condition vectors, as in ``fit``.
    targets : ndarray, Tensor or path, default=None
        What ``images`` should become, for models that translate.
    made : ndarray or Tensor, default=None
        Images that the model drew, to show these; None draws some.
    y_made : array of shape (n_synthetic,), default=None
        Their classes.
    random_state : int, default=0
        Of the images drawn here.

    Returns
    -------
    HTMLReport
        With ``save(path)``, ``to_html``, ``to_markdown`` and ``to_dict``; notebooks show it.

    Raises
    ------
    InvalidInputError
        It is no `tabgan.images.ImageGAN`.
    sklearn.exceptions.NotFittedError
        Before `fit`.

    Examples
    --------
    >>> from tabgan import report_images
    >>> from tabgan.images import ImageGAN
    >>> pixels = np.random.default_rng(0).random((40, 8, 8))
    >>> report_images(ImageGAN("non-saturating", n_steps=2, random_state=0).fit(pixels)).title
    'Image report'
    """
    check_draws(random_state)
    if not hasattr(gan, "latent_walk"):
        raise InvalidInputError(f"report_images takes a fitted ImageGAN, not {type(gan).__name__}.")
    check_is_fitted(gan, "players_")
    translates = gan.recipe_.needs in ("pairs", "domains")
    lines = {} if translates or images is None else _closeness(gan, images, y, random_state)
    page = Page("Image report", _lead(gan, translates))
    page.headline = _headline(lines)
    page.facts = _facts(gan, made)
    page.notices = _notices(gan, translates, lines)
    page.tables = ([_closeness_table(lines)] if lines else []) + [_loss_table(gan)] * bool(gan.history_)
    page.tables += [] if y_made is None or np.ndim(y_made) != 1 else [_drawn_table(y_made)]
    known = sorted(gan.settings_.items())
    page.details = [
        ("Settings", settings_of(gan)),
        (f"Settings of the recipe {gan.recipe_.name}", [(name, repr(value)) for name, value in known]),
        ("Training", _training(gan)),
        ("Versions", versions()),
    ]
    if can_draw():
        page.pictures = _pictures(gan, images, targets, made, translates, random_state)
    else:
        page.no_pictures = NO_MATPLOTLIB
    return render(page)


def _lead(gan: Any, translates: bool) -> str:
    doing = "translates" if translates else "draws"
    return f"A model of the recipe {gan.recipe_.name} that {doing} images of {_size(gan)}, after {gan.n_iter_:,} steps."


def _headline(lines: dict[str, dict[str, float]]) -> str:
    """Whether drawn images copy or are all alike, in one sentence."""
    if not lines or np.isnan([lines["all"]["nearest"], lines["all"]["spread"]]).any():
        return ""
    nearest, spread = lines["all"]["nearest"], lines["all"]["spread"]
    if nearest < _COPIES:
        return f"Drawn images are near-copies: they lie {nearest:.0%} as far from the nearest training image as these from each other."
    if spread < _COLLAPSE:
        return f"Drawn images are much alike: they lie {spread:.0%} as far from each other as training images do."
    return (
        f"Drawn images neither copy nor collapse: they lie {nearest:.0%} as far from the nearest training image as these from each "
        f"other, and {spread:.0%} as far apart."
    )


def _size(gan: Any) -> str:
    channels, height, width = gan._format.shape
    return f"{height} x {width} pixels" + (" in colour" if channels == 3 else "")


def _facts(gan: Any, made: Any) -> list[tuple[str, str]]:
    facts = [("Recipe", gan.recipe_.name), ("Images", _size(gan)), ("Steps", f"{gan.n_iter_:,}")]
    if hasattr(gan, "classes_"):
        facts.append(("Classes", f"{len(gan.classes_):,}"))
    if made is not None:
        facts.append(("Drawn", f"{len(made):,}"))
    weights = sum(weight.numel() for player in gan.players_.values() for weight in player.parameters())
    return [*facts, ("Weights", f"{weights:,}"), ("Seed", repr(gan.random_state))]


def _training(gan: Any) -> list[tuple[str, str]]:
    return [
        ("source of the recipe", str(gan.recipe_.source)),
        ("steps", str(gan.n_iter_)),
        ("stopped because", str(gan.stop_reason_ or "all steps were done")),
        ("networks", ", ".join(gan.players_)),
    ]


def _closeness(gan: Any, images: Any, y: Any, random_state: int) -> dict[str, dict[str, float]]:
    """How near drawn images lie to real ones and how far apart, over all images and by class."""
    opened = open_images(images, gan._read_options(), like=gan._format)
    n, y = len(opened.pixels), labels_of(opened, y)
    chosen = np.random.default_rng(random_state).permutation(n)[:_MOST_REAL]
    real = opened.pixels[torch.from_numpy(chosen)].flatten(1).numpy()
    classes = None
    if hasattr(gan, "classes_") and y is not None:
        classes = gan.classes_[gan._conditions.groups(y, n).numpy()[chosen]]
    if classes is None:
        drawn = gan.sample(_MOST_MADE, random_state=random_state)
    else:
        drawn = gan.sample(y=classes[:_MOST_MADE], random_state=random_state)
    form = gan._format
    made = read_images(drawn, value_range=(form.low, form.high), image_shape=form.shape)[0].flatten(1).numpy()
    lines = {"all": _measures(real, made)}
    if classes is not None:
        for label in gan.classes_.tolist():
            mine = _measures(real[classes == label], made[classes[:_MOST_MADE] == label])
            lines[f"class {label}"] = mine
    return lines


def _measures(real: np.ndarray, made: np.ndarray) -> dict[str, float]:
    found = {
        "n_real": float(len(real)),
        "n_synthetic": float(len(made)),
        "nearest": float("nan"),
        "spread": float("nan"),
    }
    if len(real) >= _FEW and len(made) >= _FEW:
        between, apart = float(np.median(nearest_distances(real))), _mean_distance(real)
        found["nearest"] = float(np.median(nearest_distances(made, real))) / between if between else float("nan")
        found["spread"] = _mean_distance(made) / apart if apart else float("nan")
    return found


def _mean_distance(rows: np.ndarray) -> float:
    half = len(rows) // 2
    return float(np.sqrt(((rows[:half] - rows[half : 2 * half]) ** 2).sum(1)).mean())


def _closeness_table(lines: dict[str, dict[str, float]]) -> Table:
    heads = [
        Head("Images"),
        Head("Real", True, "training images looked at"),
        Head("Drawn", True, "images drawn for this report"),
        Head("Nearest real", True, "median distance to the nearest real image over that between real images"),
        Head("Spread", True, "mean distance among drawn images over that among real ones"),
    ]
    rows = [
        [
            text_cell(name, ""),
            number_cell(line["n_real"]),
            number_cell(line["n_synthetic"]),
            number_cell(line["nearest"], ".2f", "bad" if line["nearest"] < _COPIES else ""),
            number_cell(line["spread"], ".2f", "bad" if line["spread"] < _COLLAPSE else ""),
        ]
        for name, line in lines.items()
    ]
    return Table(
        "Drawn against training images", heads, rows, "Distances between pixels; near 1 is as real images have it."
    )


def _loss_table(gan: Any) -> Table:
    heads = [
        Head("Recorded"),
        Head("At first", True),
        Head("At the end", True),
        Head("Lowest", True),
        Head("Highest", True),
    ]
    by_name: dict[str, list[float]] = {}
    for row in gan.history_:
        for name, value in row.items():
            if name not in ("step", "stage") and isinstance(value, (int, float)):
                by_name.setdefault(f"{row['stage']}: {name}" if row.get("stage") else name, []).append(float(value))
    rows = []
    for name, values in by_name.items():
        cells = [values[0], values[-1], min(values), max(values)]
        rows.append([text_cell(name, ""), *(_figure(value) for value in cells)])
    return Table("Losses", heads, rows, "An adversary's loss says who is ahead, not how good the images are.")


def _figure(value: float) -> Any:
    cell = number_cell(value, ".3g")
    return cell if cell.text == "-" else type(cell)(figures(value), cell.sort)


def _drawn_table(y_made: Any) -> Table:
    labels, counts = np.unique(np.asarray(y_made), return_counts=True)
    rows = [
        [text_cell(label, ""), number_cell(float(count))] for label, count in zip(labels.tolist(), counts, strict=True)
    ]
    return Table("Drawn by class", [Head("Class"), Head("Drawn", True)], rows)


def _notices(gan: Any, translates: bool, lines: dict[str, dict[str, float]]) -> list[Notice]:
    notices = [Notice(f"In training: {text}", "See the curves below.") for text in gan.warnings_]
    if gan.stop_reason_:
        notices.append(
            Notice(
                f"Training ended early: {gan.stop_reason_}.",
                "partial_fit (--resume on the command line) goes on from there.",
            )
        )
    for name, line in lines.items():
        of = "" if name == "all" else f" of {name}"
        if line["nearest"] < _COPIES:
            notices.append(
                Notice(
                    f"Drawn images{of} lie much nearer to training images than these to each other: near-copies.",
                    "Train shorter, give more images, or make the network smaller (settings: width).",
                )
            )
        if line["spread"] < _COLLAPSE:
            notices.append(
                Notice(
                    f"Drawn images{of} are much alike (spread {line['spread']:.2f} of the real ones'): collapse.",
                    "Train longer, or use a recipe with a gradient penalty, such as wgan-gp.",
                )
            )
    if translates:
        advice = "Translate images that were not in training, and compare them with what they should be."
    else:
        advice = "tabgan.metrics.frechet_distance and classifier_two_sample_auc compare with real images that were not in training."
    return [*notices, Notice("No figure here says how good the images look.", advice)]


def _pictures(gan: Any, images: Any, targets: Any, made: Any, translates: bool, random_state: int) -> list[Any]:
    from tabgan.plotting import ImageGridDisplay, TrainingDisplay

    photo_of = partial(picture_of, is_photo=True)
    pictures = []
    if translates and images is not None:
        pictures.append(
            photo_of(
                lambda: ImageGridDisplay.from_translation(gan, images, targets),
                "Translations",
                "Rows of images: given ones, below them what the model makes of them, and what was wanted where that is known.",
                "The model was trained on images like these; on others it may do worse.",
            )
        )
    if not translates and made is not None:
        pictures.append(
            photo_of(
                lambda: ImageGridDisplay.from_drawn(gan, made[:_MOST_SHOWN], n_columns=_PER_ROW),
                "Drawn images",
                "A grid of the images that were drawn.",
                f"The first {min(len(made), _MOST_SHOWN)} of {len(made):,}, in order.",
            )
        )
    if not translates and made is None:
        pictures.append(
            photo_of(
                lambda: ImageGridDisplay.from_estimator(gan, random_state=random_state),
                "Drawn images",
                "A grid of images drawn from the model, a row per class where there are classes.",
                "Not chosen by hand: the first ones that came. Look for what repeats and for what is missing.",
            )
        )
    if not translates and images is not None:
        pictures.append(
            photo_of(
                lambda: ImageGridDisplay.from_predictions(_some(gan, images, random_state), n_columns=_PER_ROW),
                "Real images",
                "A grid of training images.",
                "Chosen at random, to compare with.",
            )
        )
    if not translates:
        pictures.append(
            photo_of(
                lambda: ImageGridDisplay.from_walk(gan, random_state=random_state),
                "Walks through the latent space",
                "Rows of images that change from one random latent code to another.",
                "Smooth changes speak against learning by heart, jumps for it.",
            )
        )
    if has_curves(gan.history_):
        pictures.append(
            picture_of(
                lambda: TrainingDisplay.from_estimator(gan),
                "Training",
                "Losses by training step.",
                "Curves that settle say that the players are in balance; one that runs to 0 says that its player has won.",
            )
        )
    return pictures


def _some(gan: Any, images: Any, random_state: int) -> Any:
    pixels = open_images(images, gan._read_options(), like=gan._format).pixels
    rows = np.random.default_rng(random_state).permutation(len(pixels))[: 4 * _PER_ROW]
    return (pixels[torch.from_numpy(rows)] + 1) / 2
