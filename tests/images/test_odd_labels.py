"""Labels as users have them: in columns, with gaps, of mixed kinds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images import BAGANImageOversampler, ImageGAN
from tabgan.images.reading import ReadOptions, open_images
from tabgan.images.training_data import labels_of

IMAGES = np.random.default_rng(0).random((20, 8, 8))
RARE = np.array([0] * 15 + [1] * 5)


@pytest.mark.parametrize("column", [RARE[:, None], torch.from_numpy(RARE[:, None]), pd.DataFrame({"kind": RARE})])
def test_labels_in_a_column_come_back_in_one(column):
    more = BAGANImageOversampler(random_state=0).fit_resample(IMAGES, column)[1]
    assert type(more) is type(column)
    assert np.asarray(more).tolist() == [[0]] * 15 + [[1]] * 15


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a"] * 15 + ["b"] * 4 + [np.nan], "missing values"),
        (["a"] * 15 + ["b"] * 4 + [None], "missing values"),
        (pd.Series(pd.Categorical(["a"] * 15 + ["b"] * 4 + [None])), "missing values"),
        (pd.Series([0] * 15 + [1] * 4 + [None], dtype="Int64"), "NaN|missing values"),
        (np.array([0.0] * 15 + [1.0] * 4 + [np.nan]), "NaN"),
        (["a"] * 15 + [1] * 5, "text among other labels"),
        (np.array(["a"] * 15 + [1] * 5, dtype=object), "text among other labels"),
    ],
)
def test_labels_that_are_missing_or_of_mixed_kinds_are_no_classes(y, message):
    for learn in (BAGANImageOversampler().fit_resample, ImageGAN("sngan", n_steps=1).fit):
        with pytest.raises(InvalidInputError, match=f"y holds .*({message})"):
            learn(IMAGES, y)


@pytest.mark.parametrize("recipe", ["pix2pix", "cyclegan", "vae", "rbm", "nonsense", 3])
def test_recipes_without_labels_cannot_balance(recipe):
    with pytest.raises(InvalidParameterError, match=r"recipe=.* must be None, or one that takes labels: .*'bagan'"):
        BAGANImageOversampler(recipe=recipe).fit(IMAGES, RARE)


def test_drawing_wants_labels():
    source = BAGANImageOversampler(random_state=0).fit(IMAGES, RARE).source_
    for y in (1, [], np.zeros((2, 2))):
        with pytest.raises(InvalidInputError, match=r"y has shape .*; give one label for each image"):
            source.sample(y=y)
    with pytest.raises(InvalidParameterError, match="random_state=-1 is not valid"):
        source.sample(y=[1], random_state=-1)


@pytest.mark.parametrize("dtype", ["Float64", "UInt8", "boolean"])
def test_frames_whose_columns_could_have_gaps(dtype):
    frame = pd.DataFrame((IMAGES.reshape(20, 64) * 255 if dtype == "UInt8" else IMAGES.reshape(20, 64)).round())
    frame = frame.astype(dtype)
    more = BAGANImageOversampler(random_state=0).fit_resample(frame, RARE)[0]
    assert more.dtypes.eq(dtype).all()
    pd.testing.assert_frame_equal(more[:20], frame)
    assert more[20:].isin([0, 1] if dtype == "boolean" else more[20:].to_numpy().ravel().tolist()).all(axis=None)
    frame.iloc[3, 3] = None
    with pytest.raises(InvalidInputError, match=r"X has dtype object|NaN"):
        BAGANImageOversampler().fit_resample(frame, RARE)


def test_paths_are_no_arrays(tmp_path):
    with pytest.raises(InvalidInputError, match=r"X is no array; .*`tabgan images balance`"):
        BAGANImageOversampler().fit_resample(tmp_path, RARE)


@pytest.fixture
def pictures(tmp_path):
    (tmp_path / "pictures").mkdir()
    for number in range(11):
        Image.fromarray(np.full((4, 4), 200, np.uint8)).save(tmp_path / "pictures" / f"my {number}.png")
    return tmp_path / "pictures"


@pytest.mark.parametrize("mark", [",", "\t", "; ", " ", None])
def test_names_of_pictures_in_a_txt_are_no_labels(pictures, mark):
    lines = [f"my {number}.png" + ("" if mark is None else f"{mark}cat") for number in range(11)]
    (pictures.parent / "labels.txt").write_text("\n".join(lines))
    opened = open_images(pictures, ReadOptions())
    with pytest.raises(InvalidInputError, match=r"names of the images, such as 'my 0\.png', .* give a \.csv"):
        labels_of(opened, pictures.parent / "labels.txt")


@pytest.mark.parametrize("name", ["labels.txt", "labels.csv"])
def test_labels_without_names_tell_their_order(pictures, name, recwarn):
    (pictures.parent / name).write_text("\n".join(f"kind {number}" for number in range(11)))
    opened = open_images(pictures, ReadOptions())
    with pytest.warns(UserWarning, match=r"'my 10\.png' comes before 'my 2\.png'"):
        assert labels_of(opened, pictures.parent / name)[2] == "kind 2"
    (pictures / "my 10.png").unlink()
    (pictures.parent / name).write_text("\n".join(f"kind {number}" for number in range(10)))
    recwarn.clear()
    assert len(labels_of(open_images(pictures, ReadOptions()), pictures.parent / name)) == 10
    assert not recwarn


def test_files_that_are_not_there_are_named_in_words(pictures):
    with pytest.warns(UserWarning, match=r"none\.png \(No such file or directory\)"):
        open_images([pictures / "my 0.png", pictures / "none.png"], ReadOptions())


@pytest.mark.parametrize("column", [RARE[:, None], np.array(["a", "b"])[RARE][:, None], pd.DataFrame({"kind": RARE})])
def test_a_column_of_labels_is_no_condition_vector(column):
    gan = ImageGAN("cgan", n_steps=1, settings={"width": 8}, random_state=0).fit(IMAGES, column)
    assert gan.classes_.tolist() == np.unique(np.asarray(column)).tolist()
    assert gan.sample(y=column[:2]).shape == (2, 8, 8)


def test_a_column_of_fractions_is_one():
    gan = ImageGAN("cgan", n_steps=1, settings={"width": 8}, random_state=0).fit(IMAGES, RARE[:, None] / 2)
    assert gan.sample(y=[[0.25]]).shape == (1, 8, 8)


def test_frames_of_other_libraries_come_back_as_they_were():
    pl = pytest.importorskip("polars")
    flat = pl.DataFrame((255 * IMAGES.reshape(20, -1)).astype(np.uint8), [f"pixel {i}" for i in range(64)])
    names = pl.Series("kind", np.array(["a", "b"])[RARE], dtype=pl.Categorical)
    X, y = BAGANImageOversampler(random_state=0).fit_resample(flat, names)
    assert X[:20].equals(flat)
    assert X.schema == flat.schema
    assert y[:20].equals(names)
    assert (y.dtype, y.name, y[20:].to_list()) == (names.dtype, "kind", ["b"] * 10)
    plain = BAGANImageOversampler(random_state=0).fit_resample(flat.to_numpy(), RARE)[0]
    assert np.array_equal(X.to_numpy(), plain)
