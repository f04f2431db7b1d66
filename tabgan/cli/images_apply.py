"""``tabgan images translate``, ``balance`` and ``export``: their options; the work is in `tabgan.cli.images_apply_job`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tabgan.cli.errors import note, teller, warnings_told
from tabgan.cli.options import DebugOption, DeviceOption, MaxTimeOption, QuietOption, SeedOption, check_numbers

__all__ = ["balance", "export", "translate"]

ModelArgument = Annotated[Path, typer.Argument(metavar="MODEL", help="A file that `tabgan images train` wrote.")]
SizeOption = Annotated[
    str | None,
    typer.Option(metavar="N|HxW", help="Scale pictures until they cover so many pixels, and cut out the middle."),
]
AlphaOption = Annotated[
    str, typer.Option(metavar="COLOUR", help="Behind what is transparent; keep: as a channel of its own.")
]
SettingsOption = Annotated[
    str | None, typer.Option(metavar="JSON", help='Settings of the recipe, such as {"network": "dcgan"}.')
]


def translate(
    model: ModelArgument,
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="A folder of pictures, a picture, or a .npy, .npz or idx file.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="A folder for PNGs, a .png for one picture, or a .npy file.")
    ],
    reverse: Annotated[
        bool, typer.Option("--reverse", help="From the targets back, where the model goes both ways.")
    ] = False,
    draw: Annotated[
        bool, typer.Option("--draw", help="Let pix2pix's dropout act: another seed, another picture.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of --draw.")] = 0,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Translate images with a model of pairs or domains; PNGs keep the names of what they were made from."""
    from tabgan.cli.images_apply_job import translate_images

    check_numbers(seed=seed)
    say = teller(quiet)
    with warnings_told(say):
        done = translate_images(model, source, output, reverse=reverse, seed=seed if draw else None)
    say(done)


def balance(
    source: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder of pictures per class.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="A new folder of the same classes.")],
    strategy: Annotated[
        str,
        typer.Option(help='auto, minority, not minority, a share such as 0.5, or images per class as in {"cat": 100}.'),
    ] = "auto",
    only_new: Annotated[
        bool, typer.Option("--only-new", help="Write generated pictures alone, without FOLDER's.")
    ] = False,
    recipe: Annotated[str, typer.Option(help="See `tabgan images list`; one that takes labels.")] = "bagan",
    size: SizeOption = None,
    alpha: AlphaOption = "white",
    steps: Annotated[int | None, typer.Option(metavar="N", help="Training steps; the recipe has a default.")] = None,
    settings: SettingsOption = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    max_time: MaxTimeOption = None,
    model: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Save the trained model; if FILE exists, use it and train nothing."),
    ] = None,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Copy a folder of classes and add generated pictures of the rare ones; compare with shifted copies before relying on it."""
    from tabgan.cli.images_apply_job import BalanceImagesOptions, balance_folder

    check_numbers(steps=steps, max_time=max_time, seed=seed)
    options = BalanceImagesOptions(
        source=source,
        output=output,
        strategy=strategy,
        only_new=only_new,
        recipe=recipe,
        size=size,
        alpha=alpha,
        steps=steps,
        settings=settings,
        seed=seed,
        device=device,
        max_time=max_time,
        model=model,
        progress=not quiet,
    )
    say = teller(quiet)
    with warnings_told(say):
        done = balance_folder(options)
    say(done)


def export(
    model: ModelArgument,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="Ends in .pt2 (torch.export) or .onnx (extra onnx).")
    ],
    reverse: Annotated[bool, typer.Option("--reverse", help="The way back, where the model goes both ways.")] = False,
    quiet: QuietOption = False,
    debug: DebugOption = False,
) -> None:
    """Write the generator to a file that torch or ONNX runs without tabgan."""
    from tabgan.cli.images_apply_job import export_model

    line = export_model(model, output, reverse=reverse)
    if not quiet:
        note(line)
