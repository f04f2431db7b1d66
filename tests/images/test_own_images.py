"""From a folder of photographs, by the command line alone, to samples, translations, a balanced folder and an exported generator."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from typer.testing import CliRunner

import tabgan
from tabgan.cli.main import app
from tabgan.exceptions import MissingExtraError
from tabgan.images import ImageGAN
from tabgan.images.exporting import GeneratorModule
from tabgan.images.fitting import make_images
from tabgan.images.reading import ReadOptions, open_images

QUICK = ["--steps", 2, "--device", "cpu", "--quiet"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """200 colour JPEGs of mixed sizes in two class folders, and a folder of their edges."""
    place, rng = tmp_path_factory.mktemp("own"), np.random.default_rng(0)
    for number in range(200):
        kind = "rare bird" if number % 5 == 0 else "cat"
        height, width = rng.integers(18, 40, 2)
        pixels = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
        picture = Image.fromarray(pixels).resize((int(width), int(height)), Image.Resampling.BICUBIC)
        for folder, image in (("photos", picture), ("edges", picture.filter(ImageFilter.FIND_EDGES))):
            (place / folder / kind).mkdir(parents=True, exist_ok=True)
            image.save(place / folder / kind / f"{number:03}.jpg")
    return place


@pytest.fixture
def run(photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("photos", "edges"):
        Path(name).symlink_to(photos / name)

    def call(*words, code=0):
        result = CliRunner().invoke(app, ["images", *map(str, words)])
        assert result.exit_code == code, result.output
        return result.stderr

    return call


def png(path):
    return np.asarray(Image.open(path))


def test_train_grid_sample_and_export(run):
    run("train", "photos", "-o", "m.tabgan", "-r", "cgan", "--size", 16, "--settings", '{"width": 8}', *QUICK)
    gan = tabgan.load("m.tabgan")
    assert gan.classes_.tolist() == ["cat", "rare bird"]
    run("grid", "m.tabgan", "-o", "grid.png", "-n", 6)
    assert png("grid.png").ndim == 3
    Path("drawn").mkdir()
    run("sample", "m.tabgan", "-o", "drawn", "-n", 3, "--label", "rare bird")
    assert png("drawn/00002.png").shape == (16, 16, 3)
    assert "noise (n, 32), classes (n) in" in run("export", "m.tabgan", "-o", "generator.pt2")
    module = GeneratorModule(gan)
    inputs = module.example(5, torch.Generator().manual_seed(1))
    with torch.no_grad():
        wanted = module(*inputs.values())
        found = torch.export.load("generator.pt2").module()(*inputs.values())
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5)
    condition = torch.eye(2)[inputs["classes"]]
    made = make_images(gan.recipe_, gan.players_, inputs["noise"], condition)
    torch.testing.assert_close(found, gan._format.cropped(made), rtol=0, atol=1e-5)


def test_balance_changes_pictures_of_the_rare_class(run):
    line = ["balance", "photos", "-o", "more", "--size", "16x12", "--quiet", "--only-new"]
    run(*line)
    assert len(list(Path("more/rare bird").iterdir())) == 120
    changed = [png(file) for file in sorted(Path("more/rare bird").iterdir())]
    assert changed[0].shape == (16, 12, 3)
    assert len({picture.tobytes() for picture in changed}) == 120
    for name, options in {
        "again": [],
        "copies": ["--warp", '{"turn": 0, "slant": 0, "scale": 0, "move": 0, "bend": 0}'],
    }.items():
        line[3] = name
        run(*line, *options)
    assert [png(file).tobytes() for file in sorted(Path("again/rare bird").iterdir())] == [
        picture.tobytes() for picture in changed
    ]
    assert len({png(file).tobytes() for file in Path("copies/rare bird").iterdir()}) == 40


def test_balance_generates_pictures_of_the_rare_class(run):
    settings = ["--recipe", "bagan", "--settings", '{"width": 8, "n_autoencoder_steps": 1}']
    line = ["balance", "photos", "-o", "more", "--size", "16x12", *settings, *QUICK]
    told = run(*[word for word in line if word != "--quiet"], "--model", "b.tabgan")
    assert "fewer than 50 images: 'rare bird' (40). From so few" in told
    assert {folder.name: len(list(folder.iterdir())) for folder in Path("more").iterdir()} == {
        "cat": 160,
        "rare bird": 160,
    }
    assert png("more/rare bird/synthetic-00119.png").shape == (16, 12, 3)
    assert Path("more/cat/001.jpg").read_bytes() == Path("photos/cat/001.jpg").read_bytes()
    assert "holds files; give a new one" in run(*line, code=2)
    line[3] = "new"
    run(*line[:6], "--model", "b.tabgan", "--only-new", "--strategy", '{"rare bird": 43}')
    assert not Path("new/cat").exists()
    assert len(list(Path("new/rare bird").iterdir())) == 3
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["b.tabgan", "edges", "more", "new", "photos"]


def test_edges_become_photographs(run):
    Path("grids").mkdir()
    watch = ["--sample-every", 2, "--sample-folder", "grids"]
    settings = ["--size", 16, "--settings", '{"width": 4}', *QUICK]
    run("train", "edges", "--targets", "photos", "-r", "pix2pix", "-o", "m.tabgan", *settings, *watch)
    assert png("grids/step-000002.png").shape == (2 * (3 * 17 + 1), 2 * (8 * 17 + 1), 3)  # given, made, wanted
    assert "200 images -> out" in run("translate", "m.tabgan", "edges", "-o", "out")
    assert png("out/rare bird/000.png").shape == (16, 16, 3)
    run("translate", "m.tabgan", "edges/cat/001.jpg", "-o", "one.png")
    run("translate", "m.tabgan", "edges/cat", "-o", "cats.npy")
    cats, single = np.load("cats.npy").astype(int), png("one.png").astype(int)
    assert cats.shape == (160, 16, 16, 3)
    assert np.abs(cats[0] - single).max() <= 1
    for seed in (1, 1, 2):
        run("translate", "m.tabgan", "edges/cat/001.jpg", "-o", f"drawn{seed}.png", "--draw", "--seed", seed)
    assert not np.array_equal(png("drawn1.png"), png("drawn2.png"))
    assert "images (n, 3, 16, 16) in" in run("export", "m.tabgan", "-o", "t.pt2")


def test_both_ways_between_two_domains(run):
    Path("grids").mkdir()
    settings = ["--size", 12, "--settings", '{"width": 4, "n_blocks": 1}', *QUICK]
    watch = ["--sample-every", 1, "--sample-folder", "grids"]
    run("train", "photos/cat", "--targets", "photos/rare bird", "-r", "cyclegan", "-o", "m.tabgan", *settings, *watch)
    assert len(list(Path("grids").iterdir())) == 2
    run("translate", "m.tabgan", "photos/cat", "-o", "birds.npy")
    run("translate", "m.tabgan", "photos/cat", "-o", "cats.npy", "--reverse")
    birds, cats = np.load("birds.npy"), np.load("cats.npy")
    assert not np.array_equal(birds, cats)
    gan = tabgan.load("m.tabgan")
    given = open_images("photos/cat", ReadOptions(size=12)).pixels[:]
    for made, reverse in ((birds, False), (cats, True)):
        with torch.no_grad():
            module = gan._format.restore(GeneratorModule(gan, reverse=reverse)(given))
        assert np.abs(module.astype(int) - made).max() <= 1


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_translations_of_sixteen_bits_are_written_in_sixteen(run, name):
    Path("deep").mkdir()
    Image.fromarray(np.linspace(0, 4000, 64).reshape(8, 8).astype(np.uint16)).save(f"deep/{name}")
    line = [
        "train",
        "deep",
        "--targets",
        "deep",
        "-r",
        "supervised-l1",
        "-o",
        "m.tabgan",
        "--settings",
        '{"width": 4}',
        *QUICK,
    ]
    assert "white is 4095" in run(*line)
    run("translate", "m.tabgan", "deep", "-o", "out")
    assert png("out/a.png").dtype == np.uint16
    assert png("out/a.png").max() > 255
    run("translate", "m.tabgan", "deep", "-o", "out.npy")
    np.testing.assert_array_equal(png("out/a.png"), np.load("out.npy")[0])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "photos", "-o", "m"], "give a size, such as --size N"),
        (["train", "photos", "-o", "m", "--size", "big"], "--size 'big' is not valid"),
        (["train", "photos", "-o", "m", "--size", "16", "--alpha", "nocolour"], "--alpha 'nocolour' is not valid"),
        (["train", "photos", "-o", "m", "--size", "16", "--labels", "l.csv", "--no-labels"], "say the opposite"),
        (["translate", "g.tabgan", "photos", "-o", "out"], "has no transform; use sample"),
        (["translate", "g.tabgan", "photos", "-o", "photos"], "is the input itself"),
        (["export", "g.tabgan", "-o", "out.bin"], "must end in .pt2 or .onnx"),
        (["export", "g.tabgan", "-o", "out.pt2", "--reverse"], "translates both ways"),
        (["balance", "photos/cat", "-o", "out"], "has no subfolders"),
        (["balance", "photos", "-o", "no/out"], "folder 'no' does not exist"),
        (["balance", "photos", "-o", "out", "--strategy", '{"dog": 3}'], "--strategy"),
        (["balance", "photos", "-o", "out", "--steps", 3], "--steps '3' is about training"),
        (["balance", "photos", "-o", "out", "--model", "new.tabgan"], "--model 'new.tabgan' is about training"),
        (["balance", "photos", "-o", "out", "--size", 8, "--warp", "turn"], "--warp 'turn' is no JSON"),
        (["balance", "photos", "-o", "out", "--size", 8, "--warp", '{"turn": 900}'], "from 0 to 180"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(run, words, message):
    if "g.tabgan" in words:
        ImageGAN("non-saturating", n_steps=1, settings={"width": 4}).fit(np.zeros((4, 8, 8))).save("g.tabgan")
    before = sorted(Path.cwd().iterdir())
    told = run(*words, code=2)
    assert message in told
    assert told.count("\n") == 1
    assert sorted(Path.cwd().iterdir()) == before


def test_extras_are_named_where_they_are_absent(run, monkeypatch):
    for name in ("onnx", "torch.utils.tensorboard"):
        monkeypatch.setitem(sys.modules, name, None)
    gan = ImageGAN("non-saturating", n_steps=1, settings={"width": 4}).fit(np.zeros((4, 8, 8)))
    with pytest.raises(MissingExtraError, match=r"tabgan-learn\[onnx\]"):
        gan.export("a.onnx")
    with pytest.raises(MissingExtraError, match=r"tabgan-learn\[tensorboard\]"):
        gan.set_params(tensorboard="log").fit(np.zeros((4, 8, 8)))


def test_onnx_gives_the_same_images(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    images = np.random.default_rng(0).random((20, 9, 9))
    gan = ImageGAN("bagan", n_steps=2, settings={"width": 8, "n_autoencoder_steps": 1}).fit(images, np.arange(20) % 2)
    gan.export(tmp_path / "g.onnx")
    module = GeneratorModule(gan)
    inputs = module.example(3, torch.Generator().manual_seed(1))
    found = runtime.InferenceSession(tmp_path / "g.onnx").run(
        None, {name: value.numpy() for name, value in inputs.items()}
    )
    with torch.no_grad():
        np.testing.assert_allclose(found[0], module(*inputs.values()), atol=1e-5)


def test_a_log_for_tensorboard(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    images = np.random.default_rng(0).random((20, 8, 8))
    ImageGAN("dragan", n_steps=4, settings={"width": 4}, tensorboard=tmp_path, sample_every=2).fit(images)
    log = EventAccumulator(str(tmp_path)).Reload()
    assert set(log.Tags()["scalars"]) >= {"loss/generator", "loss/discriminator"}
    assert [event.step for event in log.Images("images")] == [2, 4]
