"""`BAGANImageOversampler`: in imbalanced-learn's pipelines, at every strategy, in and out of every container."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from imblearn.pipeline import make_pipeline
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted

from tabgan import BAGANOversampler
from tabgan.exceptions import InvalidInputError, InvalidParameterError, SmallClassesWarning
from tabgan.images import BAGANImageOversampler

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
LABELS = np.array(["a"] * 30 + ["b"] * 7 + ["c"] * 3)


TRAINED = {"recipe": "bagan", "n_steps": 2, "batch_size": 8, "settings": {"width": 8, "n_autoencoder_steps": 1}}


def make(**changes):
    return BAGANImageOversampler(**({"random_state": 0} | changes))


@pytest.mark.parametrize("training", [{}, TRAINED], ids=["own images", "bagan"])
def test_a_step_of_pipelines_that_only_training_rows_pass(training):
    flat = FunctionTransformer(lambda images: images.reshape(len(images), -1) / 255)
    pipeline = make_pipeline(make(**training), flat, LogisticRegression(max_iter=20))
    assert len(cross_val_predict(pipeline, IMAGES, LABELS, cv=3)) == 40
    check_is_fitted(pipeline.fit(IMAGES, LABELS)[0])
    assert clone(make()).get_params() == make().get_params()
    with pytest.raises(NotFittedError):
        check_is_fitted(make())


@pytest.mark.parametrize("training", [{}, TRAINED, TRAINED | {"warp": True}], ids=["own", "bagan", "bagan, warped"])
@pytest.mark.parametrize(
    "images",
    [
        IMAGES,
        IMAGES[..., None],
        np.repeat(IMAGES[:, None], 3, 1) / 255,
        IMAGES.reshape(40, 64),
        torch.from_numpy(IMAGES),
        pd.DataFrame(IMAGES.reshape(40, 64), columns=[f"p{k}" for k in range(64)]),
    ],
    ids=["hw", "hwc", "chw", "flat", "tensor", "frame"],
)
def test_images_come_back_with_more_of_the_rare_ones(images, training):
    sampler = make(**training)
    X, y = sampler.fit_resample(images, LABELS)
    assert type(X) is type(images)
    assert X.shape == (90, *images.shape[1:])
    np.testing.assert_array_equal(np.asarray(X)[:40], np.asarray(images))
    assert np.asarray(X).dtype == np.asarray(images).dtype
    assert np.unique(y, return_counts=True)[1].tolist() == [30, 30, 30]
    assert sampler.synthetic_mask_.sum() == 50
    assert sampler.sampling_strategy_ == {"b": 23, "c": 27}
    assert sampler.classes_.tolist() == ["a", "b", "c"]
    if isinstance(images, pd.DataFrame):
        assert X.dtypes.eq(np.uint8).all()
        assert list(X.columns) == list(images.columns)


def test_labels_come_back_in_their_container():
    for y in (list(LABELS), pd.Series(LABELS, name="kind"), LABELS.astype(object)):
        more = make().fit_resample(IMAGES, y)[1]
        assert type(more) is type(y)
        assert getattr(more, "name", "kind") == "kind"
        assert getattr(more, "dtype", None) == getattr(y, "dtype", None)
    numbers = torch.from_numpy(np.unique(LABELS, return_inverse=True)[1])
    more = make().fit_resample(IMAGES, numbers)[1]
    assert torch.bincount(more).tolist() == [30, 30, 30]


@pytest.mark.parametrize(
    ("strategy", "counts"),
    [
        ("minority", [30, 7, 30]),
        ("not majority", [30, 30, 30]),
        ("all", [30, 30, 30]),
        ({"c": 5}, [30, 7, 5]),
        ({"c": 3}, [30, 7, 3]),
        (lambda y: {"b": 8}, [30, 8, 3]),
    ],
)
def test_strategies(strategy, counts):
    _, y = make(sampling_strategy=strategy).fit_resample(IMAGES, LABELS)
    assert np.unique(y, return_counts=True)[1].tolist() == counts


def test_a_share_of_the_majority():
    _, y = make(sampling_strategy=0.5).fit_resample(IMAGES, np.where(LABELS == "a", "a", "b"))
    assert np.unique(y, return_counts=True)[1].tolist() == [30, 15]


@pytest.mark.parametrize(
    ("strategy", "y", "error", "message"),
    [
        ({"a": 2}, LABELS, InvalidParameterError, "sampling_strategy="),
        ({"z": 50}, LABELS, InvalidParameterError, "sampling_strategy="),
        ("most", LABELS, InvalidParameterError, "sampling_strategy='most' is not valid; it must be one of 'auto', "),
        (0.5, LABELS, InvalidParameterError, r"sampling_strategy=0\.5"),
        ("auto", ["a"] * 40, InvalidInputError, "single class 'a'"),
        ("auto", np.eye(40), InvalidInputError, r"y has shape \(40, 40\)"),
    ],
)
def test_errors_before_training(strategy, y, error, message):
    with pytest.raises(error, match=message):
        make(**TRAINED | {"sampling_strategy": strategy, "n_steps": 100_000}).fit_resample(IMAGES, y)
    with pytest.raises(error, match=message):
        make(sampling_strategy=strategy).fit_resample(IMAGES, y)


@pytest.mark.parametrize("name", ["n_steps", "batch_size", "d_noise", "learning_rate", "settings", "max_time"])
def test_what_is_about_training_needs_a_recipe(name):
    with pytest.raises(InvalidParameterError, match=rf"{name}=.* is about training, but recipe=None trains nothing"):
        make(**{name: {"width": 8} if name == "settings" else 3}).fit(IMAGES, LABELS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": "nonsense"}, "recipe='nonsense'"),
        ({"warp": {"turn": -1}}, r"warp\['turn'\]=-1"),
        (TRAINED | {"warp": "much"}, "warp='much'"),
        ({"random_state": -1}, "random_state=-1"),
        ({"n_threads": 0}, "n_threads=0"),
        ({"value_range": (1, 0)}, "value_range"),
        ({"image_shape": 8}, "image_shape"),
    ],
)
def test_parameters_out_of_range(changes, message):
    with pytest.raises(InvalidParameterError, match=message):
        make(**changes).fit(IMAGES, LABELS)


def test_the_default_changes_a_class_s_own_images():
    darker = np.where((LABELS == "c")[:, None, None], IMAGES // 4, IMAGES // 4 + 190)
    made = make().fit_resample(darker, LABELS)[0][-27:]
    assert made.max() < 64
    assert len(np.unique(made, axis=0)) == 27
    copies = make(warp=False).fit_resample(darker, LABELS)[0][-27:]
    originals, counts = np.unique(copies, axis=0, return_counts=True)
    assert counts.tolist() == [9, 9, 9]
    assert (originals[:, None] == darker[-3:]).all((2, 3)).any(1).all()


def test_generated_images_are_changed_on_demand():
    plain, changed = (make(**TRAINED, warp=warp).fit_resample(IMAGES, LABELS)[0][40:] for warp in (None, True))
    none = dict.fromkeys(("turn", "slant", "scale", "move", "bend"), 0)
    assert (plain != changed).any(axis=(1, 2)).mean() > 0.9
    np.testing.assert_array_equal(make(**TRAINED, warp=none).fit_resample(IMAGES, LABELS)[0][40:], plain)


def test_a_gan_on_few_images_is_advised_against_before_it_is_trained(recwarn):
    labels = np.repeat(["a", "b", "c"], [110, 60, 30])
    images = np.resize(IMAGES, (200, 8, 8))
    with pytest.warns(SmallClassesWarning, match=r"fewer than 50 images: 'c' \(30\)\. From so few"):
        make(**TRAINED).fit(images, labels)
    few = np.arange(200) % 8
    with pytest.warns(SmallClassesWarning, match=r"'0' \(2\), '1' \(2\), '2' \(2\), '3' \(2\), '4' \(2\) and 2 more\."):
        make(**TRAINED).fit(images[:44], np.concatenate([few[:16], np.full(28, 7)]).astype(str))
    recwarn.clear()
    make(**TRAINED | {"sampling_strategy": {"b": 70}}).fit(images, labels)  # large enough
    make().fit(images, labels)
    assert not [one for one in recwarn if issubclass(one.category, SmallClassesWarning)]


def test_a_seed_repeats_and_a_fit_that_fails_keeps_no_old_source():
    first, again, other = (make(random_state=seed).fit_resample(IMAGES, LABELS)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    sampler = make().fit(IMAGES, LABELS)
    assert len(sampler.source_.sample(y=["b"] * 3)) == 3
    with pytest.raises(InvalidInputError):
        sampler.fit(IMAGES[:0], LABELS[:0])
    with pytest.raises(NotFittedError):
        check_is_fitted(sampler)


def test_the_sampler_of_tables_points_here():
    with pytest.raises(
        InvalidInputError, match=r"shape \(40, 8, 8\) and is no table; tabgan.images.BAGANImageOversampler takes"
    ):
        BAGANOversampler().fit_resample(IMAGES, LABELS)


def test_a_device_that_is_none_is_refused_without_training_too():
    with pytest.raises(InvalidParameterError, match="device='foo' is not a device"):
        make(device="foo").fit(IMAGES, LABELS)
