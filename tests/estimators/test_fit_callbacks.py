"""scikit-learn's callbacks on our fits: the stages are named, training says its losses, a callback can end it."""

import io

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tabgan import BAGANOversampler, CGANSampler, GAINImputer, load
from tabgan.core.following import ENDED_FROM_OUTSIDE
from tabgan.images import BAGANImageOversampler, ImageGAN
from tabgan.imputation.objectives import MOST_TASKS, STAGES
from tests.conftest import make_mixed

pytest.importorskip("sklearn.callback", reason="scikit-learn has callbacks from 1.9 on")

QUICK = {"n_trees": 2, "n_boosts": 2, "n_rounds": 1, "n_donor_trees": 1, "random_state": 0}


class Recorder:
    """Writes down what it is told; may ask for an end."""

    def __init__(self, stop_at=lambda context: False):
        self.begun, self.ended, self.told, self.fitted = [], [], [], []
        self.stop_at = stop_at
        self.n_setups = self.n_teardowns = 0

    def setup(self, estimator, context):
        self.n_setups += 1

    def teardown(self, estimator, context):
        self.n_teardowns += 1

    def on_fit_task_begin(self, estimator, context):
        self.begun.append(context.task_name)

    def on_fit_task_end(self, estimator, context, *, metadata=None, fitted_estimator=None):
        self.ended.append(context.task_name)
        if metadata is not None:
            self.told.append(metadata)
        if fitted_estimator is not None:
            self.fitted.append(fitted_estimator)
        return self.stop_at(context)


@pytest.fixture
def table():
    return make_mixed(44)[["number", "price", "colour"]]


@pytest.fixture
def labels():
    return np.where(np.arange(44) < 30, "many", "few")


def test_the_stages_of_an_imputer_are_tasks_that_begin_and_end(table):
    recorder = Recorder()
    imputer = GAINImputer(n_steps=40, **QUICK).set_callbacks(recorder).fit(table)
    stages = [name for name in recorder.begun if not name.startswith("to step")]
    assert stages[:3] == ["fit", "reading the table", "learning: closed form"]
    assert "judging by held-out cells" in stages
    assert stages[-1] == "errors on held-out cells"
    assert sorted(recorder.begun) == sorted(recorder.ended)
    assert (recorder.n_setups, recorder.n_teardowns) == (1, 1)
    (fitted,) = recorder.fitted  # at the end of the whole fit
    pd.testing.assert_frame_equal(fitted.transform(table), imputer.transform(table))


def test_training_says_its_step_losses_and_score(table):
    recorder = Recorder()
    GAINImputer(n_steps=100, **QUICK).set_callbacks(recorder).fit(table)
    steps = [told["step"] for told in recorder.told]
    assert steps[:10] == list(range(10, 101, 10))
    assert "validation" in recorder.told[-1]["losses"]
    assert "step" not in recorder.told[-1]["losses"]


def test_callbacks_change_nothing_that_is_learnt(table):
    plain = GAINImputer(n_steps=20, **QUICK).fit(table)
    followed = GAINImputer(n_steps=20, **QUICK).set_callbacks(Recorder()).fit(table)
    pd.testing.assert_frame_equal(plain.transform(table), followed.transform(table), rtol=1e-5)
    assert plain.stop_reason_ == followed.stop_reason_


def test_a_callback_ends_training_early(table):
    recorder = Recorder(stop_at=lambda context: context.task_name == "to step 20")
    imputer = GAINImputer(n_steps=200, **QUICK).set_callbacks(recorder).fit(table)
    assert imputer.n_iter_ == 20
    assert imputer.stop_reason_ == ENDED_FROM_OUTSIDE
    assert "errors on held-out cells" in recorder.begun  # what was learnt is kept, and scored
    assert imputer.transform(table).notna().all(axis=None)


def test_a_callback_that_stops_at_a_stage_leaves_out_what_can_wait(table):
    recorder = Recorder(stop_at=lambda context: context.task_name == "learning: closed form")
    imputer = GAINImputer(n_steps=20, **QUICK).set_callbacks(recorder).fit(table)
    assert "learning: blend" not in recorder.begun
    assert imputer.transform(table).notna().all(axis=None)


def test_gain_as_published_trains_below_the_fit(table):
    recorder = Recorder()
    GAINImputer.paper(n_steps=30).set_callbacks(recorder).fit(table)
    assert "GAINImputer (paper)" in recorder.begun
    assert [told["step"] for told in recorder.told] == [10, 20, 30]


@pytest.fixture
def pictures():
    return np.random.default_rng(0).integers(0, 256, size=(24, 8, 8), dtype=np.uint8)


def test_image_gans_tell_their_training_and_can_be_ended(pictures):
    recorder = Recorder()
    gan = ImageGAN("dcgan", n_steps=20, batch_size=4, random_state=0).set_callbacks(recorder).fit(pictures)
    stages = [name for name in recorder.begun if not name.startswith("to step")]
    assert stages[:3] == ["fit", "reading the images", "training"]
    assert sorted(recorder.begun) == sorted(recorder.ended)
    assert [told["step"] for told in recorder.told] == [10, 20]
    assert all(np.isfinite(list(told["losses"].values())).all() for told in recorder.told)
    assert len(recorder.fitted) == 1
    gan.partial_fit(pictures, n_steps=10)
    assert recorder.told[-1]["step"] == 30
    assert (recorder.n_setups, recorder.n_teardowns) == (2, 2)
    ender = Recorder(stop_at=lambda context: context.task_name == "to step 10")
    ended = ImageGAN("dcgan", n_steps=50, batch_size=4, random_state=0).set_callbacks(ender).partial_fit(pictures)
    assert ended.n_iter_ == 10
    assert ended.stop_reason_ == ENDED_FROM_OUTSIDE
    plain = ImageGAN("dcgan", n_steps=20, batch_size=4, random_state=0).fit(pictures)
    again = ImageGAN("dcgan", n_steps=20, batch_size=4, random_state=0).set_callbacks(Recorder()).fit(pictures)
    np.testing.assert_allclose(plain.sample(2), again.sample(2), atol=1)


def test_an_oversampler_of_images_hands_its_callbacks_on(pictures):
    labels, recorder = np.repeat(["a", "b"], [16, 8]), Recorder()
    BAGANImageOversampler(random_state=0).set_callbacks(recorder).fit_resample(pictures, labels)
    assert recorder.begun == ["fit", "reading the images"]
    assert sorted(recorder.begun) == sorted(recorder.ended)
    recorder = Recorder()
    made = BAGANImageOversampler(recipe="bagan", n_steps=10, batch_size=4, random_state=0).set_callbacks(recorder)
    made.fit_resample(pictures, labels)
    assert recorder.told
    assert sorted(recorder.begun) == sorted(recorder.ended)


@pytest.mark.parametrize("sampler", [BAGANOversampler, CGANSampler])
def test_samplers_name_their_stages(sampler, table, labels):
    recorder = Recorder()
    made = sampler(n_steps=20, redraws=0, random_state=0).set_callbacks(recorder)
    made.fit_resample(table.dropna(), labels[table.notna().all(axis=1)])
    stages = [name for name in recorder.begun if not name.startswith("to step")]
    assert stages[:3] == ["fit", "reading the table", "learning what rows look like"]
    assert stages[-1] == "making rows"
    assert sorted(recorder.begun) == sorted(recorder.ended)
    assert recorder.told
    assert len(recorder.fitted) == 1


def test_the_gate_is_a_task_of_its_own(table, labels):
    recorder = Recorder()
    sampler = BAGANOversampler(n_steps=0, redraws=0, gate="roc_auc", random_state=0).set_callbacks(recorder)
    sampler.fit(table, labels)
    assert recorder.begun[-1] == "gate: how many rows help"


def test_a_pipeline_hands_its_callbacks_down(table):
    class Propagated(Recorder):
        max_propagation_depth = None

    recorder = Propagated()
    imputer = GAINImputer(n_steps=20, **QUICK)
    make_pipeline(StandardScaler(), imputer).set_callbacks(recorder).fit(table[["number", "price"]])
    assert "learning: closed form" in recorder.begun
    assert not hasattr(imputer, "_skl_callbacks")


def test_a_fit_that_fails_still_tears_down(table):
    recorder = Recorder()
    imputer = GAINImputer(n_steps=20, **QUICK).set_callbacks(recorder)
    with pytest.raises(ValueError, match=r"2-D|dimension|shape"):
        imputer.fit(np.zeros(3))
    assert recorder.n_teardowns == recorder.n_setups == 1
    imputer.fit(table)  # and can be fitted again
    assert recorder.n_teardowns == 2


def test_the_progress_bar_shows_every_stage_by_name(table, monkeypatch):
    from rich import progress
    from rich.console import Console
    from sklearn.callback import ProgressBar

    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=120, height=60)
    monkeypatch.setattr(progress, "get_console", lambda: console)
    GAINImputer(n_steps=20, **QUICK).set_callbacks(ProgressBar()).fit(table)
    text = shown.getvalue()
    assert "GAINImputer - fit" in text
    assert "learning: closed form" in text
    assert "errors on held-out cells" in text


def test_callbacks_neither_stay_in_files_nor_in_tasks(table, tmp_path):
    imputer = GAINImputer(n_steps=2, **QUICK).set_callbacks(Recorder()).fit(table)
    imputer.save(tmp_path / "model.tabgan")
    assert not hasattr(load(tmp_path / "model.tabgan"), "_skl_callbacks")
    assert not hasattr(imputer, "_callback_fit_ctx")
    assert clone(imputer).n_steps == 2


def test_there_is_room_for_every_task():
    assert MOST_TASKS == {"paper": 1, "remask": sum(stage.judged for stage in STAGES) + 1 + len(STAGES)}
