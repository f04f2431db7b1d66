"""`ImageGAN` as an estimator: parameters, labels, conditions, resampling, errors before training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import tabgan
from tabgan.exceptions import InvalidInputError, InvalidParameterError, ModelFileError
from tabgan.images import ImageGAN, recipes
from tests.rounding import SINGLE

RNG = np.random.default_rng(0)
IMAGES = RNG.random((40, 8, 8))
LABELS = np.array(["cat", "dog"])[np.arange(40) % 2]


def make(recipe="non-saturating", **changes):
    settings = {"width": 8} | changes.pop("settings", {})
    noise = {} if recipe in recipes and "d_noise" in recipes[recipe].unused else {"d_noise": 4}
    return ImageGAN(recipe, **({"n_steps": 2, "batch_size": 8, "random_state": 0} | noise | changes), settings=settings)


def test_clone_and_parameters():
    gan = make(value_range=(0, 1))
    assert clone(gan).get_params() == gan.get_params()
    assert gan.set_params(n_steps=7).n_steps == 7


@pytest.mark.parametrize(
    "images",
    [IMAGES, IMAGES.astype(np.float32)[:, None], (255 * IMAGES).astype(np.uint8), IMAGES.reshape(40, 64)],
)
def test_samples_look_like_what_came_in(images):
    drawn = make().fit(images).sample(3)
    assert drawn.shape == (3, *images.shape[1:])
    assert drawn.dtype == images.dtype
    assert drawn.min() >= 0
    assert drawn.max() <= (255 if images.dtype == np.uint8 else 1)


def test_tensors_give_tensors():
    gan = make("supervised-l2", settings={"width": 4}).fit(torch.from_numpy(IMAGES), targets=torch.from_numpy(IMAGES))
    out = gan.transform(torch.from_numpy(IMAGES[:3]))
    assert isinstance(out, torch.Tensor)
    assert out.dtype == torch.float64


def test_labels_are_drawn_as_asked_or_as_frequent_as_seen():
    rare = np.array(["a"] * 36 + ["b"] * 4)
    gan = make().fit(IMAGES, rare)
    assert gan.classes_.tolist() == ["a", "b"]
    images, labels = gan.sample(400, return_y=True, random_state=0)
    assert len(images) == 400
    assert (labels == "b").mean() == pytest.approx(0.1, abs=0.05)
    assert gan.sample(y=["b", "b", "a"]).shape == (3, 8, 8)
    assert gan.sample(5, y="b").shape == (5, 8, 8)
    assert not np.array_equal(gan.sample(2, y="a", random_state=1), gan.sample(2, y="b", random_state=1))


def test_condition_vectors_may_be_asked_for_that_were_never_seen():
    vectors = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]])[np.arange(40) % 3]
    gan = make("vector-conditions").fit(IMAGES, vectors)
    assert gan.sample(2, y=[[1.0, 1.0], [0.3, 0.2]]).shape == (2, 8, 8)
    with pytest.raises(InvalidInputError, match=r"condition vectors of shape \(n, 2\) are needed"):
        gan.sample(1, y=[[1.0, 2.0, 3.0]])
    with pytest.raises(InvalidInputError, match="was not seen before"):
        gan.partial_fit(IMAGES[:1], [[1.0, 1.0]])


def test_draws_go_on_and_repeat_on_request():
    gan = make().fit(IMAGES)
    assert not np.array_equal(gan.sample(2), gan.sample(2))
    np.testing.assert_array_equal(gan.sample(2, random_state=3), gan.sample(2, random_state=3))
    np.testing.assert_array_equal(make().fit(IMAGES).sample(2), make().fit(IMAGES).sample(2))


def test_truncation_narrows_the_draws():
    gan = make().fit(IMAGES)
    wide, narrow = gan.sample(200, random_state=0), gan.sample(200, truncation=0.01, random_state=0)
    assert narrow.std(0).mean() < 0.1 * wide.std(0).mean()


def test_images_of_a_row_do_not_depend_on_the_rest():
    gan = make("pix2pix", settings={"width": 4}).fit(IMAGES, targets=1 - IMAGES)
    whole = gan.transform(IMAGES)
    np.testing.assert_allclose(gan.transform(IMAGES[3:4]), whole[3:4], rtol=0, atol=SINGLE)
    assert not np.array_equal(gan.transform(IMAGES, draw=True), gan.transform(IMAGES, draw=True))


def test_cycles_translate_both_ways():
    colour = np.repeat(IMAGES[:20, None], 3, 1)
    settings = {"width": 4, "n_blocks": 1, "identity_weight": 0.0}
    gan = make("cyclegan", settings=settings).fit(colour, targets=IMAGES[20:])
    assert gan.transform(colour[:2]).shape == (2, 8, 8)
    assert gan.transform(IMAGES[:2], reverse=True).shape == (2, 3, 8, 8)
    with pytest.raises(InvalidParameterError, match=r"identity_weight=0\.5 needs equal channels"):
        make("cyclegan", settings={"width": 4}).fit(colour, targets=IMAGES[20:])


@pytest.mark.parametrize(
    ("changes", "arguments", "message"),
    [
        ({"recipe": "nogan"}, {}, "recipe='nogan'"),
        ({"n_steps": 0}, {}, "n_steps=0"),
        ({"learning_rate": -1.0}, {}, "learning_rate=-1.0"),
        ({"random_state": -1}, {}, "random_state=-1"),
        ({"settings": {"widht": 3}}, {}, r"\['widht'\] are not settings"),
        ({"settings": {"network": "vit"}}, {}, r"settings\['network'\]='vit' is not valid; it must be one of 'auto'"),
        ({"settings": {"depth": 0}}, {}, r"settings\['depth'\]=0"),
        ({"settings": {"balanced": 1}}, {}, r"settings\['balanced'\]=1 is not valid; it must be True or False"),
        ({"recipe": "wgan-gp", "settings": {"penalty_weight": -1.0}}, {}, r"settings\['penalty_weight'\]=-1"),
        ({"recipe": "cgan", "settings": {"width": 2.5}}, {}, r"settings\['width'\]=2.5"),
        ({"recipe": "bagan", "settings": {"n_autoencoder_steps": 0}}, {}, r"settings\['n_autoencoder_steps'\]=0"),
        ({"device": "tpu"}, {}, "device='tpu'"),
        ({"sample_every": 5}, {}, "sample_folder=None"),
        ({"recipe": "cgan"}, {}, "y: recipe 'cgan' needs labels"),
        ({"recipe": "pix2pix"}, {}, "targets: recipe 'pix2pix' needs them"),
        ({}, {"targets": IMAGES}, "does not take them"),
        ({}, {"y": LABELS[:-1]}, "y has 39 rows, but there are 40 images"),
        ({}, {"y": np.full(40, np.nan)}, "y holds NaN"),
        ({"recipe": "acgan"}, {"y": np.eye(40)}, "one class label per image"),
        ({"recipe": "bagan"}, {"y": np.eye(40)}, "one class label per image"),
        ({"recipe": "pix2pix"}, {"targets": IMAGES[:-1]}, "targets has 39 images, but images has 40"),
        ({"recipe": "pix2pix"}, {"targets": IMAGES[:, :4, :4]}, "must agree"),
    ],
)
def test_errors_come_before_training(changes, arguments, message, monkeypatch):
    from tabgan.core.trainer import Trainer

    def never(*_args, **_kwargs):
        raise AssertionError("training began")

    monkeypatch.setattr(Trainer, "fit", never)
    with pytest.raises((InvalidParameterError, InvalidInputError), match=message):
        make(**changes).fit(IMAGES, **arguments)


def test_wrong_questions_to_a_fitted_model():
    with pytest.raises(NotFittedError):
        make().sample(3)
    plain, labelled = make().fit(IMAGES), make().fit(IMAGES, LABELS)
    with pytest.raises(InvalidParameterError, match="trained without labels"):
        plain.sample(2, y=[0, 1])
    with pytest.raises(InvalidInputError, match=r"y\[1\]='cow' is not one of the classes"):
        labelled.sample(2, y=["cat", "cow"])
    with pytest.raises(InvalidParameterError, match="has no transform"):
        plain.transform(IMAGES)
    with pytest.raises(InvalidParameterError, match="n=0"):
        plain.sample(0)
    with pytest.raises(InvalidParameterError, match="n=None needs y"):
        plain.sample()
    with pytest.raises(InvalidInputError, match="trained with labels"):
        labelled.partial_fit(IMAGES)
    with pytest.raises(InvalidInputError, match=r"training had \(1, 8, 8\)"):
        plain.partial_fit(np.zeros((3, 16, 16)))


@pytest.mark.parametrize(
    "odd",
    [
        {"n": True},
        {"n": 2.5},
        {"truncation": "much"},
        {"truncation": 0},
        {"random_state": -1},
        {"random_state": 1.5},
        {"random_state": "a"},
    ],
)
def test_odd_numbers_of_draws_are_named(odd):
    gan = make().fit(IMAGES)
    with pytest.raises(InvalidParameterError, match=f"{next(iter(odd))}=.* is not valid; it must be"):
        gan.sample(**{"n": 2} | odd)
    np.testing.assert_array_equal(*(gan.sample(2, random_state=np.random.RandomState(3)) for _ in range(2)))


@pytest.mark.parametrize("recipe", ["sngan", "vae"])
def test_one_image_is_too_few(recipe):
    with pytest.raises(InvalidInputError, match="images holds a single image; training needs two at least"):
        ImageGAN(recipe, n_steps=1).fit(IMAGES[:1])


def test_files_of_other_kinds_or_damaged(tmp_path):
    make().fit(IMAGES).save(tmp_path / "gan.tabgan")
    raw = bytearray((tmp_path / "gan.tabgan").read_bytes())
    raw[-3] ^= 255
    (tmp_path / "bad.tabgan").write_bytes(raw)
    with pytest.raises(ModelFileError, match="changed"):
        tabgan.load(tmp_path / "bad.tabgan")
    loaded = tabgan.load(tmp_path / "gan.tabgan")
    assert loaded.get_params() == make().get_params()


def test_grids_are_written_while_training_and_change_nothing(tmp_path):
    watched = make(n_steps=4, sample_every=2, sample_folder=tmp_path).fit(IMAGES, LABELS)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-000002.png", "step-000004.png"]
    plain = make(n_steps=4).fit(IMAGES, LABELS)
    np.testing.assert_array_equal(watched.sample(2, random_state=0), plain.sample(2, random_state=0))


def test_a_time_budget_stops_training():
    gan = make(n_steps=100_000, max_time=0.05).fit(IMAGES)
    assert gan.n_iter_ < 100_000
    assert gan.stop_reason_ == "time budget used up"


def test_a_forced_collapse_is_reported_and_survives_a_file(tmp_path):
    settings = {"width": 8, "flip_probability": 0.1, "instance_noise": 0.1, "real_target": 0.9, "replay": 4}
    assert make(n_steps=150, learning_rate=1e-9, settings=settings).fit(IMAGES).warnings_ == []

    def one_picture(sizes, settings, generator):
        players = recipes["non-saturating"].networks(sizes, settings, generator)
        with torch.no_grad():
            players["generator"].layers[-1].weight.zero_()
        return players

    recipes["stuck"] = replace(recipes["non-saturating"], name="stuck", networks=one_picture)
    try:
        gan = make("stuck", n_steps=150, learning_rate=1e-9, settings=settings).fit(IMAGES)
        assert any("collapsed" in warning for warning in gan.warnings_)
        gan.save(tmp_path / "stuck.tabgan")
        assert tabgan.load(tmp_path / "stuck.tabgan").warnings_ == gan.warnings_
    finally:
        del recipes["stuck"]


@pytest.mark.parametrize(
    "trick", [{"real_target": 0.9}, {"flip_probability": 0.2}, {"instance_noise": 0.5}, {"shift": 1}, {"replay": 4}]
)
def test_stabilisers_are_settings_and_change_training(trick):
    plain, tricked = make(n_steps=3).fit(IMAGES), make(n_steps=3, settings=trick).fit(IMAGES)
    assert not np.array_equal(plain.sample(2, random_state=0), tricked.sample(2, random_state=0))
