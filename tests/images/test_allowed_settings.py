"""What a recipe cannot do is refused by name before anything is read; what depends on labels, before anything is trained."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from tabgan.core.trainer import Trainer
from tabgan.exceptions import InvalidParameterError
from tabgan.images import ImageGAN, recipes

IMAGES = np.random.default_rng(0).random((30, 8, 8))
LABELS = np.arange(30) % 3


class Unread:
    """Images that nobody may look at."""

    def __getattr__(self, name):
        raise AssertionError("images were read")


def make(recipe="non-saturating", n_steps=4, **settings):
    return ImageGAN(recipe, n_steps=n_steps, batch_size=6, random_state=0, device="cpu", settings=settings)


@pytest.mark.parametrize("recipe", ["bagan", "began"])
def test_adaptive_strength_needs_a_discriminator_that_scores(recipe):
    with pytest.raises(InvalidParameterError, match=r"settings\['augment_target'\]=0.6 goes by scores .*" + recipe):
        make(recipe, augment="colour", augment_target=0.6).fit(Unread(), LABELS)
    make(recipe, n_steps=2, augment="colour", width=4).fit(IMAGES, LABELS)


@pytest.mark.parametrize("recipe", [name for name, known in recipes.items() if "augment_target" in known.settings])
def test_every_other_recipe_with_that_setting_takes_it(recipe):
    if recipes[recipe].scores:
        small = {"width": 4, "n_first_steps": 1, "augment": "translation", "augment_target": 0.6}
        make(recipe, n_steps=2, **{k: v for k, v in small.items() if k in recipes[recipe].settings}).fit(IMAGES, LABELS)


@pytest.mark.parametrize(
    ("recipe", "settings", "message"),
    [
        ("lsgan", {"augment_target": 0.6}, "says how often images are changed, but not how"),
        ("lsgan", {"augment": "blur"}, r"settings\['augment'\]='blur' .* '' or some of colour, translation, cut-out"),
        ("lsgan", {"augment": "colour", "augment_target": 1.0}, r"settings\['augment_target'\]=1.0"),
        ("lsgan", {"real_target": 0}, r"settings\['real_target'\]=0 .* > 0 and <= 1"),
        ("lsgan", {"real_target": 1.1}, r"settings\['real_target'\]=1.1"),
        ("lsgan", {"flip_probability": 0.5}, r"settings\['flip_probability'\]=0.5"),
        ("lsgan", {"average": 1.0}, r"settings\['average'\]=1.0"),
        ("lsgan", {"betas": (0.5, 1.0)}, r"settings\['betas'\]=\(0.5, 1.0\)"),
        ("lsgan", {"betas": "fast"}, r"settings\['betas'\]='fast'"),
        ("lsgan", {"network": "unet"}, r"settings\['network'\]='unet'"),
        ("lsgan", {"statistics": "layer"}, r"settings\['statistics'\]='layer'"),
        (
            "lsgan",
            {"network": "residual", "batch_norm": False},
            r"settings\['batch_norm'\]=False .* network='residual'",
        ),
        ("projection", {"conditional_norm": True, "batch_norm": False}, "conditional_norm=True"),
        ("dragan", {"penalty_noise": "salt"}, r"settings\['penalty_noise'\]='salt'"),
        ("began", {"balance": 1.5}, r"settings\['balance'\]=1.5"),
        ("feature-matching", {"feature_weight": 0}, "leave the generator nothing to learn from"),
        ("wgan", {"clip": 0.0}, r"settings\['clip'\]=0.0"),
        ("wgan", {"betas": (0.5, 0.9)}, r"settings\['betas'\]: recipe 'wgan' has no use for it"),
    ],
)
def test_refused_before_images_are_read(recipe, settings, message):
    with pytest.raises(InvalidParameterError, match=message):
        make(recipe, **settings).fit(Unread())


@pytest.mark.parametrize(
    ("recipe", "settings", "y", "message"),
    [
        ("non-saturating", {"balanced": True}, None, r"settings\['balanced'\]=True .* no labels"),
        ("dcgan", {"shift": 8}, LABELS, r"settings\['shift'\]=8 moves images of 8 x 8 pixels out of sight"),
        ("stackgan", {"d_code": 32}, LABELS, r"d_noise=32 must be above settings\['d_code'\]=32"),
    ],
)
def test_what_does_not_go_with_the_data_is_refused_before_training(recipe, settings, y, message, monkeypatch):
    monkeypatch.setattr(Trainer, "fit", lambda *_: pytest.fail("training began"))
    with pytest.raises(InvalidParameterError, match=message):
        make(recipe, **settings).fit(IMAGES, y)


def test_a_first_part_leaves_steps_for_the_second():
    # Its default on such images is 2,000 steps, after which nothing would be left for the second stage.
    gan = make("stackgan", n_steps=4, width=4).fit(IMAGES, LABELS)
    assert gan.settings_["n_first_steps"] is None
    assert "discriminator_fine" in gan.history_[-1]
    assert make("stackgan", n_steps=4)._checked()[0].defaults((1, 8, 8), {})["n_first_steps"] == 2000
    with pytest.warns(
        UserWarning, match=r"settings\['n_first_steps'\]=4 leaves none of n_steps=4 for the second stage"
    ):
        make("stackgan", n_steps=4, width=4, n_first_steps=4).fit(IMAGES, LABELS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make("stackgan", n_steps=4, width=4, n_first_steps=3).fit(IMAGES, LABELS)


@pytest.mark.parametrize("recipe", ["pix2pix", "supervised-l1", "supervised-l2", "cyclegan", "pixelcnn", "rbm"])
def test_noise_whose_width_networks_say_is_refused_before_images_are_read(recipe):
    for gan in (ImageGAN(recipe, d_noise=4), ImageGAN(recipe, settings={"d_noise": 4})):
        with pytest.raises(InvalidParameterError, match=f"d_noise.* recipe '{recipe}' has no use for it"):
            gan.fit(Unread())


@pytest.mark.parametrize(
    ("recipe", "settings", "message"),
    [
        ("lsgan", {"network": "dcgan", "depth": 3}, r"settings\['depth'\]=3 .* 8 x 8 pixels get 'dcgan'"),
        ("pix2pix", {"n_dropout": 3}, r"settings\['n_dropout'\]=3: .* 8 x 8 pixels has 1 layers"),
        ("rbm", {"betas": (0.5, 0.9)}, r"settings\['betas'\]=\(0.5, 0.9\): .* no use for the second"),
    ],
)
def test_layers_and_moments_that_networks_do_not_have(recipe, settings, message, monkeypatch):
    monkeypatch.setattr(Trainer, "fit", lambda *_: pytest.fail("training began"))
    with pytest.raises(InvalidParameterError, match=message):
        make(recipe, **settings).fit(IMAGES, targets=IMAGES if recipe == "pix2pix" else None)


def test_what_is_given_twice_must_agree():
    with pytest.raises(InvalidParameterError, match=r"n_steps=4, but settings\['n_steps'\]=5"):
        make(n_steps=4, **{"width": 4}).set_params(settings={"n_steps": 5}).fit(Unread())
    make(width=4, batch_size=6).fit(IMAGES)


def test_training_goes_on_with_what_it_began_with():
    gan = make(width=4, betas=(0.5, 0.9)).fit(IMAGES, LABELS)
    gan.set_params(learning_rate=1.0)
    with pytest.raises(InvalidParameterError, match=r"learning_rate=1.0, but the model was trained with 0.0002"):
        gan.partial_fit(IMAGES, LABELS)
    gan.set_params(learning_rate=None, recipe="lsgan")
    with pytest.raises(InvalidParameterError, match="recipe='lsgan', but the model was trained with 'non-saturating'"):
        gan.partial_fit(IMAGES, LABELS)
    gan.set_params(recipe="non-saturating", n_steps=3).partial_fit(IMAGES, LABELS)
    assert gan.n_iter_ == 7


def test_a_folder_for_grids_that_nobody_writes(tmp_path):
    with pytest.raises(InvalidParameterError, match=r"sample_folder=.* sample_every says how often"):
        ImageGAN("lsgan", sample_folder=tmp_path).fit(Unread())
