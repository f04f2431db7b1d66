"""Other settings of the same classifier: which are tried, in pipelines too, and which names are refused."""

import pytest
from sklearn.base import BaseEstimator
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import all_estimators

from tabgan.exceptions import InvalidParameterError
from tabgan.model_selection.learner_settings import SETTINGS, other_settings


def test_every_setting_can_be_set():
    kinds = dict(all_estimators("classifier"))
    for name, settings in SETTINGS.items():
        if name in kinds:
            for one in settings:
                assert one.keys() <= kinds[name]().get_params().keys()
            assert len(other_settings(kinds[name](), None)) == len(settings)


def test_what_is_already_set_is_not_tried_again():
    found = other_settings(HistGradientBoostingClassifier(learning_rate=0.02), None)
    longer = "min_samples_leaf=200, max_iter=300, early_stopping=False"
    assert list(found) == ["min_samples_leaf=200", longer], "two more would be the same"
    assert found["min_samples_leaf=200"].learning_rate == 0.02


def test_the_last_step_of_a_pipeline_is_changed_and_the_original_is_not():
    piped = make_pipeline(StandardScaler(), LogisticRegression(C=0.1))
    found = other_settings(piped, None)
    assert list(found) == ["C=0.01", "C=10.0"]
    assert found["C=0.01"].steps[-1][1].C == 0.01
    assert piped.steps[-1][1].C == 0.1


def test_kinds_inherit_their_settings_and_others_have_none():
    class Mine(LogisticRegression):
        pass

    assert list(other_settings(Mine(), None)) == ["C=0.01", "C=0.1", "C=10.0"]
    assert other_settings(LinearDiscriminantAnalysis(), None) == {}
    assert other_settings(BaseEstimator(), {}) == {}


def test_settings_of_ones_own():
    found = other_settings(make_pipeline(StandardScaler(), LogisticRegression()), {"strict": {"C": 1e-4}})
    assert found["strict"].steps[-1][1].C == 1e-4
    for given in ([], {"x": 1}, {"x": {}}, "x"):
        with pytest.raises(InvalidParameterError, match="other_settings="):
            other_settings(LogisticRegression(), given)
    with pytest.raises(InvalidParameterError, match="'depth', which LogisticRegression does not have; it has C"):
        other_settings(LogisticRegression(), {"x": {"depth": 3}})
