"""The work of `tabgan images translate`, `balance` and `export`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tabgan._runtime import make_generator
from tabgan.cli.balance_job import parsed_strategy
from tabgan.cli.errors import note
from tabgan.cli.images_job import parsed_settings, there
from tabgan.cli.models import load_model
from tabgan.cli.options import check_destinations
from tabgan.cli.picture_files import (
    check_folder,
    new_folder,
    parsed_size,
    png_names,
    write_array,
    write_pictures,
    write_plainly,
)
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images.exporting import export_generator
from tabgan.images.folders import list_folder
from tabgan.images.gan import ImageGAN
from tabgan.images.image_format import ImageFormat
from tabgan.images.oversampler import check_recipe, n_to_make, small_classes
from tabgan.images.reading import OpenedImages, ReadOptions, open_images
from tabgan.images.warping import Warp, WarpedImages, warped

__all__ = ["BalanceImagesOptions", "balance_folder", "export_model", "translate_images"]

_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class BalanceImagesOptions:
    """What `tabgan images balance` was asked for; see its ``--help``."""

    source: Path
    output: Path
    strategy: str
    only_new: bool
    recipe: str | None
    warp: str | None
    size: str | None
    alpha: str
    value_range: tuple[float, float] | None
    steps: int | None
    settings: str | None
    seed: int
    device: str
    max_time: float | None
    model: Path | None
    progress: bool


def translate_images(model: Path, source: Path, output: Path, *, reverse: bool, seed: int | None) -> str:
    """Translate images into a folder, a picture or an array.

    Parameters
    ----------
    model, source, output : Path
    reverse : bool
        From the targets back.
    seed : int or None
        Of pix2pix's dropout; None leaves it out.

    Returns
    -------
    str
        One line on what was done.

    Raises
    ------
    TabganError
        Nothing was written then.
    """
    as_array, as_picture = output.suffix.lower() == ".npy", output.suffix.lower() == ".png"
    if as_array or as_picture:
        check_destinations({"--output": output}, model, source)
    else:
        check_folder(output, "--output", source)
    gan = load_model(model, "image model")
    opened = gan._opened(there(source), reverse=reverse)
    form, n = (gan._source_format if reverse else gan._format), len(opened.pixels)
    pieces = gan._translated(opened, None if seed is None else make_generator(seed), reverse=reverse)
    if as_picture and n != 1:
        raise InvalidInputError(
            f"--output {str(output)!r} is one picture, but {str(source)!r} holds {n:,}; give a folder."
        )
    if as_array:
        write_array(output, np.concatenate([np.asarray(piece) for piece in pieces]))
    elif as_picture:
        write_pictures(output.parent, [output.name], pieces, form)
    else:
        names = png_names(opened.names, n)
        if n == 1 and (output / names[0]).resolve() == source.resolve():
            raise InvalidParameterError(f"--output {str(output)!r} holds the input itself; give another folder.")
        write_pictures(output, names, pieces, form)
    return f"{n:,} images -> {output}"


def balance_folder(options: BalanceImagesOptions) -> str:
    """Write a folder of classes with generated pictures of the rare ones.

    Parameters
    ----------
    options : BalanceImagesOptions

    Returns
    -------
    str
        One line on what was done.

    Raises
    ------
    TabganError
        Nothing was written then, but for a model that was trained.
    """
    output, size, strategy = options.output, parsed_size(options.size), parsed_strategy(options.strategy)
    check_folder(output, "--output", options.source)
    if output.is_dir() and any(output.iterdir()):
        raise InvalidInputError(f"--output {str(output)!r} is a folder that holds files; give a new one.")
    if not options.source.is_dir():
        raise InvalidInputError(
            f"{str(options.source)!r} is no folder; give one with a subfolder of pictures per class."
        )
    check_destinations({"--model": options.model}, reused="--model" if _is_reused(options) else None)
    listing = list_folder(options.source)
    if listing.labels is None:
        raise InvalidInputError(
            f"{str(options.source)!r} has no subfolders, which name the classes; sort its pictures into some."
        )
    if options.recipe is not None:
        check_recipe(options.recipe)
    if isinstance(strategy, Mapping):
        strategy = {str(label): n for label, n in strategy.items()}
    n_to_make(strategy, np.asarray(listing.labels))  # what makes no sense is told before thousands of pictures are read
    opened, gan = _opened(options, size)
    assert opened.labels is not None
    assert opened.names is not None
    missing = n_to_make(strategy, opened.labels)
    drawn, form = _drawing(options, size, opened, gan, missing)
    with new_folder(output) as whole:
        if not options.only_new:
            for name in opened.names:  # what cannot be read is in no class, neither counted nor copied
                Path(whole, name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(options.source / name, whole / name)
        names = [f"{label}/synthetic-{row:05d}.png" for label, n in missing.items() for row in range(n)]
        write_plainly(whole, names, (piece for label, n in missing.items() for piece in drawn(label, n)), form)
    made = ", ".join(f"{n:,} of {label}" for label, n in missing.items()) or "none, for no class lacks any"
    return f"added images: {made} -> {output}"


def export_model(model: Path, output: Path, *, reverse: bool) -> str:
    """Write a model's generator to a file of its own.

    Parameters
    ----------
    model, output : Path
    reverse : bool
        The way back.

    Returns
    -------
    str
        One line on what goes in.
    """
    check_destinations({"--output": output}, model)
    if output.suffix.lower() not in (".pt2", ".onnx"):
        raise InvalidParameterError(f"--output {str(output)!r} must end in .pt2 or .onnx.")
    shapes = export_generator(load_model(model, "image model"), output, reverse=reverse)
    takes = ", ".join(f"{name} (n{''.join(f', {side}' for side in shape)})" for name, shape in shapes.items())
    return f"{takes} in, images in -1 to 1 out -> {output}"


def _is_reused(options: BalanceImagesOptions) -> bool:
    return options.model is not None and options.model.exists()


def _opened(options: BalanceImagesOptions, size: Any) -> tuple[OpenedImages, ImageGAN | None]:
    """The pictures that can be read, and the model of ``--model`` where the file is there."""
    value_range, gan = options.value_range, None
    if _is_reused(options):
        assert options.model is not None
        gan = load_model(options.model, "image model")
        form = gan._format
        size, value_range = (form.height, form.width), (form.low, form.high)
    elif options.recipe is None:
        _check_untrained(options)
    trains = options.recipe is not None or gan is not None
    reading = ReadOptions(value_range, size=size, alpha=options.alpha, stream=True if trains else "auto")
    return open_images(str(options.source), reading), gan


def _drawing(
    options: BalanceImagesOptions, size: Any, opened: OpenedImages, gan: ImageGAN | None, missing: Mapping[str, int]
) -> tuple[Callable[[str, int], Iterator[Any]], ImageFormat]:
    """``drawn(label, n)``, which gives some images of a class at a time, and their format."""
    trains = options.recipe is not None or gan is not None
    given = parsed_settings(options.warp, "--warp")
    warp = Warp.parsed(not trains if given is None else given)
    source: ImageGAN | WarpedImages
    if trains:
        source = _trained(options, size, opened, missing) if gan is None else _knowing(gan, options, missing)
        form = source._format
    else:
        source = WarpedImages(opened, opened.labels, warp, make_generator(options.seed))
        form = source.form

    def drawn(label: str, n: int) -> Iterator[Any]:
        known = next(one for one in source.classes_ if str(one) == label)
        for start in range(0, n, _AT_ONCE):
            seed = (options.seed + start // _AT_ONCE) % 2**32
            images = source.sample(y=[known] * min(_AT_ONCE, n - start), random_state=seed)
            if warp is not None and isinstance(source, ImageGAN):
                images = warped(images, form, warp, make_generator(seed))
            yield images

    return drawn, form


def _knowing(gan: ImageGAN, options: BalanceImagesOptions, missing: Mapping[str, int]) -> ImageGAN:
    """A model that was loaded, if it knows the classes to enlarge."""
    unknown = sorted(set(missing) - {str(label) for label in getattr(gan, "classes_", [])})
    if unknown:
        raise InvalidInputError(
            f"{str(options.model)!r} does not know the classes {', '.join(unknown)}; train another model."
        )
    return gan


def _trained(options: BalanceImagesOptions, size: Any, opened: OpenedImages, missing: Mapping[str, int]) -> ImageGAN:
    """A model that is trained, and saved if asked for."""
    assert options.recipe is not None
    if options.progress and (advice := small_classes(np.asarray(opened.labels), missing)) is not None:
        note(f"warning: {advice}")  # before training, which may take long
    gan = ImageGAN(
        options.recipe,
        n_steps=options.steps,
        settings=parsed_settings(options.settings),
        size=size,
        alpha=options.alpha,
        value_range=options.value_range,
        random_state=options.seed,
        device=options.device,
        max_time=options.max_time,
        verbose=int(options.progress),
    ).fit(str(options.source))
    if options.model is not None:
        gan.save(options.model)
    return gan


def _check_untrained(options: BalanceImagesOptions) -> None:
    of_training = {
        "--steps": options.steps,
        "--settings": options.settings,
        "--max-time": options.max_time,
        "--model": options.model,
    }
    for name, value in of_training.items():
        if value is not None:
            raise InvalidParameterError(
                f"{name} {str(value)!r} is about training, but nothing is trained without --recipe; give --recipe bagan for a GAN, or "
                f"leave {name} out."
            )
