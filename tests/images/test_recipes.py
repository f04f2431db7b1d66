"""Every recipe: trains, saves, loads, and goes on bit for bit; none brings its own loop."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import numpy as np
import pytest
import torch

import tabgan
from tabgan.images import ImageGAN, recipes
from tabgan.images.recipes.recipe import Recipe
from tests.rounding import SINGLE

# Small and quick; hand-overs come after the first of the two halves' first step, so that both sides of them are resumed.
SMALL = {
    "bagan": {"n_autoencoder_steps": 3},
    "stackgan": {"n_first_steps": 3, "d_code": 3, "refiner_width": 4},
    "cyclegan": {"width": 4, "n_blocks": 1, "pool": 3, "n_flat_steps": 2, "n_decay_steps": 3},
    "pix2pix": {"width": 4},
    "supervised-l1": {"width": 4, "n_dropout": 1},
    "supervised-l2": {"width": 4},
    "minibatch-discrimination": {"n_kernels": 4, "d_kernel": 2},
}


def data_for(recipe):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, size=(30, 8, 8), dtype=np.uint8)
    if recipes[recipe].needs in ("pairs", "domains"):
        return {"images": images, "targets": 255 - images}
    if not recipes[recipe].takes_labels:
        return {"images": images}
    return {"images": images, "y": np.arange(30) % 3}


def make(recipe, n_steps, **changes):
    settings = dict(SMALL.get(recipe, {}))
    if "network" in recipes[recipe].settings:
        settings["width"] = 8
    elif recipe in ("dcgan", "r3gan"):
        settings["width"] = 4
    elif not recipes[recipe].takes_labels:
        settings |= {"width": 4} | ({"n_gibbs": 3} if recipe == "rbm" else {})
    settings |= changes.pop("settings", {})
    noise = {} if "d_noise" in recipes[recipe].unused else {"d_noise": 6}
    return ImageGAN(
        recipe, n_steps=n_steps, batch_size=6, **noise, random_state=0, device="cpu", settings=settings, **changes
    )


def weights(gan):
    return torch.cat([value.double().flatten() for p in gan.players_.values() for value in p.state_dict().values()])


@pytest.mark.parametrize("recipe", sorted(recipes))
def test_four_steps_are_two_steps_a_file_and_two_steps(recipe, tmp_path):
    data = data_for(recipe)
    whole = make(recipe, 4).fit(**data)
    half = make(recipe, 2).fit(**data)
    half.save(tmp_path / "half.tabgan")
    resumed = tabgan.load(tmp_path / "half.tabgan")
    np.testing.assert_array_equal(weights(resumed), weights(half))
    resumed.partial_fit(**data, n_steps=2)
    assert resumed.n_iter_ == whole.n_iter_ == 4
    np.testing.assert_array_equal(weights(resumed), weights(whole))
    assert not torch.equal(weights(resumed), weights(half))
    if "targets" not in data:
        np.testing.assert_array_equal(resumed.sample(5, random_state=1), whole.sample(5, random_state=1))
    else:
        np.testing.assert_array_equal(resumed.transform(data["images"]), whole.transform(data["images"]))


def test_losses_with_a_state_and_pools_are_resumed(tmp_path):
    data = data_for("began")
    gan = make("began", 1, settings={"balance_rate": 0.01}).fit(**data)
    assert float(gan._training_state["losses"][0]["convergence"]) > 0
    for state in gan._training_state["losses"]:
        state["k"] = torch.tensor(0.25)
    gan.save(tmp_path / "began.tabgan")
    resumed = tabgan.load(tmp_path / "began.tabgan").partial_fit(**data, n_steps=1)
    last = resumed._training_state["losses"][1]
    # One controller step from the restored k: convergence is L(x) + |lead|, and k moved by rate * lead.
    lead = (float(last["k"]) - 0.25) / 0.01
    assert lead != 0
    assert abs(lead) == pytest.approx(float(last["convergence"] - last["real"]), rel=1e-3, abs=SINGLE)
    cycle = make("cyclegan", 3).fit(**data_for("cyclegan"))
    assert len(cycle._training_state["task"]["there"]["own"]["pool"]["rows"]) == 3


def test_averaged_weights_are_resumed_and_have_statistics_of_their_own(tmp_path):
    data = data_for("non-saturating")
    settings = {"average": 0.9}
    whole = make("non-saturating", 4, settings=settings).fit(**data)
    half = make("non-saturating", 2, settings=settings).fit(**data)
    half.save(tmp_path / "half.tabgan")
    resumed = tabgan.load(tmp_path / "half.tabgan").partial_fit(**data, n_steps=2)
    np.testing.assert_array_equal(weights(resumed), weights(whole))
    raw = whole._training_state["players"]["generator"]
    averaged = whole.players_["generator"].state_dict()
    for name in ("layers.0.weight", "layers.1.running_var"):
        assert not torch.equal(raw[name], averaged[name])


def test_no_recipe_file_holds_a_training_loop():
    files = list(Path(inspect.getfile(Recipe)).parent.glob("*.py"))
    assert len(files) > 10
    for file in files:
        text = file.read_text()
        for forbidden in ("optimizer.step", "backward(", "zero_grad", "while ", "range(settings.n_steps", "Trainer("):
            assert forbidden not in text, (file.name, forbidden)


@pytest.mark.parametrize("recipe", sorted(recipes))
def test_recipes_say_what_they_are_and_where_from(recipe):
    found = recipes[recipe]
    assert found.name == recipe
    assert re.search(r"\b(19|20)\d\d\b", found.source)
    assert found.summary
    assert {"n_steps", "batch_size", "d_noise", "learning_rate", "average"} <= set(found.settings)


@pytest.mark.parametrize("recipe", ["wgan-gp", "dcgan", "began", "unrolled"])
def test_recipes_without_labels(recipe):
    gan = make(recipe, 2).fit(data_for(recipe)["images"])
    assert gan.sample(3).shape == (3, 8, 8)
    assert not hasattr(gan, "classes_")


def test_weights_are_clipped_in_wgan():
    gan = make("wgan", 2, settings={"clip": 0.01}).fit(**data_for("wgan"))
    largest = max(float(p.detach().abs().max()) for p in gan.players_["discriminator"].parameters())
    assert largest == pytest.approx(0.01, abs=1e-8)


def test_pulling_away_against_closed_forms():
    from tabgan.images.recipes.began import pulling_away

    assert float(pulling_away(torch.eye(4))) == pytest.approx(0, abs=SINGLE)
    assert float(pulling_away(torch.arange(1.0, 5.0)[:, None] * torch.tensor([[1.0, -2.0]]))) == pytest.approx(
        1, abs=SINGLE
    )
    angle = torch.tensor(0.7)
    two = torch.stack([torch.tensor([3.0, 0.0]), torch.stack([angle.cos(), angle.sin()])])
    assert float(pulling_away(two)) == pytest.approx(float(angle.cos() ** 2), abs=SINGLE)


def test_the_discriminator_may_have_a_rate_of_its_own():
    same = make("non-saturating", 2).fit(**data_for("non-saturating"))
    frozen = make("non-saturating", 2, settings={"discriminator_learning_rate": 1e-12}).fit(
        **data_for("non-saturating")
    )
    start = make("non-saturating", 1, learning_rate=1e-12).fit(**data_for("non-saturating"))

    def moved(gan, player):
        pairs = zip(gan.players_[player].parameters(), start.players_[player].parameters(), strict=True)
        return max(float((a - b).detach().abs().max()) for a, b in pairs)

    assert moved(frozen, "discriminator") < 1e-6 < 1e-4 < moved(same, "discriminator")
    assert moved(frozen, "generator") > 1e-4


def test_stack_stages_train_in_turn():
    data = data_for("stackgan")
    before = make("stackgan", 1).fit(**data)._training_state["players"]
    first = make("stackgan", 3).fit(**data)._training_state["players"]
    second = make("stackgan", 5).fit(**data)._training_state["players"]
    parameter = "entry.weight"
    assert torch.equal(before["refiner"][parameter], first["refiner"][parameter])
    assert not torch.equal(first["refiner"][parameter], second["refiner"][parameter])
    moved = "inner.layers.0.weight"
    assert not torch.equal(before["generator"][moved], first["generator"][moved])
    assert torch.equal(first["generator"][moved], second["generator"][moved])


@pytest.mark.parametrize(
    "settings", [{"replay": 5}, {"instance_noise": 0.1}, {"augment": "colour,cut-out", "augment_target": 0.5}]
)
def test_tricks_with_a_state_go_on_in_both_stages(settings, tmp_path):
    data = data_for("stackgan")
    whole, half = (make("stackgan", n, settings=settings).fit(**data) for n in (6, 2))  # the second stage begins at 3
    half.save(tmp_path / "half.tabgan")
    resumed = tabgan.load(tmp_path / "half.tabgan").partial_fit(**data, n_steps=4)
    np.testing.assert_array_equal(weights(resumed), weights(whole))
    if "replay" in settings:
        shapes = [gan._training_state["task"]["own"]["pool"]["rows"].shape[1:] for gan in (half, whole)]
        assert shapes == [(1, 4, 4), (1, 8, 8)]


def test_pix2pix_without_its_l1_term_is_a_plain_conditional_gan():
    with_term = make("pix2pix", 1).fit(**data_for("pix2pix"))
    without = make("pix2pix", 1, settings={"l1_weight": 0}).fit(**data_for("pix2pix"))
    assert "l1" in with_term.history_[0]
    assert "l1" not in without.history_[0]


def test_the_global_generators_are_left_alone():
    torch.manual_seed(3)
    np.random.seed(3)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    for recipe in ("bagan", "sngan", "cyclegan", "stackgan"):
        make(recipe, 2).fit(**data_for(recipe))
    assert torch.equal(before[0], torch.get_rng_state())
    np.testing.assert_array_equal(before[1], np.random.get_state()[1])


def test_a_new_system_is_a_few_lines_outside_the_package(monkeypatch):
    """EBGAN (Zhao et al. 2017, eq. 1-2): its loss as a plug-in, its networks BEGAN's."""
    from dataclasses import replace

    from tabgan.core.losses import LossPair
    from tabgan.images.recipes.recipe import make_task, optimizer_of, two_players

    def energy(case):
        return (case.data - case.verdict.reconstruction).square().flatten(1).mean(1)

    class EnergyLoss(LossPair):
        def discriminator_loss(self, cases):
            real, fake = (energy(case) for case in cases)
            return real.mean() + torch.relu(1.0 - fake).mean()

        def generator_loss(self, cases):
            return energy(cases[0]).mean()

    def training(players, data, settings):
        return two_players(make_task(data, settings), EnergyLoss(), optimizer_of(settings))

    ebgan = replace(recipes["began"], name="ebgan", training=training)
    monkeypatch.setitem(recipes, "ebgan", ebgan)
    gan = make("ebgan", 3).fit(data_for("began")["images"])
    assert gan.sample(2).shape == (2, 8, 8)
    assert np.isfinite(gan.history_[-1]["generator"])
