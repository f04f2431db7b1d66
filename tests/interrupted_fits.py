"""Run by test_interrupts.py in a process of its own: fits and commands that a real SIGINT meets at a chosen moment."""

import json
import os
import signal
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.exceptions import NotFittedError

import tabgan._files
import tabgan.imputation.stages.closed_form
from tabgan import BAGANOversampler, CGANSampler, GAINImputer, compare_imputers, load
from tabgan.core.trainer import Trainer
from tabgan.images import ImageGAN

torch.set_num_threads(1)
# A shell that started the tests in the background has its children ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


class Pressing:
    """Press Ctrl-C before the given calls of a function, counted from 1 over all objects."""

    def __init__(self, owner, name, *calls):
        self.owner, self.name, self.calls, self.count = owner, name, calls, 0

    def __enter__(self):
        self.real = real = getattr(self.owner, self.name)

        def pressed(*arguments, **named):
            self.count += 1
            for _ in range(self.calls.count(self.count)):
                os.kill(os.getpid(), signal.SIGINT)
            return real(*arguments, **named)

        setattr(self.owner, self.name, pressed)
        return self

    def __exit__(self, *error):
        setattr(self.owner, self.name, self.real)


def at_steps(*steps):
    return Pressing(Trainer, "_step", *steps)


def fitted(fit):
    """Outcome of a fit: its warnings of ours, or that it was aborted."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            estimator = fit()
        except KeyboardInterrupt:
            return {"aborted": True}, None
    said = [str(one.message) for one in caught if one.category.__name__ == "TrainingInterruptedWarning"]
    files = sorted({Path(one.filename).name for one in caught if one.category.__name__ == "TrainingInterruptedWarning"})
    return {
        "said": said,
        "files": files,
        "reason": estimator.stop_reason_,
        "steps": estimator.n_iter_,
        "bars": bars(),
    }, estimator


def is_fitted(estimator):
    try:
        estimator.save(os.devnull + "/nowhere")
    except NotFittedError:
        return False
    except OSError:
        return True


def bars():
    from tqdm.auto import tqdm

    return len(getattr(tqdm, "_instances", ()))


def table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=120)
    frame = pd.DataFrame({"x": x, "y": x + 0.1 * rng.normal(size=120), "side": np.where(x > 0, "left", "right")})
    frame.loc[::6, "y"] = np.nan
    return frame


def estimators():
    X = table()
    target = np.where(np.arange(120) % 4 == 0, "rare", "often")
    images = np.random.default_rng(0).integers(0, 255, size=(32, 8, 8, 1), dtype=np.uint8)
    outcomes = {}

    imputer = GAINImputer(n_steps=300, draw_steps=20, random_state=0, verbose=1)
    with at_steps(60):
        outcomes["imputer"], done = fitted(lambda: imputer.fit(X))
    outcomes["imputer"] |= {
        "gaps": int(done.transform(X).isna().sum().sum()),
        "draws": len(done.sample(X, 2)),
        "scored_at": [row["step"] for row in done.history_ if "validation" in row and "stage" not in row],
    }
    with at_steps(5):
        outcomes["draws"], done = fitted(lambda: GAINImputer(n_steps=2, draw_steps=20, random_state=0).fit(X))
    outcomes["draws"]["gaps"] = int(sum(one.isna().sum().sum() for one in done.sample(X, 2)))
    with Pressing(tabgan.imputation.stages.closed_form, "fit_closed_form", 1):
        outcomes["before"], done = fitted(lambda: GAINImputer(n_steps=50, draw_steps=20, random_state=0).fit(X))
    outcomes["before"]["gaps"] = int(done.transform(X).isna().sum().sum())
    fits = {
        "imputer": (GAINImputer(n_steps=4, draw_steps=0, random_state=0), (X,)),
        "sampler": (CGANSampler(n_steps=4, random_state=0), (X, target)),
        "gan": (ImageGAN("minimax", n_steps=4, random_state=0), (images,)),
    }
    for name, (estimator, data) in fits.items():
        estimator.fit(*data)
        with at_steps(3, 3):
            outcomes[f"twice, {name}"], _ = fitted(lambda estimator=estimator, data=data: estimator.fit(*data))
        outcomes[f"twice, {name}"]["fitted"] = is_fitted(estimator)
    with Pressing(tabgan.imputation.stages.closed_form, "fit_closed_form", 1):  # small tables train no network
        outcomes["comparison"], _ = fitted(lambda: compare_imputers(X, methods=["GAINImputer"], n_repeats=1))

    for name, sampler, step in (
        ("cgan", CGANSampler(n_steps=200, random_state=0), 30),
        ("bagan, first stage", BAGANOversampler.paper(n_steps=200, autoencoder_steps=50, random_state=0), 20),
    ):
        with at_steps(step):
            outcomes[name], done = fitted(lambda sampler=sampler: sampler.fit(X, target))
        made, classes = done.sample(7, y="rare")
        outcomes[name]["made"] = [made.shape[0], sorted(set(classes))]

    gan = ImageGAN("minimax", n_steps=12, random_state=0)
    with at_steps(5):
        outcomes["images"], done = fitted(lambda: gan.fit(images))
    done.partial_fit(images, n_steps=12 - done.n_iter_)
    whole = ImageGAN("minimax", n_steps=12, random_state=0).fit(images)
    outcomes["images"]["as uninterrupted"] = bool(
        (whole.sample(4, random_state=1) == done.sample(4, random_state=1)).all()
    )
    return outcomes


def commands(folder):
    from tabgan.cli.main import app

    source, output, model = folder / "in.csv", folder / "out.csv", folder / "model.tabgan"
    frame = table().assign(y=lambda t: t["y"].round(2))
    frame["class"] = np.where(np.arange(120) % 4 == 0, "rare", "often")
    frame.to_csv(source, index=False)
    sampler, pixels = folder / "sampler.tabgan", folder / "images.npy"
    CGANSampler(n_steps=0, random_state=0).fit(frame[["x"]], frame["class"]).save(sampler)
    np.save(pixels, np.zeros((20, 8, 8), dtype=np.uint8))
    given = {path.name for path in folder.iterdir()} | {output.name, model.name}
    train = ["--steps", 20, "--quiet"]
    calls = {
        "impute": ["impute", source, "--model", model, *train],
        "balance": ["balance", source, "--target", "class", *train],
        "sample": ["sample", sampler, "-n", 7, "--quiet"],
        "images train": ["images", "train", pixels, "--recipe", "minimax", *train],
    }
    outcomes = {}
    for command, words in calls.items():
        files = 2 if command == "impute" else 1  # each was tried before training, in a folder of its own
        moments = {
            "training": at_steps(3),
            "before the file is replaced": Pressing(tabgan._files.os, "replace", files),
            "after the file was replaced": Pressing(tabgan._files.Path, "rmdir", files + 1),
        }
        if command == "sample":
            del moments["training"]
        for moment, pressing in moments.items():
            output.write_text("old")
            model.unlink(missing_ok=True)
            with pressing:
                try:
                    app([*map(str, words), "-o", str(output)])
                except SystemExit as end:
                    code = end.code
            old = output.read_bytes() == b"old"
            outcomes[f"{command}, {moment}"] = {
                "code": code,
                "old": old,
                "rows": None
                if old
                else load(output).n_iter_
                if command == "images train"
                else len(pd.read_csv(output)),
                "model": model.exists(),
                "left behind": sorted({one.name for one in folder.iterdir()} - given),
            }
    return outcomes


if __name__ == "__main__":
    result = estimators() if sys.argv[1] == "estimators" else commands(Path(sys.argv[2]))
    print("RESULT " + json.dumps(result))
