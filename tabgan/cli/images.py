"""``tabgan images``: the options of ``list``, ``train``, ``sample`` and ``grid``; the work is in `tabgan.cli.images_job`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tabgan.cli.errors import note, warnings_told
from tabgan.cli.images_apply import (
    AlphaOption,
    ModelArgument,
    SettingsOption,
    SizeOption,
    ValueRangeOption,
    balance,
    export,
    translate,
)
from tabgan.cli.options import DebugOption, DeviceOption, PageOption, check_numbers

__all__ = ["images"]

images = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Train image GANs, draw and translate with them, and balance folders of classes.",
)

_Seed = Annotated[int, typer.Option(help="Of the draws.")]
_Label = Annotated[str | None, typer.Option("--label", help="Draw this class only.")]
_Truncation = Annotated[float | None, typer.Option(metavar="T", help="Redraw noise beyond this absolute value.")]


@images.command("list")
def list_recipes(debug: DebugOption = False) -> None:
    """The recipes, what each needs, and where it is from."""
    from tabgan.images import recipes

    for recipe in recipes.values():
        typer.echo(f"{recipe.name:26} {recipe.needs:8} {recipe.summary} [{recipe.source}]")


@images.command("recipes")
def show_recipes(debug: DebugOption = False) -> None:
    """What each recipe was shown to reach, and whether it works on 28 x 28 pixels."""
    from tabgan.images.recipe_rows import recipe_table

    table = recipe_table().drop(columns=["needs", "labels"]).rename(columns={"n_steps": "steps"})
    typer.echo(table.to_string(index=False, na_rep="", float_format="{:.3g}".format))
    typer.echo(
        "standing, on 28 x 28 pixels: works = coverage .7 and .9 of the class asked for; for study = coverage below .5 or less "
        "than .7 of the class. seconds: CPU, one core. frechet compares within one data set only, with no published FID."
    )


@images.command()
def train(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="IMAGES", help="A folder of pictures, or of a folder per class; a .npy, .npz or idx file (.gz)."
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="MODEL", help="Where the model goes.")],
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A .csv of file names and labels, or one label per image: .txt, .csv, .npy or idx."
        ),
    ] = None,
    no_labels: Annotated[bool, typer.Option("--no-labels", help="Folders of IMAGES are no classes.")] = False,
    targets: Annotated[
        Path | None,
        typer.Option(metavar="IMAGES", help="What images are translated to, for recipes that need pairs or domains."),
    ] = None,
    recipe: Annotated[str, typer.Option("-r", "--recipe", help="See `tabgan images list`.")] = "wgan-gp",
    steps: Annotated[int | None, typer.Option(metavar="N", help="Training steps; the recipe has a default.")] = None,
    settings: SettingsOption = None,
    size: SizeOption = None,
    alpha: AlphaOption = "white",
    value_range: ValueRangeOption = None,
    stream: Annotated[
        bool | None,
        typer.Option(
            "--stream/--no-stream",
            help="Read pictures batch by batch, or all into memory at once; left out, by their size.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the training.")] = 0,
    device: DeviceOption = "auto",
    precision: Annotated[str, typer.Option(help="bfloat16 trains in mixed precision on CUDA.")] = "float32",
    max_time: Annotated[float | None, typer.Option(metavar="SECONDS", help="Stop after so long.")] = None,
    sample_every: Annotated[int | None, typer.Option(metavar="N", help="Write a grid every N steps.")] = None,
    sample_folder: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where grids go.")] = None,
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Log losses and grids there (extra tensorboard).")
    ] = None,
    log: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Write losses by step there as training goes.")
    ] = None,
    checkpoint_every: Annotated[
        int | None,
        typer.Option(metavar="N", help="Keep what is learnt in MODEL.checkpoint every N steps, until MODEL is there."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on exactly from MODEL.checkpoint, if it is there, or from a MODEL cut short."
        ),
    ] = False,
    start: Annotated[
        Path | None,
        typer.Option("--from", metavar="MODEL", help="Train this model further; its recipe and settings hold."),
    ] = None,
    report: PageOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
    debug: DebugOption = False,
) -> None:
    """Train a recipe and write the model to one file."""
    from tabgan.cli.images_job import TrainOptions, train_file

    check_numbers(steps=steps, max_time=max_time, seed=seed)
    options = TrainOptions(
        source=source,
        output=output,
        labels=labels,
        no_labels=no_labels,
        targets=targets,
        recipe=recipe,
        steps=steps,
        settings=settings,
        size=size,
        alpha=alpha,
        value_range=value_range,
        stream=stream,
        seed=seed,
        device=device,
        precision=precision,
        max_time=max_time,
        sample_every=sample_every,
        sample_folder=sample_folder,
        tensorboard=tensorboard,
        log=log,
        checkpoint_every=checkpoint_every,
        resume=resume,
        start=start,
        report=report,
        progress=not quiet,
    )
    with warnings_told(note):
        done = train_file(options)
    note(done)


@images.command()
def sample(
    model: ModelArgument,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="A .npy file, or a folder for PNGs, made if it is not there.")
    ],
    n: Annotated[int, typer.Option("-n", help="How many images.")] = 100,
    label: _Label = None,
    truncation: _Truncation = None,
    seed: _Seed = 0,
    report: PageOption = None,
    debug: DebugOption = False,
) -> None:
    """Draw images into one array file, or into a folder of PNGs."""
    from tabgan.cli.images_job import DrawOptions, draw_file

    check_numbers(seed=seed)
    options = DrawOptions(model=model, output=output, n=n, label=label, truncation=truncation, seed=seed, report=report)
    note(draw_file(options))


@images.command()
def grid(
    model: ModelArgument,
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
    from tabgan.cli.images_job import DrawOptions, draw_grid

    check_numbers(seed=seed)
    options = DrawOptions(model=model, output=output, n=n, label=label, truncation=truncation, seed=seed, report=report)
    note(draw_grid(options, zoom))


images.command()(translate)
images.command()(balance)
images.command()(export)
