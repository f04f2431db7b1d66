"""`save` and `tabgan.load` of all kinds: who may be saved, and what becomes of files that are not what they should be."""

import importlib
import inspect
import pkgutil
from dataclasses import fields

import pytest
from safetensors import safe_open
from safetensors.torch import save_file
from sklearn.exceptions import NotFittedError

import tabgan
from tabgan.core.checkpoint import FORMAT_VERSION, read_model_file, write_model_file
from tabgan.estimators.migrations import MIGRATIONS
from tabgan.estimators.saving import HOMES, Savable
from tabgan.exceptions import ModelFileError, TabganError
from tabgan.images import ImageGAN
from tabgan.sampling.adversarial import SamplerSettings
from tests.golden.models.fitted import CURRENT

CLASSES = {kind: getattr(importlib.import_module(home), kind) for kind, home in HOMES.items()}
FILES = {"GAINImputer": "gain", "BAGANOversampler": "bagan", "CGANSampler": "cgan", "ImageGAN": "image_classes"}


@pytest.fixture(params=FILES)
def kind(request):
    return request.param


@pytest.fixture
def path(kind, tmp_path):
    """A good file of the kind."""
    copy = tmp_path / "model.tabgan"
    copy.write_bytes((CURRENT / f"{FILES[kind]}.tabgan").read_bytes())
    return copy


def test_each_kind_is_the_name_of_a_public_class_that_can_save():
    for kind, cls in CLASSES.items():
        assert cls.__name__ == kind
        assert getattr(tabgan, kind, None) is cls or cls is ImageGAN
        assert cls.save is Savable.save


def test_every_class_that_can_save_is_known():
    for module in pkgutil.walk_packages(tabgan.__path__, "tabgan."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found, waiting = set(), [Savable]
    while waiting:
        waiting += (below := waiting.pop().__subclasses__())
        found |= {cls for cls in below if cls.__module__.startswith("tabgan.")}
    assert {cls for cls in found if not any(issubclass(other, cls) for other in found - {cls})} == set(CLASSES.values())


def test_each_kind_is_loaded(kind, path):
    assert type(tabgan.load(path)) is CLASSES[kind]
    assert type(tabgan.load(str(path))) is CLASSES[kind]


def checksum(path):
    """Over kind, version, entries and tensors; the order of a file's header is not always the same."""
    with safe_open(str(path), "pt") as opened:
        return opened.metadata()["sha256"]


def test_a_loaded_model_saves_the_same_content(path, tmp_path):
    tabgan.load(path).save(tmp_path / "today.tabgan")  # a file of an earlier day lacks what was added since
    tabgan.load(tmp_path / "today.tabgan").save(tmp_path / "again.tabgan")
    assert checksum(tmp_path / "again.tabgan") == checksum(tmp_path / "today.tabgan")


def test_only_fitted_models_are_saved(kind, tmp_path):
    with pytest.raises(NotFittedError):
        CLASSES[kind]().save(tmp_path / "model.tabgan")
    assert not list(tmp_path.iterdir())


def test_a_model_whose_next_fit_failed_is_not_saved(kind, path):
    """Its columns may be those of the new table already; a fit takes the old model away first."""
    model, before = tabgan.load(path), path.read_bytes()
    del model.__dict__[{"GAINImputer": "_model", "ImageGAN": "players_"}.get(kind, "_fitted")]
    with pytest.raises(NotFittedError):
        model.save(path)
    assert path.read_bytes() == before


def test_a_subclass_is_not_saved_as_what_it_is_not(path, kind):
    model = tabgan.load(path)
    model.__class__ = type(kind, (CLASSES[kind],), {"__module__": __name__})
    before = path.read_bytes()
    with pytest.raises(ModelFileError, match=f"does not know the class {kind} of {__name__}, only GAINImputer, "):
        model.save(path)
    assert path.read_bytes() == before


def test_damaged_files(path):
    whole = path.read_bytes()
    assert b"pickle" not in whole
    for n in (0, 7, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:n])
        with pytest.raises(ModelFileError, match=r"truncated or damaged\?"):
            tabgan.load(path)
    path.write_bytes(whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:])
    with pytest.raises(ModelFileError, match="changed after it was written"):
        tabgan.load(path)


def test_newer_files_ask_for_an_upgrade(path):
    with safe_open(str(path), "pt") as opened:
        metadata, tensors = opened.metadata(), {name: opened.get_tensor(name) for name in opened.keys()}
    save_file(tensors, str(path), metadata | {"format_version": str(FORMAT_VERSION + 1)})
    with pytest.raises(ModelFileError, match=f"format version '{FORMAT_VERSION + 1}'; .* upgrade tabgan-learn"):
        tabgan.load(path)
    save_file(tensors, str(path), {"format": "pt"})
    with pytest.raises(ModelFileError, match="not one that tabgan wrote"):
        tabgan.load(path)


@pytest.mark.parametrize(
    "content", [None, [], "text", {"parameters": None}, {"parameters": []}, {"parameters": {"x": 1}}]
)
def test_content_that_no_tabgan_wrote(kind, content, tmp_path):
    write_model_file(tmp_path / "model.tabgan", kind, content)
    with pytest.raises(ModelFileError, match=f"no {kind} that this tabgan can read"):
        tabgan.load(tmp_path / "model.tabgan")


@pytest.mark.parametrize("kind", ["Trainer", "", "os", "GAINImputer.paper", "TabularSampler"])
def test_other_kinds_are_refused_whatever_their_name(kind, tmp_path):
    write_model_file(tmp_path / "model.tabgan", kind, {})
    with pytest.raises(ModelFileError, match=f"holds a {kind!r}, which this tabgan does not know"):
        tabgan.load(tmp_path / "model.tabgan")


def test_no_file(tmp_path):
    for path in (tmp_path, tmp_path / "nothing.tabgan"):
        with pytest.raises(FileNotFoundError, match="no model file at"):
            tabgan.load(path)


def test_a_recipe_of_a_newer_tabgan_is_named(tmp_path):
    kind, content = read_model_file(CURRENT / "image_classes.tabgan")
    write_model_file(tmp_path / "model.tabgan", kind, content | {"recipe": "holography"})
    with pytest.raises(ModelFileError, match="its recipe 'holography' is unknown"):
        tabgan.load(tmp_path / "model.tabgan")


def test_every_older_version_has_a_migration():
    assert list(MIGRATIONS) == list(range(1, FORMAT_VERSION))
    with pytest.raises(TabganError, match="fit again and save"):
        MIGRATIONS[1]("GAINImputer", {})


def test_the_first_files_of_version_1_had_neither_repeated_numbers_nor_gates():
    encoder = {"schema": {}, "scalings": [[0, {"scale": 2.0}], [3, {}, [1.5]]]}
    content = MIGRATIONS[1]("CGANSampler", {"gaussians": [1, 2], "encoder": encoder, "draws": 4})
    assert content == {
        "gaussians": {"mean": 1, "factor": 2},
        "encoder": {
            "schema": {},
            "scalings": [{"column": 0, "transform": {"scale": 2.0}}, {"column": 3, "transform": {}, "repeated": [1.5]}],
        },
        "gate": None,
        "draws": 4,
    }


def test_settings_of_samplers_have_the_defaults_of_the_estimator():
    assert SamplerSettings() == tabgan.CGANSampler()._settings()
    for setting in fields(SamplerSettings):
        parameter = inspect.signature(tabgan.CGANSampler).parameters.get(setting.name)
        assert parameter is None or parameter.default == setting.default
