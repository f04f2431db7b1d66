"""What the house promises: layers without circles, short rooms of one subject, a core that names no method, one way through `fit`."""

import collections
import dataclasses
import sys

import pytest

from tabgan import GAINImputer
from tabgan.imputation import objectives
from tests.conftest import make_mixed
from tests.house import ROOMS, ROOT, cycles, import_table, imports, modules

MODULES = modules()


def test_no_module_imports_itself_through_others():
    """Not even for types."""
    assert cycles(imports()) == []


def test_the_search_for_circles_finds_one():
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_imports_point_downwards():
    order = {room: place for place, room in enumerate(ROOMS)}
    beside = ({"inference", "imputation", "sampling", "images"}, {"tables", "metrics"}, {"core", "networks", "written"})
    for name, others in imports().items():
        mine = name.split(".")[1] if "." in name else ""
        for other in others:
            theirs = other.split(".")[1]
            if mine in order and theirs in order and mine != theirs:
                assert order[mine] < order[theirs], f"{name} imports {other}"
                assert not any({mine, theirs} <= rooms for rooms in beside), f"{name} imports {other}"


@pytest.mark.parametrize("library", ["sklearn", "pandas"])
def test_networks_and_core_know_no_library_of_tables(library):
    for name, path in MODULES.items():
        if name.startswith(("tabgan.core", "tabgan.networks")):
            assert f"import {library}" not in path.read_text(), name
            assert f"from {library}" not in path.read_text(), name


def test_files_are_short_and_no_two_share_a_name():
    lengths = {name: len(path.read_text().splitlines()) for name, path in MODULES.items()}
    assert {name: length for name, length in lengths.items() if length > 400} == {}
    names = collections.Counter(path.name for path in MODULES.values() if path.name != "__init__.py")
    assert [name for name, count in names.items() if count > 1] == []


def test_the_developer_page_shows_the_imports_as_they_are():
    assert import_table() in (ROOT / "docs" / "developer.md").read_text(), "python -m tests.house prints the table"


def test_the_table_enters_each_room_once():
    """The face hands the table from room to room; none is asked again, but for scores in the table's own units."""
    walk: list[str] = []

    def watch(frame, event, argument):
        caller = frame.f_back
        if event == "call" and caller is not None and caller.f_globals.get("__name__") == "tabgan.imputation.gain":
            room = frame.f_globals.get("__name__", "").removeprefix("tabgan.").split(".")[0]
            if room in ("tables", "imputation") and frame.f_globals["__name__"] != "tabgan.imputation.gain":
                walk.append(room)

    imputer = GAINImputer(n_steps=2, draw_steps=2, n_trees=2, n_donor_trees=1, random_state=0)
    sys.setprofile(watch)
    try:
        imputer.fit(make_mixed(40))
    finally:
        sys.setprofile(None)
    assert [room for k, room in enumerate(walk) if k == 0 or walk[k - 1] != room] == ["tables", "imputation"]


def test_stages_are_fitted_in_order_and_once(monkeypatch):
    fitted: list[str] = []

    def noting(stage):
        def fit(learning):
            fitted.append(stage.name)
            return stage.fit(learning)

        return dataclasses.replace(stage, fit=fit)

    monkeypatch.setattr(objectives, "STAGES", tuple(map(noting, objectives.STAGES)))
    GAINImputer(n_steps=2, draw_steps=2, n_trees=2, n_donor_trees=1, random_state=0).fit(make_mixed(80))
    judged = [stage.name for stage in objectives.STAGES if stage.judged]
    assert fitted == judged + [stage.name for stage in objectives.STAGES if not stage.judged]
