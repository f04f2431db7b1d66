"""The work of `tabgan images`: train on folders of pictures or arrays, draw, and show what is drawn."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabgan._files import written_together
from tabgan.cli.errors import note
from tabgan.cli.models import load_model
from tabgan.cli.options import check_page
from tabgan.cli.picture_files import as_tensor, check_folder, parsed_size, png_names, write_array, write_pictures
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images.decoding import SUFFIXES
from tabgan.images.gan import ImageGAN
from tabgan.images.grids import grid_of, write_png

__all__ = ["DrawOptions", "TrainOptions", "draw_file", "draw_grid", "parsed_settings", "there", "train_file"]

_GRID_COLUMNS = 10


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """What `tabgan images train` was asked for; see its ``--help``."""

    source: Path
    output: Path
    labels: Path | None
    no_labels: bool
    targets: Path | None
    recipe: str
    steps: int | None
    settings: str | None
    size: str | None
    alpha: str
    value_range: tuple[float, float] | None
    stream: bool | None
    seed: int
    device: str
    precision: str
    max_time: float | None
    sample_every: int | None
    sample_folder: Path | None
    tensorboard: Path | None
    log: Path | None
    checkpoint_every: int | None
    resume: bool
    start: Path | None
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
    if options.labels is not None and options.no_labels:
        raise InvalidParameterError("--labels and --no-labels say the opposite; give one of them.")
    images, targets = there(options.source), there(options.targets)
    labels = False if options.no_labels else there(options.labels)
    checkpoint = Path(f"{options.output}.checkpoint")
    gan, n_steps = _begun(options, checkpoint)
    if n_steps == 0:
        return f"{options.output} is there, with all its steps done: nothing is left to do"
    if n_steps is None:
        gan.fit(images, labels, targets)
    else:
        gan.partial_fit(images, labels, targets, n_steps=n_steps)
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
        checkpoint.unlink(missing_ok=True)
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
    as_array = options.output.suffix.lower() == ".npy"
    if not as_array:
        if options.output.suffix.lower() in {".npz", *SUFFIXES} and not options.output.is_dir():
            raise InvalidInputError(
                f"--output {str(options.output)!r} is neither a .npy file nor a folder; `tabgan images grid` writes one picture."
            )
        check_folder(options.output, "--output")
    check_page(options.report, {"--output": options.output if as_array else None}, options.model)
    gan = load_model(options.model, "image model")
    drawn, page = _drawn(gan, _class_of(gan, options.label), options)
    with written_together():
        if as_array:
            write_array(options.output, drawn)
        else:
            write_pictures(options.output, png_names(None, len(drawn)), [drawn], gan._format)
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
        write_png(options.output, grid_of(as_tensor(drawn, gan._format), n_columns, zoom=zoom))
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


def _begun(options: TrainOptions, checkpoint: Path) -> tuple[ImageGAN, int | None]:
    """The model to train, and how many further steps; None is a fit from the start, 0 that all is done."""
    keeps = options.checkpoint_every is not None
    run: dict[str, Any] = {
        "device": options.device,
        "precision": options.precision,
        "max_time": options.max_time,
        "verbose": int(options.progress),
        "sample_every": options.sample_every,
        "sample_folder": None if options.sample_folder is None else str(options.sample_folder),
        "tensorboard": None if options.tensorboard is None else str(options.tensorboard),
        "log": None if options.log is None else str(options.log),
        "checkpoint_every": options.checkpoint_every,
        "checkpoint": str(checkpoint) if keeps else None,
        "stream": "auto" if options.stream is None else options.stream,
    }
    given: dict[str, Any] = {
        "recipe": options.recipe,
        "n_steps": options.steps,
        "settings": parsed_settings(options.settings),
        "size": parsed_size(options.size),
        "alpha": options.alpha,
        "value_range": options.value_range,
        "random_state": options.seed,
    }
    if options.resume:
        for path in (checkpoint, options.output):
            if not path.exists():
                continue
            gan = load_model(path, "image model")
            if options.start is None:
                _check_same(path, gan.get_params(), given)
            if gan.n_steps_left_:
                note(f"going on from step {gan.n_iter_:,} in {path}")
            return gan.set_params(**run), gan.n_steps_left_
    if options.start is not None:
        gan = load_model(options.start, "image model").set_params(**run)
        return gan, options.steps or gan.settings_["n_steps"]
    return ImageGAN(**given, **run), None


def _check_same(path: Path, before: dict[str, Any], given: dict[str, Any]) -> None:
    """Refuse to go on with other options than the run began with."""
    for name, value in given.items():
        if before[name] != value:
            raise InvalidParameterError(
                f"--resume: {str(path)!r} was begun with {name}={before[name]!r}, not {value!r}; give the options it was begun with, "
                "or remove it."
            )


def there(path: Path | None) -> str | None:
    """A path as the estimator takes it.

    Raises
    ------
    FileNotFoundError
        There is none.
    """
    if path is not None and not path.exists():
        raise FileNotFoundError(f"no file or folder at {str(path)!r}")
    return None if path is None else str(path)


def parsed_settings(text: str | None, option: str = "--settings") -> dict[str, Any] | None:
    """``--settings``, or another option of the kind.

    Raises
    ------
    InvalidParameterError
        It is no JSON object.
    """
    if text is None:
        return None
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise InvalidParameterError(f"{option} {text!r} is no JSON: {error}") from error
    if not isinstance(parsed, dict):
        example = '{"turn": 5}' if option == "--warp" else '{"width": 64}'
        raise InvalidParameterError(f"{option} {text!r} must be a JSON object, such as {example}.")
    return parsed


def _class_of(gan: Any, label: str | None) -> Any:
    """The class whose name is written like this."""
    if label is None:
        return None
    if not hasattr(gan, "classes_"):
        raise InvalidParameterError(f"--label {label!r}: the model was trained without labels; leave it out.")
    for known in gan.classes_:
        if str(known) == label:
            return known
    raise InvalidParameterError(f"--label {label!r} is not one of the classes {list(map(str, gan.classes_))}.")
