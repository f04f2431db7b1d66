"""Labels from files, and images with labels from data sets, loaders and columns."""

from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images import ImageGAN
from tabgan.images.label_files import read_labels
from tabgan.images.reading import ReadOptions, open_images
from tabgan.images.training_data import labels_of

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)
LABELS = np.arange(12) % 2


def opened(source):
    return open_images(source, ReadOptions())


class Pairs:
    """Map-style, without being torch's."""

    def __init__(self, images, labels=None, keys=None):
        self.images, self.labels, self.keys = images, labels, keys

    def __len__(self):
        return len(self.images)

    def __getitem__(self, row):
        if row >= len(self.images):
            raise IndexError
        if self.labels is None:
            return self.images[row]
        parts = self.images[row], self.labels[row]
        return parts if self.keys is None else dict(zip(self.keys, parts, strict=True))


class Columns(Pairs):
    """As Hugging Face's data sets are asked."""

    column_names = ("picture", "label")
    features = {"picture": type("Image", (), {})(), "label": SimpleNamespace(names=["cat", "dog"])}  # noqa: RUF012

    def __getitem__(self, key):
        if key == "label":
            return list(self.labels)
        return {"picture": self.images[key], "label": self.labels[key]}


def pictures():
    return [Image.fromarray(image) for image in PIXELS]


CHANNELS_FIRST = torch.from_numpy(PIXELS).permute(0, 3, 1, 2).contiguous()


@pytest.mark.parametrize(
    "make",
    [
        lambda: TensorDataset(CHANNELS_FIRST, torch.from_numpy(LABELS)),
        lambda: DataLoader(TensorDataset(CHANNELS_FIRST, torch.from_numpy(LABELS)), batch_size=5),
        lambda: Pairs(list(PIXELS), LABELS),
        lambda: Pairs(pictures(), [torch.tensor(label) for label in LABELS]),
        lambda: Pairs(list(PIXELS), LABELS, ("image", "label")),
        lambda: list(zip(pictures(), LABELS, strict=True)),
        lambda: Columns(pictures(), LABELS),
        lambda: {"img": PIXELS, "fine_label": LABELS},
        lambda: {"image": pictures(), "label": list(LABELS), "id": list(range(12))},
    ],
)
def test_sets_give_images_and_labels(make):
    found = opened(make())
    values = found.pixels[:]
    assert torch.equal(values, CHANNELS_FIRST.float() * (2 / 255) - 1)
    assert found.labels.tolist() in (LABELS.tolist(), ["cat", "dog"] * 6)


def test_labels_of_hugging_face_are_names_and_train():
    gan = ImageGAN("cgan", n_steps=1, settings={"width": 8}, random_state=0).fit(Columns(pictures(), LABELS))
    assert gan.classes_.tolist() == ["cat", "dog"]
    assert gan.sample(2, y="dog").shape == (2, 8, 8, 3)
    plain = ImageGAN("non-saturating", n_steps=1, settings={"width": 8}).fit(Columns(pictures(), LABELS), y=False)
    assert not hasattr(plain, "classes_")
    with pytest.raises(InvalidParameterError, match="y=True"):
        plain.fit(PIXELS, y=True)


def test_sets_of_images_alone_and_shuffled_loaders_leave_random_states():
    assert opened(Pairs(list(PIXELS))).labels is None
    torch.manual_seed(3)
    np.random.seed(3)
    random.seed(3)
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    loader = DataLoader(TensorDataset(CHANNELS_FIRST, torch.from_numpy(LABELS)), batch_size=5, shuffle=True)
    first, second = opened(loader), opened(loader)
    assert torch.equal(first.pixels[:], second.pixels[:])
    assert first.labels.tolist() != LABELS.tolist()
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (np.random.get_state()[1] == states[1]).all()
    assert random.getstate() == states[2]


class Endless(IterableDataset):
    def __iter__(self):
        yield from PIXELS


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Endless(), "map-style"),
        (Pairs([]), "without items"),
        ({"a": PIXELS}, r"columns \['a'\], none of which is named as images are"),
        (Pairs([PIXELS[0], PIXELS[0, :4]]), r"images\[1\] has shape"),
    ],
)
def test_sets_that_cannot_be_read(source, message):
    with pytest.raises(InvalidInputError, match=message):
        opened(source)


def test_npz_files_and_mapped_arrays(tmp_path):
    np.savez(tmp_path / "plain.npz", PIXELS)
    assert torch.equal(opened(tmp_path / "plain.npz").pixels[:], opened(PIXELS).pixels[:])
    np.savez(tmp_path / "a.npz", images=PIXELS, labels=LABELS)
    assert opened(tmp_path / "a.npz").labels.tolist() == LABELS.tolist()
    np.save(tmp_path / "a.npy", PIXELS)
    assert torch.equal(opened(tmp_path / "a.npy").pixels[:], opened(PIXELS).pixels[:])


NAMES = ["b one.png", "a.png", "c.png"]


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("l.txt", "big cat\nold, dog\nbig cat\n\n", None),
        ("l.csv", 'big cat\n"old, dog"\nbig cat\n', None),
        ("l.csv", 'label\nbig cat\n"old, dog"\nbig cat\n', None),
        ("l.csv", 'file name,Label,size\na.png,"old, dog",3\nc.png,big cat,4\nb one.png,big cat,5\nz.png,x,5\n', NAMES),
        ("l.csv", 'a,"old, dog"\nc,big cat\nb one,big cat\n', NAMES),
        ("l.csv", "id;species\na.png;old, dog\nc.png;big cat\nb one.png;big cat\n", NAMES),
        (
            "l.tsv",
            "class\tfile\nold, dog\tx/a.png\nbig cat\tx/c.png\nbig cat\tx/b one.png\n",
            [f"x/{n}" for n in NAMES],
        ),
        ("l.csv", 'number,label\n1,big cat\n2,"old, dog"\n3,big cat\n', None),
    ],
)
def test_label_files(tmp_path, name, text, names):
    (tmp_path / name).write_text(text, encoding="utf-8-sig")
    assert read_labels(tmp_path / name, names, 3).tolist() == ["big cat", "old, dog", "big cat"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no labels"),
        ("file,label\na.png,x\n", "has no label for 2 of 3 images: b one.png, c.png"),
        ("file,label\nq.png,x\n", "no column holds names of the images, such as 'b one.png'"),
        (
            "file,kind,colour\na.png,x,y\nc.png,x,y\nb one.png,x,y\n",
            r"several columns that may be the labels \(kind, colour\)",
        ),
        ("file,label\na.png\n", "line 2 has 1 cells"),
    ],
)
def test_label_files_that_cannot_be_read(tmp_path, text, message):
    (tmp_path / "l.csv").write_text(text)
    with pytest.raises(InvalidInputError, match=message):
        read_labels(tmp_path / "l.csv", NAMES, 3)


def test_labels_of_a_folder_by_name_and_those_of_broken_files_go_too(tmp_path):
    for index in range(4):
        Image.fromarray(PIXELS[index]).save(tmp_path / f"{index}.png")
    (tmp_path / "1.png").write_bytes(b"no picture")
    (tmp_path / "labels.csv").write_text("file,label\n3.png,d\n2.png,c\n1.png,b\n0.png,a\n")
    gan = ImageGAN("cgan", n_steps=1, settings={"width": 8})
    for y in (tmp_path / "labels.csv", ["a", "b", "c", "d"], ["a", "c", "d"]):
        with pytest.warns(UserWarning, match="left out"):
            assert gan.fit(tmp_path, y).classes_.tolist() == ["a", "c", "d"]


def test_pairs_of_folders_belong_together_by_name(tmp_path):
    for folder in ("photos", "edges"):
        (tmp_path / folder).mkdir()
    for index in range(6):
        Image.fromarray(PIXELS[index]).save(tmp_path / "photos" / f"{index}.png")
        if index != 3:
            Image.fromarray(255 - PIXELS[index]).save(tmp_path / "edges" / f"{index}.tif")
    seen = {}

    class Watching(ImageGAN):
        def _train(self, players, data, *others):
            seen.update(images=data.images[:], sources=data.sources[:])

    with pytest.warns(
        UserWarning, match=r"1 pictures have no counterpart of their name among the others and are left out: 3"
    ):
        Watching("pix2pix", n_steps=1, settings={"width": 4}).fit(tmp_path / "photos", targets=tmp_path / "edges")
    assert len(seen["images"]) == 5
    np.testing.assert_allclose(seen["images"], -seen["sources"], atol=1e-5)


@pytest.mark.parametrize("side", [25, 63, 50, 100])
def test_odd_sizes_are_padded_and_cropped_back(side):
    images = np.random.default_rng(0).integers(0, 256, (4, side, side - 1), dtype=np.uint8)
    small = {"n_steps": 1, "batch_size": 2, "random_state": 0}
    gan = ImageGAN("dcgan", d_noise=4, settings={"width": 2}, **small).fit(images)
    assert gan.sample(2).shape == (2, side, side - 1)
    assert gan.players_["generator"].start[1] <= 7
    translator = ImageGAN("supervised-l1", settings={"width": 2}, **small).fit(images, targets=images)
    assert translator.transform(images).shape == images.shape


def test_padding_comes_back_from_a_file(tmp_path):
    import tabgan

    images = np.random.default_rng(0).integers(0, 256, (4, 19, 19), dtype=np.uint8)
    gan = ImageGAN("wgan", n_steps=1, batch_size=2, settings={"width": 2}, random_state=0).fit(images)
    gan.save(tmp_path / "m.tabgan")
    again = tabgan.load(tmp_path / "m.tabgan")
    np.testing.assert_array_equal(again.sample(2, random_state=0), gan.sample(2, random_state=0))
    again.partial_fit(images, n_steps=1)


def test_translations_are_refused_on_another_scale():
    images = np.random.default_rng(0).integers(0, 256, (8, 8, 8), dtype=np.uint8)
    gan = ImageGAN("supervised-l1", n_steps=1, settings={"width": 2}).fit(images, targets=images)
    with pytest.raises(
        InvalidInputError, match=r"float64 values from .* but training had black at 0 and white at 255; multiply"
    ):
        gan.transform(images / 255)
    assert gan.transform(images[:1] * 0 + 5).dtype == np.uint8  # dark, though on the right scale
    floats = ImageGAN("supervised-l1", n_steps=1, settings={"width": 2}).fit(images / 255, targets=images)
    with pytest.raises(InvalidInputError, match=r"values from .* to .*, but training had black at 0 and white at 1"):
        floats.transform(images)
    signed = ImageGAN("supervised-l1", n_steps=1, settings={"width": 2}).fit(images / 127.5 - 1, targets=images)
    with pytest.warns(UserWarning, match="if black is 0 in them, scale them"):
        signed.transform(images / 255)
    with pytest.raises(InvalidInputError, match="multiply"):
        gan.partial_fit(images / 255, targets=images)


def one_each(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8), 90, np.uint8)).save(folder / name)
    return open_images(folder, ReadOptions())


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("name,label\r\nx\\1.png,a\r\ny\\1.png,b\r\n", ["a", "b"]),
        ("\ufeffname,label\n.\\x\\1.png,a\n./y/1.png,b\n", ["a", "b"]),
        ('name,label\n"x/1.png","two\nlines"\ny/1.png,"say ""b"""\n', ["two\nlines", 'say "b"']),
        ("name,label\rx/1.png,a\ry/1.png,b\r", ["a", "b"]),
    ],
)
def test_tables_of_labels_from_elsewhere(tmp_path, text, labels):
    opened = one_each(tmp_path / "pictures", "x/1.png", "y/1.png")
    (tmp_path / "labels.csv").write_bytes(text.encode())
    assert list(labels_of(opened, tmp_path / "labels.csv")) == labels


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,label\n0.png,a\n0.png,b\n1.png,c\n", "two labels for '0.png': 'a' and 'b'"),
        ("name,label\n0.png,\n1.png,c\n", "no label for 1 of 2 images: 0.png"),
        ("0.png\n1.png\n", "holds names of the images, such as '1.png', but no labels"),
    ],
)
def test_tables_that_leave_labels_open(tmp_path, text, message):
    opened = one_each(tmp_path / "pictures", "0.png", "1.png")
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(InvalidInputError, match=message):
        labels_of(opened, tmp_path / "labels.csv")


def test_labels_of_no_picture_are_named_and_labels_that_look_like_names_are_labels(tmp_path):
    opened = one_each(tmp_path / "pictures", *(f"{number}.png" for number in range(3)))
    table = tmp_path / "labels.csv"
    table.write_text("label,id\n2,0\n1,1\n1,2\n0,ghost\n")
    with pytest.warns(UserWarning, match="1 labels of .* belong to no picture that was read and are left out: ghost"):
        assert list(labels_of(opened, table)) == ["2", "1", "1"]
    table.write_text("2\n1\n1\n")
    assert list(labels_of(opened, table)) == ["2", "1", "1"]


def test_pairs_whose_names_differ_in_the_ending_only(tmp_path):
    one_each(tmp_path / "a", "1.png", "1.bmp", "2.png")
    one_each(tmp_path / "b", "1.png", "2.png")
    gan = ImageGAN("supervised-l1", n_steps=1, batch_size=2, settings={"width": 4}, random_state=0)
    with pytest.warns(UserWarning, match=r"1 pictures have no counterpart .* left out: 1\.bmp"):
        gan.fit(tmp_path / "a", targets=tmp_path / "b")


def test_a_shape_for_flat_rows_that_images_do_not_have(tmp_path):
    one_each(tmp_path, "1.png")
    for images in (tmp_path, np.zeros((3, 8, 8), np.uint8)):
        with pytest.raises(InvalidParameterError, match=r"image_shape=\(4, 16\) is for flat rows"):
            open_images(images, ReadOptions(image_shape=(4, 16)))
    assert open_images(tmp_path, ReadOptions(image_shape=(8, 8))).form.shape == (1, 8, 8)
