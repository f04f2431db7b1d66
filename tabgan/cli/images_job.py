"""The work of `tabgan images`: train on arrays, PNG folders or idx files, draw, and show what is drawn."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tabgan._files import write_whole, written_together
from tabgan.cli.models import load_model
from tabgan.cli.options import check_page
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images.gan import ImageGAN
from tabgan.images.grids import grid_of, write_png
from tabgan.images.reading import read_images

__all__ = ["DrawOptions", "TrainOptions", "draw_file", "draw_grid", "train_file"]

_GRID_COLUMNS = 10


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """What `tabgan images train` was asked for; see its ``--help``."""

    source: Path
    output: Path
    labels: Path | None
    targets: Path | None
    recipe: str
    steps: int | None
    settings: str | None
    value_range: tuple[float, float] | None
    seed: int
    device: str
    max_time: float | None
    sample_every: int | None
    sample_folder: Path | None
    resume: Path | None
    report: Path | None
    progress: bool


@dataclass(frozen=True, kw_only=True)
class DrawOptions:
    """What `tabgan images sample` or `tabgan images grid` was asked for; see their ``--help``."""

    model: Path
    output: Path
    n: int
    label: str | None
    truncation: float | None
    seed: int
    report: Path | None


def train_file(options: TrainOptions) -> str:
    """Train a recipe, or go on with a model, and write the model.

    Parameters
    ----------
    options : TrainOptions

    Returns
    -------
    str
        One line on what was done.

    Raises
    ------
    TabganError
        No model was written then.
    """
    check_page(options.report, {"--output": options.output}, options.source, options.labels, options.targets)
    images, labels, targets = _there(options.source), _there(options.labels), _there(options.targets)
    run: dict[str, Any] = {
        "device": options.device,
        "max_time": options.max_time,
        "verbose": int(options.progress),
        "sample_every": options.sample_every,
        "sample_folder": None if options.sample_folder is None else str(options.sample_folder),
    }
    if options.resume is not None:
        gan = load_model(options.resume, "image model").set_params(**run)
        gan.partial_fit(images, labels, targets, n_steps=options.steps)
    else:
        gan = ImageGAN(
            options.recipe,
            n_steps=options.steps,
            settings=_settings(options.settings),
            value_range=options.value_range,
            random_state=options.seed,
            **run,
        )
        gan.fit(images, labels, targets)
    page = None
    try:
        if options.report is not None:
            from tabgan.report.images_page import report_images

            page = report_images(gan, images, labels, targets, random_state=options.seed)
    finally:  # hours of training must not hang on a page that cannot be made
        with written_together():
            gan.save(options.output)
            if page is not None and options.report is not None:
                page.save(options.report)
    last = gan.history_[-1] if gan.history_ else {}
    losses = ", ".join(f"{name} {value:.3g}" for name, value in last.items() if name != "step")
    return f"{gan.recipe_.name}: {gan.n_iter_} steps ({losses}) -> {options.output}"


def draw_file(options: DrawOptions) -> str:
    """Draw images into a .npy file or a folder of PNGs.

    Parameters
    ----------
    options : DrawOptions

    Returns
    -------
    str
        One line on what was done.

    Raises
    ------
    TabganError
        Nothing was written then.
    """
    as_array = options.output.suffix == ".npy"
    if not as_array and not options.output.is_dir():
        raise InvalidInputError(f"--output {str(options.output)!r} is neither a .npy file nor an existing folder.")
    check_page(options.report, {"--output": options.output if as_array else None}, options.model)
    gan = load_model(options.model, "image model")
    drawn, page = _drawn(gan, _class_of(gan, options.label), options)
    with written_together():
        if as_array:
            np.save(buffer := io.BytesIO(), drawn)
            write_whole(options.output, buffer.getvalue())
        else:
            for index, image in enumerate(_as_tensor(gan, drawn)):
                write_png(options.output / f"{index:05d}.png", image)
        if page is not None:
            page.save(options.report)
    return f"{options.n} images -> {options.output}"


def draw_grid(options: DrawOptions, zoom: int) -> str:
    """Draw images into one picture; with classes, one class per column.

    Parameters
    ----------
    options : DrawOptions
    zoom : int
        Side of the square that each pixel becomes.

    Returns
    -------
    str
        One line on what was done.

    Raises
    ------
    TabganError
        Nothing was written then.
    """
    if zoom < 1:
        raise InvalidParameterError(f"--zoom {zoom} is not valid; it must be an integer of at least 1.")
    check_page(options.report, {"--output": options.output}, options.model)
    gan = load_model(options.model, "image model")
    wanted, n_columns = _class_of(gan, options.label), _GRID_COLUMNS
    if wanted is None and hasattr(gan, "classes_"):
        n_columns = len(gan.classes_)
        wanted = [gan.classes_[index % n_columns] for index in range(options.n)]
    drawn, page = _drawn(gan, wanted, options)
    with written_together():
        write_png(options.output, grid_of(_as_tensor(gan, drawn), n_columns, zoom=zoom))
        if page is not None:
            page.save(options.report)
    return f"{options.n} images -> {options.output}"


def _drawn(gan: ImageGAN, wanted: Any, options: DrawOptions) -> tuple[Any, Any]:
    """Images, and the report on them where one is wanted; made before anything is written."""
    drawn, classes = gan.sample(
        options.n, wanted, truncation=options.truncation, random_state=options.seed, return_y=True
    )
    if options.report is None:
        return drawn, None
    from tabgan.report.images_page import report_images

    return drawn, report_images(gan, made=drawn, y_made=classes, random_state=options.seed)


def _there(path: Path | None) -> str | None:
    """A path as the estimator takes it."""
    if path is not None and not path.exists():
        raise FileNotFoundError(f"no file or folder at {str(path)!r}")
    return None if path is None else str(path)


def _settings(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise InvalidParameterError(f"--settings {text!r} is no JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise InvalidParameterError(f'--settings {text!r} must be a JSON object, such as {{"width": 64}}.')
    return parsed


def _class_of(gan: Any, label: str | None) -> Any:
    """The class whose name is written like this."""
    if label is None:
        return None
    for known in getattr(gan, "classes_", []):
        if str(known) == label:
            return known
    raise InvalidParameterError(
        f"--label {label!r} is not one of the classes {list(map(str, getattr(gan, 'classes_', [])))}."
    )


def _as_tensor(gan: Any, drawn: Any) -> Any:
    form = gan._format
    return read_images(drawn, value_range=(form.low, form.high), image_shape=form.shape)[0]
