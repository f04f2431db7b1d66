"""``tabgan images``: train an image GAN on arrays, PNG folders or idx files, draw from it, and look at it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tabgan.cli.errors import DebugOption, note
from tabgan.cli.pages import PageOption, check_page
from tabgan.exceptions import InvalidInputError, InvalidParameterError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["images"]

images = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Train image GANs, draw from them, and look at what they draw.",
)

_Model = Annotated[Path, typer.Argument(metavar="MODEL", help="A file that `tabgan images train` wrote.")]
_Seed = Annotated[int, typer.Option(help="Of the draws.")]
_Label = Annotated[str | None, typer.Option("--label", help="Draw this class only.")]
_Truncation = Annotated[float | None, typer.Option(metavar="T", help="Redraw noise beyond this absolute value.")]


@images.command("list")
def list_recipes(debug: DebugOption = False) -> None:
    """The recipes, what each needs, and where it is from."""
    from tabgan.images import recipes

    for recipe in recipes.values():
        typer.echo(f"{recipe.name:26} {recipe.needs:8} {recipe.summary} [{recipe.source}]")


@images.command()
def train(
    source: Annotated[
        Path, typer.Argument(metavar="IMAGES", help="A .npy file, an idx file (.gz), or a folder of PNGs.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="MODEL", help="Where the model goes.")],
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="One label per image: .npy, idx, or text lines.")
    ] = None,
    targets: Annotated[
        Path | None, typer.Option(metavar="IMAGES", help="What images are translated to (pix2pix, cyclegan).")
    ] = None,
    recipe: Annotated[str, typer.Option(help="See `tabgan images list`.")] = "wgan-gp",
    steps: Annotated[int | None, typer.Option(metavar="N", help="Training steps; the recipe has a default.")] = None,
    settings: Annotated[
        str | None, typer.Option(metavar="JSON", help='Settings of the recipe, such as {"network": "dcgan"}.')
    ] = None,
    value_range: Annotated[
        tuple[float, float] | None, typer.Option(metavar="LOW HIGH", help="Values of black and white.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the training.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "auto",
    max_time: Annotated[float | None, typer.Option(metavar="SECONDS", help="Stop after so long.")] = None,
    sample_every: Annotated[int | None, typer.Option(metavar="N", help="Write a sample grid every N steps.")] = None,
    sample_folder: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where sample grids go.")] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="MODEL", help="Go on from this model; its recipe and settings hold.")
    ] = None,
    report: PageOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
    debug: DebugOption = False,
) -> None:
    """Train a recipe and write the model to one file."""
    if not output.parent.is_dir():
        raise InvalidInputError(f"--output {str(output)!r}: its folder does not exist.")
    check_page(report, {"--output": output}, source, labels, targets)
    pictures, target_pictures = _read(source), None if targets is None else _read(targets)
    names = None if labels is None else _read_labels(labels)
    run: dict[str, Any] = {
        "device": device,
        "max_time": max_time,
        "verbose": 0 if quiet else 1,
        "sample_every": sample_every,
        "sample_folder": None if sample_folder is None else str(sample_folder),
    }
    if resume is not None:
        gan = _loaded(resume).set_params(**run)
        gan.partial_fit(pictures, names, target_pictures, n_steps=steps)
    else:
        from tabgan.images import ImageGAN

        gan = ImageGAN(
            recipe, n_steps=steps, settings=_settings(settings), value_range=value_range, random_state=seed, **run
        )
        gan.fit(pictures, names, target_pictures)
    gan.save(output)  # first of all: hours of training must not hang on a picture
    if report is not None:
        from tabgan.report.images_page import report_images

        report_images(gan, pictures, names, target_pictures, random_state=seed).save(report)
    last = gan.history_[-1] if gan.history_ else {}
    losses = ", ".join(f"{name} {value:.3g}" for name, value in last.items() if name != "step")
    note(f"{gan.recipe_.name}: {gan.n_iter_} steps ({losses}) -> {output}")


@images.command()
def sample(
    model: _Model,
    output: Annotated[Path, typer.Option("-o", "--output", help="A .npy file, or a folder for PNGs.")],
    n: Annotated[int, typer.Option("-n", help="How many images.")] = 100,
    label: _Label = None,
    truncation: _Truncation = None,
    seed: _Seed = 0,
    report: PageOption = None,
    debug: DebugOption = False,
) -> None:
    """Draw images into one array file, or into a folder of PNGs."""
    if output.suffix != ".npy" and not output.is_dir():
        raise InvalidInputError(f"--output {str(output)!r} is neither a .npy file nor an existing folder.")
    check_page(report, {"--output": output if output.suffix == ".npy" else None}, model)
    gan = _loaded(model)
    drawn, classes = gan.sample(n, _class_of(gan, label), truncation=truncation, random_state=seed, return_y=True)
    page = _page(gan, drawn, classes, seed) if report is not None else None
    if output.suffix == ".npy":
        import numpy as np

        from tabgan.core.checkpoint import atomic_path

        with atomic_path(output) as temporary:
            np.save(temporary, drawn)
    else:
        from tabgan.images.grids import write_png

        for index, image in enumerate(_as_tensor(gan, drawn)):
            write_png(output / f"{index:05d}.png", image)
    if page is not None:
        page.save(report)
    note(f"{n} images -> {output}")


@images.command()
def grid(
    model: _Model,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="PNG", help="The picture.")],
    n: Annotated[int, typer.Option("-n", help="How many images.")] = 100,
    label: _Label = None,
    truncation: _Truncation = None,
    seed: _Seed = 0,
    zoom: Annotated[int, typer.Option(help="Enlarge each pixel to a square of this side.")] = 2,
    report: PageOption = None,
    debug: DebugOption = False,
) -> None:
    """Draw images into one picture; with classes, one class per column."""
    from tabgan.images.grids import grid_of, write_png

    if zoom < 1:
        raise InvalidParameterError(f"--zoom {zoom} is not valid; it must be an integer of at least 1.")
    check_page(report, {"--output": output}, model)
    gan = _loaded(model)
    wanted, n_columns = _class_of(gan, label), 10
    if wanted is None and hasattr(gan, "classes_"):
        n_columns = len(gan.classes_)
        wanted = [gan.classes_[index % n_columns] for index in range(n)]
    drawn, classes = gan.sample(n, wanted, truncation=truncation, random_state=seed, return_y=True)
    page = _page(gan, drawn, classes, seed) if report is not None else None
    write_png(output, grid_of(_as_tensor(gan, drawn), n_columns, zoom=zoom))
    if page is not None:
        page.save(report)
    note(f"{n} images -> {output}")


def _page(gan: Any, drawn: Any, classes: Any, seed: int) -> Any:
    from tabgan.report.images_page import report_images

    return report_images(gan, made=drawn, y_made=classes, random_state=seed)


def _loaded(model: Path) -> Any:
    from tabgan.estimators.saving import load
    from tabgan.images.gan import ImageGAN

    gan = load(model)
    if not isinstance(gan, ImageGAN):
        raise InvalidInputError(f"{str(model)!r} holds a {type(gan).__name__}, not an ImageGAN.")
    return gan


def _read(path: Path) -> Any:
    """An array from a .npy file; other paths are left to the estimator."""
    if path.suffix != ".npy":
        if not path.exists():
            raise FileNotFoundError(f"no file or folder at {str(path)!r}")
        return path
    import numpy as np

    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InvalidInputError(f"{str(path)!r} is no readable .npy file: {error}") from error


def _read_labels(path: Path) -> np.ndarray:
    import numpy as np

    from tabgan.images.reading import read_idx

    if path.suffix == ".npy":
        return _read(path)
    if path.suffix in (".txt", ".csv"):
        return np.asarray(path.read_text().split())
    return read_idx(path)


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
    from tabgan.images.reading import read_images

    form = gan._format
    return read_images(drawn, value_range=(form.low, form.high), image_shape=form.shape)[0]
