"""What is written while an image model is trained: grids of samples or translations, logs for TensorBoard and as CSV, checkpoints."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tabgan._files import check_place
from tabgan._runtime import make_generator
from tabgan.core.callbacks import Callback, Training
from tabgan.core.data_parallel import process_number
from tabgan.core.run import Checkpoints
from tabgan.exceptions import MissingExtraError, parameter_error
from tabgan.images.fitting import make_images
from tabgan.images.grids import SampleGrid, grid_of
from tabgan.images.recipes.recipe import TrainingData

__all__ = ["CsvLog", "TensorBoardLog", "check_places", "checkpoints_of", "tensorboard_writer", "watchers_of"]

_N_SAMPLES, _N_TRANSLATIONS = 100, 8


def tensorboard_writer() -> Any:
    """Torch's ``SummaryWriter``.

    Raises
    ------
    MissingExtraError
        TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingExtraError(
            "logs for TensorBoard need it, which the extra brings: pip install 'tabgan-learn[tensorboard]'"
        ) from error
    return SummaryWriter


class TensorBoardLog(Callback):
    """Write losses whenever they are read, and grids of images every so many steps.

    Parameters
    ----------
    folder : Path
        Of the log; made if it is not there. A run that goes on replaces what lies behind its first step.
    draw : callable
        ``draw() -> Tensor (c, h, w)`` in [-1, 1].
    every : int or None
        Steps between grids; None writes none.
    """

    def __init__(self, folder: Path, draw: Callable[[], Tensor], every: int | None) -> None:
        self.folder, self.draw, self.every = folder, draw, every
        self._writer: Any = None

    def on_fit_begin(self, trainer: Training, n_steps: int) -> None:
        """Open the log."""
        self._writer = tensorboard_writer()(str(self.folder), purge_step=trainer.step_count + 1)

    def on_step_end(self, trainer: Training) -> None:
        """Write a grid when it is time."""
        if self.every is not None and trainer.step_count % self.every == 0:
            grid = (self.draw().clamp(-1, 1) + 1) / 2
            self._writer.add_image("images", grid, trainer.step_count)

    def on_read(self, trainer: Training, row: dict[str, float], finite: bool) -> None:
        """Write the losses."""
        for name, value in row.items():
            self._writer.add_scalar(f"loss/{name}", value, trainer.step_count)

    def on_fit_end(self, trainer: Training) -> None:
        """Close the log, also after an error."""
        if self._writer is not None:
            self._writer.close()


class CsvLog(Callback):
    """Write the history of a run to a CSV file as it grows: one row per reading of the losses.

    Parameters
    ----------
    path : Path
        Replaced. A run that goes on begins with the rows of those before it.

    Notes
    -----
    A stage that brings losses of its own brings columns: the file is then written anew, with empty cells in the rows before.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._columns: list[str] = []

    def on_fit_begin(self, trainer: Training, n_steps: int) -> None:
        """Begin with what was recorded before."""
        self._write_all(trainer.history.rows)

    def on_read(self, trainer: Training, row: dict[str, float], finite: bool) -> None:
        """Append the losses."""
        if not {"step", *row} <= set(self._columns):
            self._write_all(trainer.history.rows)
            return
        with self.path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self._columns).writerow({"step": trainer.step_count, **row})

    def _write_all(self, rows: list[dict[str, Any]]) -> None:
        self._columns = list(dict.fromkeys(name for row in rows for name in row)) or ["step"]
        with self.path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self._columns)
            writer.writeheader()
            writer.writerows(rows)


def check_places(gan: Any) -> None:
    """Whether all that is to be written while training has a place, before images are read.

    Parameters
    ----------
    gan : ImageGAN

    Raises
    ------
    InvalidParameterError, OSError
        Names the parameter, or the place that cannot be written to.
    MissingExtraError
        TensorBoard is not installed.
    """
    wants_folder = gan.sample_every is not None and (gan.sample_folder is not None or gan.tensorboard is None)
    if wants_folder and (gan.sample_folder is None or not Path(gan.sample_folder).is_dir()):
        raise parameter_error("sample_folder", gan.sample_folder, "an existing folder when sample_every is given")
    if gan.sample_folder is not None and gan.sample_every is None:
        raise parameter_error(
            "sample_folder", gan.sample_folder, "None unless sample_every says how often grids are written"
        )
    if gan.tensorboard is not None:
        tensorboard_writer()
    if gan.log is not None:
        if not isinstance(gan.log, (str, os.PathLike)) or Path(gan.log).suffix.lower() != ".csv":
            raise parameter_error("log", gan.log, "None or a file that ends in .csv")
        _check_file("log", gan.log)
    if (gan.checkpoint_every is None) != (gan.checkpoint is None):
        raise parameter_error("checkpoint", gan.checkpoint, "a path if checkpoint_every is given, and else None")
    if gan.checkpoint is not None:
        _check_file("checkpoint", gan.checkpoint)


def _check_file(parameter: str, path: Any) -> None:
    if not Path(path).parent.is_dir():
        raise parameter_error(parameter, path, "a file in a folder that exists")
    check_place(path)


def watchers_of(gan: Any, players: dict[str, Any], data: TrainingData) -> list[Callback]:
    """What ``sample_every``, ``sample_folder``, ``tensorboard`` and ``log`` ask for; of one run, so that it belongs into no file."""
    draw = _translations(gan, players, data) if data.sources is not None else _samples(gan, players)
    watchers: list[Callback] = []
    if gan.sample_every is not None and gan.sample_folder is not None:
        watchers.append(SampleGrid(draw, Path(gan.sample_folder), gan.sample_every))
    if gan.tensorboard is not None:
        watchers.append(TensorBoardLog(Path(gan.tensorboard), draw, gan.sample_every))
    if gan.log is not None and not process_number():  # the losses are the same in all processes
        watchers.append(CsvLog(Path(gan.log)))
    return watchers


def checkpoints_of(gan: Any, last: int) -> Checkpoints | None:
    """What ``checkpoint_every`` and ``checkpoint`` ask for: model files that lack what is left of the run.

    Parameters
    ----------
    gan : ImageGAN
    last : int
        The step at which the run ends.
    """
    if gan.checkpoint_every is None:
        return None

    def save(state: dict[str, Any], players: dict[str, Any]) -> None:
        if state["step_count"] >= last:  # the run is about to end, and its model to be written
            return
        half = object.__new__(type(gan))
        half.__dict__ |= vars(gan)
        half.players_, half._training_state = players, state
        half.n_iter_, half.n_steps_left_ = state["step_count"], last - state["step_count"]
        half.history_, half.warnings_, half.stop_reason_ = state["history"]["rows"], [], None
        half.save(gan.checkpoint)

    return Checkpoints(gan.checkpoint_every, save)


def _samples(gan: Any, players: dict[str, Any]) -> Callable[[], Tensor]:
    """A grid of the same latent draws each time."""
    noise = torch.randn(_N_SAMPLES, gan.settings_["d_noise"], generator=make_generator(0))
    condition = None
    if gan._conditions is not None:
        condition = gan._conditions.table[torch.arange(_N_SAMPLES) % len(gan._conditions.table)]
    return lambda: grid_of(gan._format.cropped(make_images(gan.recipe_, players, noise, condition)))


def _translations(gan: Any, players: dict[str, Any], data: TrainingData) -> Callable[[], Tensor]:
    """Rows of given images, what becomes of them, and what was wanted; for two domains, the same the other way."""
    assert data.sources is not None
    pairs = gan.recipe_.needs == "pairs"
    given, wanted = data.sources[0:_N_TRANSLATIONS].cpu(), data.images[0:_N_TRANSLATIONS].cpu()

    def draw() -> Tensor:
        rows = [given, make_images(gan.recipe_, players, None, given), wanted]
        rows += [] if pairs else [make_images(gan.recipe_, players, None, wanted, reverse=True)]
        channels = 3 if any(len(row[0]) >= 3 for row in rows) else 1
        shown = [
            row[:, :channels] if row.shape[1] >= channels else row[:, :1].expand(-1, channels, -1, -1) for row in rows
        ]
        n = min(map(len, shown))
        return grid_of(gan._format.cropped(torch.cat([row[:n] for row in shown])), n)

    return draw
