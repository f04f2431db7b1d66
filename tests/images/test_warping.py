"""Random changes of images: what each strength does, how far it goes, and whose images are drawn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images.reading import ReadOptions, open_images
from tabgan.images.warping import Warp, WarpedImages, warped

NONE = {"turn": 0.0, "slant": 0.0, "scale": 0.0, "move": 0.0, "bend": 0.0}
N = 3000


def only(**strengths) -> Warp:
    return Warp(**(NONE | strengths))


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def spot(height: int, width: int, down: float, across: float) -> torch.Tensor:
    """A soft bright spot, at shares of height and width from the top left, in black; its place can be told to a part of a pixel."""
    rows, columns = torch.arange(height)[:, None], torch.arange(width)[None]
    distance = (rows - down * (height - 1)) ** 2 + (columns - across * (width - 1)) ** 2
    return (2 * torch.exp(-distance / 8) - 1)[None, None].repeat(N, 1, 1, 1)


def places(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Centres of brightness, down and across, in pixels from the image's middle."""
    weight = images[:, 0] + 1
    total = weight.sum((1, 2))
    height, width = images.shape[2:]
    down = (weight.sum(2) * (torch.arange(height) - (height - 1) / 2)).sum(1) / total
    across = (weight.sum(1) * (torch.arange(width) - (width - 1) / 2)).sum(1) / total
    return down, across


def reach_of(values: torch.Tensor) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def test_no_strength_changes_nothing():
    images = torch.rand(5, 3, 9, 12, generator=draw()) * 2 - 1
    torch.testing.assert_close(only().of(images, draw()), images, rtol=0, atol=1e-5)


def test_moves_go_both_ways_and_no_further():
    down, across = places(only(move=0.2).of(spot(40, 20, 0.5, 0.5), draw()))
    assert reach_of(down) == pytest.approx((-8, 8), abs=0.8)  # a fifth of 40
    assert reach_of(across) == pytest.approx((-4, 4), abs=0.4)
    assert abs(np.corrcoef(down, across)[0, 1]) < 0.3


def test_turns_keep_the_distance_from_the_middle_whatever_the_sides():
    start = spot(40, 60, 0.5, 0.75)
    far = float(places(start)[1][0])
    down, across = places(only(turn=30).of(start, draw()))
    torch.testing.assert_close((down**2 + across**2).sqrt(), torch.full((N,), far), rtol=0, atol=0.1)
    angles = torch.rad2deg(torch.atan2(down, across))
    assert reach_of(angles) == pytest.approx((-30, 30), abs=1.5)


def test_slants_move_the_top_against_the_bottom():
    (above, top), (below, bottom) = (
        places(only(slant=0.3).of(spot(41, 41, share, 0.5), draw())) for share in (0.25, 0.75)
    )
    torch.testing.assert_close(top, -bottom, rtol=0, atol=0.05)
    torch.testing.assert_close(above, torch.full((N,), -10.0), rtol=0, atol=0.05)
    torch.testing.assert_close(below, -above, rtol=0, atol=0.1)
    assert reach_of(top - bottom) == pytest.approx((-6, 6), abs=0.4)  # 0.3 of half the height, which is 20 pixels


def test_scales_are_of_height_and_width_apart():
    down, across = places(only(scale=0.2).of(spot(60, 60, 0.75, 0.75), draw()))
    start = 0.25 * 59
    assert reach_of(down / start) == pytest.approx((0.8, 1.2), abs=0.03)
    assert reach_of(across / start) == pytest.approx((0.8, 1.2), abs=0.03)
    assert abs(np.corrcoef(down, across)[0, 1]) < 0.3


def test_bends_are_smooth_and_as_large_as_asked():
    weak, strong = (float(places(only(bend=bend).of(spot(40, 40, 0.5, 0.5), draw()))[0].std()) for bend in (0.02, 0.04))
    assert strong == pytest.approx(2 * weak, rel=0.2)
    assert 0.2 < strong / (0.04 * 40) < 0.8  # strengths from 0 on, and smooth between random knots
    ramp = torch.linspace(-1, 1, 40).expand(N, 1, 40, 40)
    steps = only(bend=0.04).of(ramp, draw())[:, 0].diff(dim=2) * 39 / 2
    assert 0.05 < float(steps[:, 10:30, 10:30].std()) < 0.6  # neighbours move alike


def test_half_are_mirrored():
    images = torch.rand(N, 2, 6, 8, generator=draw()) * 2 - 1
    made = only(flip=True).of(images, draw())
    same = torch.isclose(made, images, atol=1e-4).flatten(1).all(1)
    mirrored = torch.isclose(made, images.flip(3), atol=1e-4).flatten(1).all(1)
    assert bool((same ^ mirrored).all())
    assert 0.4 < float(same.float().mean()) < 0.6


def test_strengths_are_an_image_s_own():
    """A third of the images have less than a third of the strength: change is not all or nothing."""
    down, across = places(only(move=0.2).of(spot(40, 40, 0.5, 0.5), draw()))
    largest = torch.maximum(down.abs(), across.abs()) / 8
    assert float((largest < 1 / 3).float().mean()) > 0.3
    assert float((largest > 2 / 3).float().mean()) > 0.1


@given(st.integers(1, 4), st.integers(4, 12), st.integers(4, 12), st.booleans())
@settings(max_examples=20, deadline=None)
def test_values_stay_among_those_of_the_image(channels, height, width, flip):
    images = torch.rand(6, channels, height, width, generator=draw()) * 2 - 1
    made = Warp(flip=flip).of(images, draw(1))
    assert made.shape == images.shape
    assert bool((made.amax((2, 3)) <= images.amax((2, 3)) + 1e-5).all())
    assert bool((made.amin((2, 3)) >= images.amin((2, 3)) - 1e-5).all())
    torch.testing.assert_close(Warp(flip=flip).of(images, draw(1)), made)
    alike = Warp(flip=flip).of(images[:, :1].expand(-1, channels, -1, -1), draw(1))
    torch.testing.assert_close(alike, alike[:, :1].expand_as(alike))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"turn": 181}, r"warp\['turn'\]=181 .* from 0 to 180"),
        ({"slant": -0.1}, r"warp\['slant'\]=-0\.1"),
        ({"scale": 1}, r"warp\['scale'\]=1 .* from 0 to 0\.9"),
        ({"move": float("nan")}, r"warp\['move'\]=nan"),
        ({"bend": "far"}, r"warp\['bend'\]='far'"),
        ({"bend": True}, r"warp\['bend'\]=True"),
        ({"flip": 1}, r"warp\['flip'\]=1 .* True or False"),
        ({"twist": 1}, "some of turn, slant, scale, move, bend, flip"),
        ("all", "True, False, or a dict"),
        (1, "True, False, or a dict"),
    ],
)
def test_what_is_no_change(given, message):
    with pytest.raises(InvalidParameterError, match=message):
        Warp.parsed(given)


def test_what_is_one():
    assert Warp.parsed(True) == Warp()
    assert Warp.parsed({"turn": 3}) == Warp(turn=3)
    assert Warp.parsed(False) is None
    assert Warp.parsed(None) is None


def numbered(n: int) -> np.ndarray:
    """Images of one grey each, which says which one it is."""
    return np.repeat(np.arange(n, dtype=np.uint8), 64).reshape(n, 8, 8)


@pytest.mark.parametrize("warp", [None, Warp()])
def test_images_of_a_class_take_turns(warp):
    labels = np.repeat(["a", "b", "c"], [4, 3, 2])
    source = WarpedImages(open_images(numbered(9), ReadOptions((0, 255))), labels, warp, draw())
    assert source.classes_.tolist() == ["a", "b", "c"]
    made = source.sample(y=["b"] * 7 + ["a"] * 4, random_state=3)
    assert made.dtype == np.uint8
    counts = np.bincount(made[:7, 0, 0], minlength=9)
    assert counts[:4].tolist() == [0] * 4
    assert sorted(counts[4:7]) == [2, 2, 3]
    assert sorted(made[7:, 0, 0]) == [0, 1, 2, 3]
    np.testing.assert_array_equal(source.sample(y=["b"] * 7 + ["a"] * 4, random_state=3), made)
    orders = {tuple(source.sample(y=["a"] * 4)[:, 0, 0]) for _ in range(5)}
    assert len(orders) > 1


def test_labels_that_do_not_fit():
    opened = open_images(numbered(3), ReadOptions((0, 255)))
    with pytest.raises(InvalidInputError, match="y has 2 rows, but there are 3 images"):
        WarpedImages(opened, ["a", "b"], None, draw())
    with pytest.raises(InvalidInputError, match="missing"):
        WarpedImages(opened, np.array(["a", None, "b"], dtype=object), None, draw())
    with pytest.raises(InvalidInputError, match=r"y\[0\]='z' is not one of the classes"):
        WarpedImages(opened, ["a", "b", "b"], None, draw()).sample(y=["z"])


@pytest.mark.parametrize("layout", ["hw", "hwc", "chw", "flat"])
def test_what_was_handed_out_is_changed_in_its_own_layout(layout):
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 8), dtype=np.uint8)
    shaped = {"hw": images, "hwc": images[..., None], "chw": images[:, None], "flat": images.reshape(6, 64)}[layout]
    form = open_images(shaped, ReadOptions()).form
    same = warped(shaped, form, only(), draw())
    np.testing.assert_array_equal(same, shaped)
    made = warped(shaped, form, Warp(), draw())
    assert made.shape == shaped.shape
    assert made.dtype == np.uint8
    assert (made != shaped).mean() > 0.3
