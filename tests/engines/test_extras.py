"""Without an engine, its functions say which extra brings it."""

import sys

import pytest

import tabgan.ray
import tabgan.spark
from tabgan.exceptions import MissingExtraError


@pytest.mark.parametrize("engine", [tabgan.ray, tabgan.spark])
def test_an_absent_engine_is_named_with_its_extra(engine, monkeypatch):
    name = engine.__name__.removeprefix("tabgan.")
    for module in ("ray", "pyspark", "pyspark.sql"):
        monkeypatch.setitem(sys.modules, module, None)
    for call in (engine.fit, engine.transform, engine.sample, engine.sample_rows):
        with pytest.raises(MissingExtraError, match=rf"tabgan-learn\[{name}\]"):
            call(*[None] * (1 if call is engine.sample_rows else 2))
    with pytest.raises(MissingExtraError, match=rf"tabgan-learn\[{name}\]"):
        engine.fit_resample(None, None, label="label")
