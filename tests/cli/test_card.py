"""`tabgan card`: a card of a model file, to a file or to standard output."""

import pytest

from tabgan import GAINImputer, model_card
from tests.conftest import make_mixed


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "shop.tabgan"
    table = make_mixed(40)[["number", "price", "colour"]]
    imputer = GAINImputer(n_steps=2, n_trees=2, n_boosts=2, n_donor_trees=1, random_state=0).fit(table)
    imputer.save(path)
    return path, imputer


def test_a_card_goes_to_a_file_or_to_stdout(tabgan, model, tmp_path):
    path, imputer = model
    result = tabgan("card", path, "-o", tmp_path / "card.md", "--title", "Shop")
    assert result.exit_code == 0
    assert (tmp_path / "card.md").read_text() == model_card(imputer, "Shop")
    shown = tabgan("card", path)
    assert shown.exit_code == 0
    assert shown.stdout == model_card(imputer)


def test_what_is_no_model_is_bad_usage(tabgan, model, tmp_path):
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    for arguments in (["nothing.tabgan"], [tmp_path / "table.csv"], [model[0], "-o", tmp_path / "no" / "card.md"]):
        result = tabgan("card", *arguments)
        assert result.exit_code == 2
        assert len(result.stderr.strip().splitlines()) == 1
