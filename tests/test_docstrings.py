"""Defaults in prose equal defaults in signatures, for every public estimator and function."""

import inspect
import re

import pytest

import tabgan
from tabgan.imputation.parameters import GROUPS
from tabgan.sampling.parameter_groups import BAGAN_GROUPS, CGAN_GROUPS

PUBLIC = [getattr(tabgan, name) for name in tabgan.__all__ if name != "__version__"]


@pytest.mark.parametrize("thing", PUBLIC, ids=lambda thing: thing.__name__)
def test_documented_defaults_are_the_real_ones(thing):
    documented = dict(
        re.findall(r"^    (\w+) : .*default=(.+)$", inspect.getdoc(thing).replace("\n", "\n    "), re.MULTILINE)
    )
    for name, parameter in inspect.signature(thing).parameters.items():
        if parameter.default is inspect.Parameter.empty or parameter.kind is inspect.Parameter.VAR_KEYWORD:
            continue
        assert name in documented, f"{name} has no documented default"
        if name == "missing_values":
            assert documented[name] == "np.nan"
            continue
        said = documented[name].rstrip(".")
        real = parameter.default
        assert said in (repr(real), str(real), f'"{real}"', repr(real).replace("'", '"')), (
            f"{name}: {said} is not {real!r}"
        )


@pytest.mark.parametrize(
    ("thing", "groups"),
    [(tabgan.GAINImputer, GROUPS), (tabgan.BAGANOversampler, BAGAN_GROUPS), (tabgan.CGANSampler, CGAN_GROUPS)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_parameters_come_by_group_in_signature_and_documentation(thing, groups):
    in_order = [name for group in groups.values() for name in group]
    assert list(inspect.signature(thing).parameters) == in_order
    section = inspect.getdoc(thing).split("Parameters\n----------\n")[1].split("\n\n")[0]
    assert re.findall(r"^(\w+) : ", section, re.MULTILINE) == in_order
    assert next(iter(groups)) == "Basics"


@pytest.mark.parametrize(
    "thing", [thing for thing in PUBLIC if inspect.isclass(thing)], ids=lambda thing: thing.__name__
)
def test_every_parameter_line_says_what_the_parameter_does(thing):
    section = inspect.getdoc(thing).split("Parameters\n----------\n")[1].split("\n\n")[0]
    told = dict(re.findall(r"^(\w+) : [^\n]*\n((?:    [^\n]*(?:\n|$))+)", section, re.MULTILINE))
    assert set(told) == set(inspect.signature(thing).parameters)
    assert {name: words for name, words in told.items() if len(words.split()) < 6} == {}
