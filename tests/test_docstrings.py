"""Defaults in prose equal defaults in signatures, for every public estimator and function."""

import inspect
import re

import pytest

import tabgan

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
