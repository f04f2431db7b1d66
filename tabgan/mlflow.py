"""Models in MLflow: `save_model`, `log_model` and `load_model` over tabgan's own files, which hold no pickle.

MLflow's flavour for scikit-learn pickles, and asks for ``predict``, which imputers and samplers lack. In this one a logged model also
serves as ``python_function``: an imputer's ``predict`` is its ``transform``, a sampler's draws a row for each label that it is given.
MLflow is imported when a model is first saved, logged or loaded.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import tabgan
from tabgan.estimators.saving import Savable, load
from tabgan.exceptions import InvalidInputError, InvalidParameterError, MissingExtraError

__all__ = ["load_model", "log_model", "save_model"]

FLAVOR = "tabgan"
_FILE = "model.tabgan"


def save_model(
    estimator: Any,
    path: str | os.PathLike[str],
    *,
    mlflow_model: Any = None,
    pip_requirements: Any = None,
    input_example: Any = None,
    signature: Any = None,
    **options: Any,
) -> None:
    """Write a fitted estimator to a folder as an MLflow model, with the flavours ``tabgan`` and ``python_function``.

    Parameters
    ----------
    estimator : GAINImputer, BAGANOversampler, CGANSampler or ImageGAN
        Fitted.
    path : path-like
        The folder to make; it must not exist, or be empty.
    mlflow_model : mlflow.models.Model, default=None
        A description to add to; MLflow hands one in when it logs.
    pip_requirements : list of str or path, default=None
        What a server that loads the model installs. None asks for tabgan-learn in the version at hand.
    input_example : DataFrame, default=None
        Some rows, or labels for a sampler, which are stored beside the model.
    signature : mlflow.models.ModelSignature or False, default=None
        Names and types of columns that a server checks. None takes them from ``input_example``, where there is one. MLflow
        lets whole numbers have no missing values: columns that may miss some need to be floats in the example.
    **options
        Further ones of ``mlflow.pyfunc.save_model``: ``metadata``, ``conda_env``, ``code_paths``.

    Raises
    ------
    InvalidParameterError
        It is no estimator that ``save`` knows.
    sklearn.exceptions.NotFittedError
        Before ``fit``.
    MissingExtraError
        MLflow is not installed.

    See Also
    --------
    tabgan.load : Reads the file ``data/model.tabgan`` in that folder, without MLflow.

    Examples
    --------
    >>> from tabgan.mlflow import save_model
    >>> save_model(imputer, "model")  # doctest: +SKIP
    """
    mlflow = _mlflow()
    if not isinstance(estimator, Savable):
        raise InvalidParameterError(
            f"estimator={estimator!r} is not valid; it must be a GAINImputer, BAGANOversampler, CGANSampler or ImageGAN. "
            "A pipeline of them is logged with mlflow.sklearn, by pickle."
        )
    described = mlflow.models.Model() if mlflow_model is None else mlflow_model
    described.add_flavor(
        FLAVOR, tabgan_version=tabgan.__version__, kind=type(estimator).__name__, data=f"data/{_FILE}", code=None
    )
    if pip_requirements is None and "conda_env" not in options:
        pip_requirements = [f"tabgan-learn=={tabgan.__version__}"]
    if signature is None and input_example is not None:
        signature = mlflow.models.infer_signature(input_example, _Served(estimator).predict(input_example))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / _FILE
        estimator.save(file)
        mlflow.pyfunc.save_model(
            os.fspath(path),
            loader_module=__name__,
            data_path=str(file),
            mlflow_model=described,
            pip_requirements=pip_requirements,
            input_example=input_example,
            signature=signature or None,
            **options,
        )


def log_model(estimator: Any, name: str = "model", **options: Any) -> Any:
    """Log a fitted estimator with the current run, or as a model of its own.

    Parameters
    ----------
    estimator : GAINImputer, BAGANOversampler, CGANSampler or ImageGAN
        Fitted.
    name : str, default="model"
        Of the logged model.
    **options
        Those of `save_model`, and of ``mlflow.models.Model.log``: ``registered_model_name``, ``params``, ``tags``.

    Returns
    -------
    mlflow.models.model.ModelInfo
        ``model_uri`` is what `load_model` and ``mlflow.pyfunc.load_model`` take.

    Raises
    ------
    InvalidParameterError, sklearn.exceptions.NotFittedError, MissingExtraError
        As `save_model`.

    Examples
    --------
    >>> from tabgan.mlflow import load_model, log_model
    >>> logged = log_model(imputer, "imputer")  # doctest: +SKIP
    >>> load_model(logged.model_uri).transform(table)  # doctest: +SKIP
    """
    return _mlflow().models.Model.log(None, sys.modules[__name__], name=name, estimator=estimator, **options)


def load_model(model_uri: str, dst_path: str | None = None) -> Any:
    """Read an estimator that `save_model` or `log_model` wrote.

    Parameters
    ----------
    model_uri : str
        ``models:/...``, ``runs:/...``, a folder, or whatever else MLflow takes.
    dst_path : str, default=None
        Folder to download to; None takes a temporary one.

    Returns
    -------
    GAINImputer, BAGANOversampler, CGANSampler or ImageGAN
        As `tabgan.load` gives it.

    Raises
    ------
    ModelFileError
        The file was changed, or comes from a newer tabgan. Nothing in it is ever executed.
    InvalidInputError
        The model has no flavour ``tabgan``.
    MissingExtraError
        MLflow is not installed.
    """
    mlflow = _mlflow()
    folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=model_uri, dst_path=dst_path))
    flavors = mlflow.models.Model.load(str(folder)).flavors
    if FLAVOR not in flavors:
        raise InvalidInputError(
            f"{model_uri!r} has the flavours {', '.join(flavors)} but not {FLAVOR!r}: tabgan.mlflow did not write it."
        )
    return load(folder / flavors[FLAVOR]["data"])


class _Served:
    """What MLflow calls ``python_function``.

    Parameters
    ----------
    estimator : object
        As `tabgan.load` gives it.
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """Fill a table, or draw rows.

        Parameters
        ----------
        model_input : DataFrame or ndarray
            An imputer's table. A sampler's labels: one column, a row for each row wanted.
        params : dict, default=None
            Not used.

        Returns
        -------
        DataFrame or ndarray
            The filled table, or the drawn rows as a frame with the label last.

        Raises
        ------
        InvalidInputError
            The table does not fit, or it is not one column of labels.
        """
        if hasattr(self.estimator, "transform"):
            return self.estimator.transform(model_input)
        kind = type(self.estimator).__name__
        if not hasattr(self.estimator, "fit_resample"):
            raise InvalidInputError(f"{kind} makes images; load it with tabgan.mlflow.load_model and call its methods.")
        labels = np.asarray(model_input)
        if labels.size != len(labels):
            raise InvalidInputError(
                f"{kind} draws a row for each label, and takes labels in one column; this table has shape {labels.shape}. "
                "tabgan.mlflow.load_model gives the sampler itself, with resample and sample."
            )
        rows, drawn = self.estimator.sample(y=labels.ravel())
        rows = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(np.asarray(rows))
        name = getattr(drawn, "name", None)
        target = pd.Series(np.asarray(drawn), index=rows.index, name="target" if name is None else name)
        return pd.concat([rows, target], axis=1)


def _load_pyfunc(data_path: str) -> _Served:
    """MLflow's hook: what ``mlflow.pyfunc.load_model`` makes of the file."""
    return _Served(load(data_path))


def _mlflow() -> Any:
    """MLflow, on first use."""
    try:
        import mlflow
        import mlflow.artifacts
        import mlflow.models
        import mlflow.pyfunc
    except ImportError as error:
        raise MissingExtraError(
            'tabgan.mlflow needs MLflow; install it with: pip install "tabgan-learn[mlflow]"'
        ) from error
    return mlflow
