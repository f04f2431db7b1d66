"""What a session with tabgan gives, and what it leaves behind in its process: ``python -m tests.process_state`` prints it, as JSON.

In a process of its own, since tests and their tools have changed much of it already. What importing scikit-learn, torch and matplotlib
changes is theirs, and happens before the first look.
"""

import gc
import io
import json
import locale
import logging
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import sklearn
import torch
from threadpoolctl import threadpool_info

from tabgan import BAGANOversampler, GAINImputer, compare_imputers, load
from tabgan.cli import main as cli
from tabgan.images import ImageGAN
from tabgan.plotting import MissingnessDisplay, TrainingDisplay
from tests.conftest import make_mixed


def state() -> dict[str, Any]:
    """What a process has once, and whoever changes it changes for all."""
    umask = os.umask(0o077)
    os.umask(umask)
    signals = {str(n): repr(signal.getsignal(n)) for n in signal.Signals if n not in (signal.SIGKILL, signal.SIGSTOP)}
    return {
        "warnings": [repr(warnings.filters), repr(warnings.showwarning)],
        "numpy": [np.geterr(), repr(np.geterrcall()), np.get_printoptions(), repr(np.random.get_state())],
        "random": repr(random.getstate()),
        "locale": locale.setlocale(locale.LC_ALL),
        "logging": [logging.root.level, repr(logging.root.handlers), logging.root.manager.disable],
        "hooks": [repr(hook) for hook in (sys.excepthook, threading.excepthook, sys.unraisablehook, sys.displayhook)],
        "streams": [id(sys.stdin), id(sys.stdout), id(sys.stderr)],
        "limits": [sys.getrecursionlimit(), sys.get_int_max_str_digits(), sys.getswitchinterval(), umask],
        "gc": [gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()],
        "signals": signals,
        "environment": dict(os.environ),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "place": [str(Path.cwd()), list(sys.path)],
        "torch": [
            torch.get_num_threads(),
            torch.get_num_interop_threads(),
            repr(torch.get_default_dtype()),
            repr(torch.get_default_device()),
            [torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu")],
            [torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision()],
            torch.get_rng_state().tolist(),
        ],
        "scikit-learn": repr(sklearn.get_config()),
        "matplotlib": [repr(dict(mpl.rcParams)), plt.get_fignums()],
        "pools": {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()},
    }


def _command(*words: Any) -> None:
    before, sys.argv = sys.argv, ["tabgan", *map(str, words)]
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            cli.main()
    except SystemExit as ended:
        if ended.code:
            raise RuntimeError(f"tabgan ended with {ended.code}") from ended
    finally:
        sys.argv = before


def _plot(draw: Callable[[], Any]) -> None:
    draw()
    plt.close("all")  # figures are the user's, as scikit-learn's are


def fitted() -> tuple[Any, Any, pd.DataFrame]:
    """A small imputer, a small sampler, and the imputer's table."""
    few: dict[str, Any] = {"n_steps": 3, "random_state": 0, "width": 16}
    table = make_mixed(60)
    imputer = GAINImputer(**few, draw_steps=2, n_members=1, n_trees=2, n_donor_trees=1).fit(table)
    return imputer, BAGANOversampler(**few).fit(table, np.where(np.arange(60) % 4 == 0, "rare", "common")), table


def results(imputer: Any, sampler: Any, table: pd.DataFrame) -> dict[str, list]:
    """What they give, column by column."""
    found = {"filled": imputer.transform(table), "drawn": next(iter(imputer.sample(table, 1)))}
    found["made"] = sampler.resample()[0]
    return {
        f"{what} {name}": frame[name].tolist() if name in ("colour", "size") else frame[name].to_numpy(float).tolist()
        for what, frame in found.items()
        for name in ("number", "price", "complete", "colour", "size")
    }


def session(folder: Path) -> dict[str, list]:
    """Fit, fill, draw, save, load, report and plot."""
    imputer, sampler, table = fitted()
    found = results(imputer, sampler, table)
    imputer.predict_interval(table)
    gan = ImageGAN("dcgan", n_steps=2, batch_size=4, random_state=0).fit(np.random.default_rng(0).random((12, 8, 8)))
    for model in (imputer, sampler, gan):
        model.save(folder / "model.tabgan")
        load(folder / "model.tabgan")
    gan.sample(2)
    GAINImputer.paper(n_steps=3).fit(table[["number", "price"]])
    compare_imputers(table[["number", "price"]], methods=["mean/mode"], n_repeats=1)
    imputer.to_html(table)
    sampler.to_html()
    _plot(lambda: MissingnessDisplay.from_estimator(imputer, table))
    _plot(lambda: TrainingDisplay.from_estimator(imputer))
    table.to_csv(folder / "table.csv", index=False)
    _command("impute", folder / "table.csv", "-o", folder / "full.csv", "--steps", 3)
    return found


def _send(sender: Any) -> None:
    sender.send(results(*fitted()))


def forked() -> dict[str, list]:
    """What a child gives that was forked after all that."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_send, args=(sender,))
    child.start()
    found = receiver.recv() if receiver.poll(120) else {}
    child.kill()
    child.join()
    return found


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("always")
        before = state()
        found = session(Path(folder))
        after = state()
    changed = {name: [before[name], after[name]] for name in before if before[name] != after[name]}
    print(json.dumps({"changed": changed, "here": found, "forked": forked()}, default=repr))


if __name__ == "__main__":
    main()
