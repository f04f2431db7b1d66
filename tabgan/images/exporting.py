"""A trained generator as one file that torch or ONNX runs without tabgan."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tabgan._files import write_whole
from tabgan.exceptions import InvalidParameterError, MissingExtraError
from tabgan.images.image_format import padded_to

__all__ = ["GeneratorModule", "export_generator"]


class GeneratorModule(nn.Module):
    """What a fitted `tabgan.images.ImageGAN` makes, as one module.

    Parameters
    ----------
    gan : ImageGAN
        Fitted.
    reverse : bool, default=False
        The way back of a model that translates both ways.

    Shape
    -----
    From noise: ``noise`` (n, d_noise), with ``classes``, int64 of shape (n,), places in ``classes_``, or ``condition`` (n, d), for
    models trained with labels or vectors. Of translators: ``images`` (n, c, h, w) in [-1, 1]. Output: (n, c, h, w) in [-1, 1], black
    to white.
    """

    table: Tensor

    def __init__(self, gan: Any, *, reverse: bool = False) -> None:
        super().__init__()
        self.makers = nn.ModuleDict({name: gan.players_[name] for name in gan.recipe_.makers}).eval()
        self.translates = gan.recipe_.needs in ("pairs", "domains")
        self.make = gan.recipe_.make_back if reverse else gan.recipe_.make
        self.given, self.made = gan._source_format, gan._format
        if reverse:
            self.given, self.made = self.made, self.given
        self.d_noise, self.conditions = gan.settings_["d_noise"], gan._conditions
        if self.conditions is not None:
            self.register_buffer("table", self.conditions.table)

    def forward(self, given: Tensor, condition: Tensor | None = None) -> Tensor:
        """Images."""
        players: Any = self.makers
        if self.translates:
            return self.made.cropped(self.make(players, None, padded_to(given, self.given.padded)))
        if condition is not None and self.conditions.labels is not None:
            condition = self.table[condition]
        return self.made.cropped(self.make(players, given, condition))

    def example(self, n: int, generator: torch.Generator) -> dict[str, Tensor]:
        """Inputs of ``n`` rows, by name."""
        if self.translates:
            return {"images": torch.rand(n, *self.given.shape, generator=generator) * 2 - 1}
        inputs = {"noise": torch.randn(n, self.d_noise, generator=generator)}
        if self.conditions is not None:
            groups = torch.arange(n) % len(self.conditions.table)
            named = self.conditions.labels is not None
            inputs["classes" if named else "condition"] = groups if named else self.conditions.table[groups]
        return inputs


def export_generator(gan: Any, path: str | os.PathLike[str], *, reverse: bool = False) -> dict[str, tuple[int, ...]]:
    """Write what makes the images to one file; see `GeneratorModule` for what goes in and comes out.

    Parameters
    ----------
    gan : ImageGAN
        Fitted.
    path : path-like
        Ends in ``.pt2`` for ``torch.export.load``, or in ``.onnx``, which needs the extra ``onnx``.
    reverse : bool, default=False
        The way back of a model that translates both ways.

    Returns
    -------
    dict of str to tuple of int
        Shapes of one row of the inputs, by name.

    Raises
    ------
    InvalidParameterError
        Another ending, or there is no way back.
    MissingExtraError
        ONNX is not installed.

    Notes
    -----
    Batches may have any number of rows. What `ImageGAN.sample` does beyond the networks is not in the file: rounding and the range
    of values, and drawing images again that the discriminator rejects.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".pt2", ".onnx"):
        raise InvalidParameterError(f"path={os.fspath(path)!r} must end in .pt2 or .onnx.")
    if reverse and gan.recipe_.needs != "domains":
        raise InvalidParameterError(f"reverse=True needs a recipe that translates both ways, not {gan.recipe_.name!r}.")
    module = GeneratorModule(gan, reverse=reverse)
    inputs = module.example(2, torch.Generator().manual_seed(0))
    rows = torch.export.Dim("rows", min=1)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of the exporters' own making
        if suffix == ".pt2":
            program = torch.export.export(
                module, tuple(inputs.values()), dynamic_shapes=tuple({0: rows} for _ in inputs)
            )
            torch.export.save(program, buffer := io.BytesIO())
            write_whole(path, buffer.getvalue())
        else:
            write_whole(path, _as_onnx(module, inputs, rows))
    return {name: tuple(value.shape[1:]) for name, value in inputs.items()}


def _as_onnx(module: GeneratorModule, inputs: dict[str, Tensor], rows: Any) -> bytes:
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "writing ONNX files needs packages that the extra brings: pip install 'tabgan-learn[onnx]'"
        ) from error
    program: Any = torch.onnx.export(
        module,
        tuple(inputs.values()),
        input_names=list(inputs),
        output_names=["made"],
        dynamic_shapes=tuple({0: rows} for _ in inputs),
        dynamo=True,
        verbose=False,
    )
    return program.model_proto.SerializeToString()
