"""On a terminal the stage at work has a name, from the first second to the last; elsewhere nothing is said."""

import io
import sys

import numpy as np

from tabgan import GAINImputer
from tabgan.cli.errors import note
from tabgan.cli.status import StatusLine
from tabgan.core.stage_bar import stage_bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def terminal_of(monkeypatch):
    """Not a fixture: pytest puts its own stream in place between the setup and the call."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    return stream


def test_a_status_stands_in_the_place_of_the_last_one(monkeypatch):
    terminal = terminal_of(monkeypatch)
    status = StatusLine(True)
    status("reading \x07")
    status("")
    StatusLine(False)("never")
    note("done")
    assert terminal.getvalue() == "\r\x1b[Kreading \\x07\r\x1b[K\r\x1b[Kdone\n"


def test_stages_are_named_while_they_work(monkeypatch):
    terminal = terminal_of(monkeypatch)
    table = np.random.default_rng(0).normal(size=(60, 3))
    table[::5, 0] = np.nan
    settings = {"n_steps": 2, "n_trees": 2, "n_donor_trees": 0, "random_state": 0}
    GAINImputer(**settings, verbose=1).fit(table)
    said = terminal.getvalue()
    places = [
        said.find(text) for text in ("learning: closed form", "learning: blend", "judging", "all cells: closed form")
    ]
    assert places == sorted(places)
    assert places[0] >= 0
    before = len(said)
    GAINImputer(**settings).fit(table)
    assert len(terminal.getvalue()) == before


def test_a_service_has_no_standard_error(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with stage_bar(True, 2) as entering:
        entering("a stage")


def test_the_command_says_where_it_is(tabgan, gappy, tmp_path, monkeypatch):
    from tabgan.cli import impute_job

    said = []
    monkeypatch.setattr(impute_job, "StatusLine", lambda shown: said.append)
    gappy.to_csv(tmp_path / "t.csv", index=False)
    done = tabgan(
        "impute", tmp_path / "t.csv", "-o", tmp_path / "o.csv", "--effort", "FAST", "--report", tmp_path / "r.json"
    )
    assert done.exit_code == 0, done.output
    assert [text.split()[0] for text in said if text] == ["reading", "looking", "filling", "writing", "drawing"]
    assert said[-1] == ""
