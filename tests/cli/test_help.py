"""What `--help` says holds: its numbers, defaults and lists are those of the estimators, and its examples could be run."""

import inspect
import re
import shlex

import pandas as pd
import pytest
import typer

from tabgan import BAGANOversampler, CGANSampler, GAINImputer, compare_imputers
from tabgan.cli.files.column_options import DEFAULT_MARKERS
from tabgan.cli.files.sources import FORMATS
from tabgan.cli.main import app
from tabgan.images import BAGANImageOversampler, ImageGAN
from tabgan.model_selection.compare_imputers import METHODS
from tabgan.sampling.base import TabularSampler
from tabgan.tables import amputation


def commands(command=None, name=""):
    """Every command without subcommands, by the words that call it."""
    command = command or typer.main.get_command(app)
    inner = getattr(command, "commands", None)
    if inner is None:
        return {name: command}
    return {words: one for key in inner for words, one in commands(inner[key], f"{name} {key}".strip()).items()}


COMMANDS = commands()
OPTIONS = {(words, one.name): one for words, command in COMMANDS.items() for one in command.params}


def default(thing, name: str):
    """Of a parameter, as the signature has it."""
    return inspect.signature(thing).parameters[name].default


STEPS = {
    "impute": {GAINImputer.paper().n_steps},
    "balance": {default(BAGANOversampler, "n_steps"), default(CGANSampler, "n_steps")},
}
EXAMPLES = {"missing": {-999}, "header": {1, 2}, "debug": {1}, "strategy": {0.5, 100}, "warp": {5}}
"""Numbers in help texts that are no defaults, by option."""

COUNTERPARTS = {
    "impute": (
        [GAINImputer],
        {
            "effort": "",
            "objective": "",
            "categorical": "categorical_features",
            "kind": "column_kinds",
            "device": "",
            "max_time": "",
        },
    ),
    "balance": (
        [BAGANOversampler, CGANSampler],
        {
            "strategy": "sampling_strategy",
            "gate": "",
            "categorical": "categorical_features",
            "kind": "column_kinds",
            "device": "",
            "max_time": "",
        },
    ),
    "compare": (
        [compare_imputers],
        {
            "rate": "",
            "mechanism": "",
            "repeats": "n_repeats",
            "max_rows": "",
            "categorical": "categorical_features",
            "max_time": "",
            "seed": "random_state",
        },
    ),
    "sample": ([TabularSampler.sample], {"label": "y", "where": ""}),
    "images train": (
        [ImageGAN],
        {
            "recipe": "",
            "steps": "n_steps",
            "settings": "",
            "value_range": "",
            "device": "",
            "max_time": "",
            "sample_every": "",
            "sample_folder": "",
            "size": "",
            "alpha": "",
            "tensorboard": "",
            "log": "",
            "precision": "",
            "checkpoint_every": "",
        },
    ),
    "images sample": ([ImageGAN.sample], {"label": "y", "truncation": ""}),
    "images balance": (
        [BAGANImageOversampler],
        {
            "strategy": "sampling_strategy",
            "recipe": "",
            "warp": "",
            "steps": "n_steps",
            "settings": "",
            "device": "",
            "max_time": "",
        },
    ),
    "images grid": ([ImageGAN.sample], {"label": "y", "truncation": ""}),
}
"""What each command calls, and which of its options hand on a parameter (of the same name where none is given)."""


def numbers(text: str) -> set[float]:
    """Every number in a text."""
    return {float(found.replace(",", "")) for found in re.findall(r"(?<!\w)-?\d+(?:,\d{3})*(?:\.\d+)?", text)}


def test_numbers_are_found_in_prose():
    assert numbers("Train at most this long (600; paper: 10,000), -999 or '0.5', utf-8, no 2x.") >= {
        600,
        10000,
        -999,
        0.5,
    }
    assert numbers("Train at most this long (600; paper: 10000).") != STEPS["impute"]


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_numbers_in_help_texts_are_the_defaults_of_the_estimators(command, option):
    expected = STEPS.get(command, set()) if option == "steps" else EXAMPLES.get(option, set())
    assert numbers(OPTIONS[command, option].help or "") == expected


@pytest.mark.parametrize(
    ("command", "option", "called", "parameter"),
    [
        (command, option, called, parameter or option)
        for command, (things, options) in COUNTERPARTS.items()
        for called in things
        for option, parameter in options.items()
    ],
)
def test_defaults_of_options_are_those_of_what_they_call(command, option, called, parameter):
    given = OPTIONS[command, option].default
    assert getattr(given, "value", given) == default(called, parameter)


@pytest.mark.parametrize(
    ("arguments", "estimator", "steps"),
    [
        (("impute",), GAINImputer, default(GAINImputer, "n_steps")),
        (("impute", "--objective", "paper"), GAINImputer, GAINImputer.paper().n_steps),
        (("impute", "--steps", 7), GAINImputer, 7),
        (("balance", "-t", "kind"), TabularSampler, default(BAGANOversampler, "n_steps")),
        (("balance", "-t", "kind", "--method", "cgan"), TabularSampler, default(CGANSampler, "n_steps")),
        (("balance", "-t", "kind", "--steps", 7), TabularSampler, 7),
    ],
)
def test_without_steps_the_estimators_default_is_what_trains(
    tabgan, tmp_path, monkeypatch, arguments, estimator, steps
):
    seen = []

    def fit(self, *_):
        seen.append(self.n_steps)
        raise KeyboardInterrupt

    monkeypatch.setattr(estimator, "fit" if estimator is GAINImputer else "fit_resample", fit)
    table = tmp_path / "in.csv"
    pd.DataFrame({"a": [1.0, None, 3.0], "b": [2, 3, 4], "kind": ["x", "x", "y"]}).to_csv(table, index=False)
    assert tabgan(arguments[0], table, "-o", tmp_path / "out.csv", *arguments[1:]).exit_code == 130
    assert seen == [steps]


@pytest.mark.parametrize(
    ("command", "option", "names"),
    [
        ("compare", "methods", METHODS),
        ("compare", "mechanism", amputation.MECHANISMS),
        ("impute", "format", FORMATS),
        ("impute", "default_markers", [mark for mark in DEFAULT_MARKERS if mark]),
    ],
)
def test_lists_in_help_texts_are_complete_and_in_order(command, option, names):
    told = re.sub(r"\([^)]*\)|'", "", OPTIONS[command, option].help)
    found = [part.strip(" .") for part in re.split(r"[,.](?= )| (?!chain)", told[told.index(names[0]) :])]
    assert [part for part in found if part][: len(names)] == list(names)


EPILOGS = {words: command.epilog or "" for words, command in {"": typer.main.get_command(app), **COMMANDS}.items()}


@pytest.mark.parametrize(
    "example",
    [
        re.sub(r"\s+\([^)]*\)$", "", line.strip()).partition(" | ")[2] or re.sub(r"\s+\([^)]*\)$", "", line.strip())
        for text in EPILOGS.values()
        for line in text.splitlines()
        if re.match(r"\s*(tabgan|cat) ", line)
    ],
)
def test_examples_have_known_commands_and_options(example):
    words = shlex.split(example.partition(" > ")[0])[1:]
    known = [name for name in COMMANDS if words[: len(name.split())] == name.split()]
    assert known, example
    command = COMMANDS[known[0]]
    options = {option for one in command.params for option in one.opts}
    assert {word for word in words if re.match(r"--?[a-z]", word)} <= options
    required = [one for one in command.params if one.required and one.param_type_name == "option"]
    assert all(set(one.opts) & set(words) for one in required)


def test_shells_can_complete(tabgan, monkeypatch):
    done = tabgan("--help")
    assert "--install-completion" in done.stdout
