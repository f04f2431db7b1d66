"""Files that are damaged or crafted end in ModelFileError or a model, and take little memory on the way.

``TABGAN_MUTATED_FILES=1000 pytest tests/estimators/test_mutated_files.py`` tries more of them.
"""

import json
import os
import subprocess
import sys

import pytest
import torch

import tabgan
from tabgan.core.trust import allowance_of, load_weights
from tabgan.exceptions import MissingExtraError, ModelFileError
from tabgan.imputation.trees import Tree, Trees
from tests.estimators.mutated_files import parts_of, signed
from tests.golden.models.fitted import CURRENT

N_FILES = int(os.environ.get("TABGAN_MUTATED_FILES", "96"))


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="memory is read from /proc")
def test_mutated_files_are_refused_or_loaded_in_little_memory():
    done = subprocess.run(
        [sys.executable, "-m", "tests.estimators.mutated_files", str(N_FILES)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert not found["wrong"]
    assert found["MB"] < 500
    assert set(found["counts"]) <= {f"{how} {end}" for how in ("damaged", "crafted") for end in ("refused", "loaded")}
    assert found["counts"]["crafted refused"] > N_FILES / 5


def refusal(raw, tmp_path):
    path = tmp_path / "model.tabgan"
    path.write_bytes(raw)
    with pytest.raises(ModelFileError) as caught:
        tabgan.load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def changed(name, change):
    """The file of a golden model whose tree was changed."""
    kind, tree, tensors = parts_of(CURRENT / f"{name}.tabgan")
    change(tree, tensors)
    return signed(kind, tree, tensors)


@pytest.mark.parametrize("number", [10**5, 2**40, 2**62])
@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("gain", ["model", "settings", "width"]),
        ("gain", ["model", "stages", "correction", "shape", "width"]),
        ("gain", ["model", "stages", "correction", "shape", "n_blocks"]),
        ("gain", ["model", "stages", "correction", "shape", "n_members"]),
        ("gain", ["model", "stages", "correction", "n_bins"]),
        ("gain", ["model", "spans", -1, 2]),
        ("gain_large", ["model", "settings", "network_width"]),
        ("gain_large", ["model", "settings", "n_bins"]),
        ("gain_published", ["model", "spans", -1, 2]),
        ("bagan", ["settings", "width"]),
        ("cgan", ["settings", "n_blocks"]),
        ("cgan", ["settings", "d_noise"]),
        ("bagan", ["n_classes"]),
        ("bagan", ["table", "n_rows"]),
        ("image_classes", ["settings", "width"]),
        ("image_classes", ["sizes", "n_classes"]),
        ("image_classes", ["sizes", "shape", "$tuple", 1]),
        ("image_translation", ["settings", "n_blocks"]),
    ],
)
def test_sizes_are_not_believed_before_tensors(name, places, number, tmp_path):
    def change(tree, _):
        for place in places[:-1]:
            tree = tree[place]
        tree[places[-1]] = number

    refusal(changed(name, change), tmp_path)


def test_every_tensor_has_one_place(tmp_path):
    def another(tree, tensors):
        tensors["another"] = torch.zeros(3)

    def twice(tree, tensors):
        tree["model"]["stages"]["draws"]["weights"]["lean"] = {"$tensor": "t0"}

    assert "'another' has no place" in refusal(changed("gain", another), tmp_path)
    assert "content that no tabgan wrote" in refusal(changed("gain", twice), tmp_path)


@pytest.mark.parametrize("version", ["9" * 5000, "٢", "²", "+1", " 1", ""])
def test_format_versions_that_are_no_numbers_of_ours(version, tmp_path):
    kind, tree, tensors = parts_of(CURRENT / "gain.tabgan")
    why = refusal(signed(kind, tree, tensors, version), tmp_path)
    assert "has format version" in why
    assert len(why) < 400


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(": 1", ": " + "1" * 5000, 1),
        lambda text: text.replace('"n_features_in": ', '"n_features_in": ' + "1" * 5000, 1),
        lambda text: text.replace(": 1", ": NaN", 1),
        lambda text: text.replace("{", '{"x":' + "[" * 450 + "]" * 450 + ",", 1),
        lambda text: "[" * 10**5 + text + "]" * 10**5,
    ],
    ids=["long", "longer", "NaN", "deep", "deeper"],
)
def test_text_that_python_stumbles_over(change, tmp_path):
    kind, tree, tensors = parts_of(CURRENT / "gain.tabgan")
    refusal(signed(kind, tree, tensors, change=change), tmp_path)


def test_masks_and_gaussians_of_other_shapes(tmp_path):
    def hidden(tree, tensors):
        tree["table"]["hidden"] = {"$tensor": "hidden"}
        tensors["hidden"] = torch.zeros(7, dtype=torch.bool)

    def gaussians(tree, tensors):
        name = tree["gaussians"]["mean"]["$tensor"]
        tensors[name] = tensors[name][:1].clone()  # torch would stretch it over all classes

    refusal(changed("cgan_without_network", hidden), tmp_path)
    assert "do not fit" in refusal(changed("bagan", gaussians), tmp_path)


@pytest.mark.parametrize("name", ["classes", "numeric", "column", "factor", "settled"])
def test_seeds_that_do_not_fit_each_other(name, tmp_path):
    def other(tree, tensors):
        key = tree["seeds"][name]["$tensor"]
        tensors[key] = tensors[key] + 1000 if tensors[key].dtype == torch.int64 else tensors[key][:1].clone()

    assert "seeds" in refusal(changed("cgan", other), tmp_path)


def trees(**other):
    """A tree of one split, and what is changed of it."""
    tree = Tree(torch.tensor([0, -1, -1]), torch.zeros(3).double(), torch.tensor([2, -1, -1]), torch.zeros(3, 1))
    return Trees.from_state(Trees([tree]).state() | other)


@pytest.mark.parametrize(
    "other",
    [
        {"target": torch.tensor([0, 0, 1], dtype=torch.int32)},  # a node below itself: rows would fall for ever
        {"target": torch.tensor([7, 0, 1], dtype=torch.int32)},  # outside: memory of others would be read
        {"target": torch.tensor([2, 0, 2], dtype=torch.int32)},
        {"target": torch.tensor([2, -1, 1], dtype=torch.int32)},
        {"target": torch.tensor([2, 0, 1])},
        {"feature": torch.zeros(3, dtype=torch.int16)},
        {"threshold": torch.zeros(2)},
        {"roots": torch.tensor([1])},
        {"roots": torch.tensor([0, 0])},
        {"roots": torch.tensor([0, 3])},
        {"roots": torch.tensor([0, -3])},
        {"width": 2},
        {"width": 0},
        {"width": 1.0},
        {"missing_left": torch.zeros(3)},
        {"values": torch.zeros(2, 1)},
    ],
)
def test_trees_that_rows_would_fall_out_of(other):
    trees()
    with pytest.raises(ModelFileError, match="its trees are damaged"):
        trees(**other)


def test_trees_of_a_wider_table():
    feature = torch.tensor([5, -1, -1], dtype=torch.int16)
    assert trees(feature=feature).mean(torch.zeros(2, 6)).shape == (2, 1)
    with pytest.raises(ModelFileError, match="slot 5 of 5"):
        trees(feature=feature).mean(torch.zeros(2, 5))


def test_the_allowance_is_what_tensors_can_fill():
    with allowance_of({"x": [torch.zeros(300, 300)]}):
        assert torch.zeros(300, 300).shape == (300, 300)
        for make in (
            lambda: torch.zeros(301, 300),
            lambda: torch.empty((90_001,)),
            lambda: torch.zeros(1).new_full((301, 300), 0.0),
            lambda: torch.zeros(10).repeat(1, 9001),
            lambda: torch.zeros(10, 1).expand(10, 9001),
            lambda: torch.randn(size=(301, 300)),
            lambda: torch.eye(301),
            lambda: torch.arange(90_001),
        ):
            with pytest.raises(ModelFileError, match="more than its tensors can fill"):
                make()
    with allowance_of({}), pytest.raises(ModelFileError, match="more than its tensors can fill"):
        [torch.zeros(1) for _ in range(10**4)]


def test_weights_of_another_type_or_layout():
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("column", torch.tensor([0, 0, 1]))
            self.register_buffer("mean", torch.zeros(3))

    good = Net().state_dict()
    load_weights(Net(), good)
    with pytest.raises(ModelFileError, match=r"'mean' is of torch.float64, where torch.float32"):
        load_weights(Net(), good | {"mean": torch.zeros(3).double()})
    with pytest.raises(ModelFileError, match="'column' contradicts the layout"):
        load_weights(Net(), good | {"column": torch.tensor([0, 1, 1])})
    for wrong in ({"column": good["column"]}, good | {"more": torch.zeros(1)}, good | {"mean": torch.zeros(2)}):
        with pytest.raises(RuntimeError, match="state_dict"):
            load_weights(Net(), wrong)


def test_a_model_of_arrow_columns_without_pyarrow_names_the_extra(tmp_path, monkeypatch):
    pd, pa = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    X = pd.DataFrame({"a": pd.array(range(30), dtype=pd.ArrowDtype(pa.int64())), "b": range(30)})
    sampler = tabgan.CGANSampler(n_steps=0, random_state=0).fit(X, [0] * 20 + [1] * 10)
    sampler.save(tmp_path / "model.tabgan")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'tabgan-learn\[parquet\]'"):
        tabgan.load(tmp_path / "model.tabgan")
