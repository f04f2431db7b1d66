"""scikit-learn's callbacks (from 1.9 on, experimental): a fit as a tree of tasks, its stages and their training.

With older versions, and while no callback is set, nothing happens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["FitTasks", "FollowedFits", "followed"]

_Method = TypeVar("_Method", bound=Callable[..., Any])

if TYPE_CHECKING:

    class FollowedFits:
        """Mixin of estimators whose fits callbacks can follow."""

    def followed(method: _Method) -> _Method:
        """Decorate a method within which `FitTasks` may begin."""
        return method

else:
    try:
        from sklearn.callback import CallbackSupportMixin as FollowedFits
        from sklearn.callback import with_callbacks as followed
    except ImportError:  # scikit-learn before 1.9

        class FollowedFits:
            """There are no callbacks to set."""

        def followed(method):
            """Leave the method as it is."""
            return method


class FitTasks:
    """A follower (`tabgan.core.following.Follower`) that tells the callbacks of an estimator.

    Parameters
    ----------
    estimator : estimator
        Whose fit it is, of `FollowedFits`, within a method that is `followed`.
    n_stages : int
        At most this many stages are entered.

    Attributes
    ----------
    stopped : bool
        Whether a callback asked for an end.

    Notes
    -----
    Callbacks see ``metadata={"step": ..., "losses": {...}}`` at the end of each stretch of training steps, the validation score
    among the losses where there is one. A callback whose ``on_fit_task_end`` gives True there ends that training with the best
    weights so far; at the end of a stage, it ends the fit as a used-up ``max_time`` does.
    """

    def __init__(self, estimator: Any, n_stages: int) -> None:
        self.stopped = False
        self._estimator = estimator
        self._root: Any = None
        self._stage: Any = None
        self._training: Any = None
        if getattr(estimator, "_skl_callbacks", None):
            self._root = estimator._init_callback_context(max_subtasks=n_stages)
            self._root.call_on_fit_task_begin(estimator=estimator)

    @property
    def follower(self) -> FitTasks | None:
        """What a `tabgan.core.run.Run` takes; None where no callback is set."""
        return None if self._root is None else self

    def enter(self, stage: str) -> None:
        """End the stage before, and begin one; the number of trainings in it is not known."""
        if self._root is None:
            return
        self._leave()
        self._stage = self._root.subcontext(task_name=stage, max_subtasks=None)
        self._stage.call_on_fit_task_begin(estimator=self._estimator)

    def begin_training(self, description: str, n_readings: int) -> None:
        """Begin a training within the stage."""
        parent = self._root if self._stage is None else self._stage
        self._training = parent.subcontext(task_name=description, max_subtasks=n_readings)
        self._training.call_on_fit_task_begin(estimator=self._estimator)

    def read(self, step: int, row: dict[str, float]) -> bool:
        """Show a stretch of steps that is done; True if a callback wants no more."""
        steps = self._training.subcontext(task_name=f"to step {step}")
        steps.call_on_fit_task_begin(estimator=self._estimator)
        return bool(steps.call_on_fit_task_end(estimator=self._estimator, metadata={"step": step, "losses": row}))

    def end_training(self) -> None:
        """End it."""
        self.stopped |= bool(self._training.call_on_fit_task_end(estimator=self._estimator))
        self._training = None

    def end(self) -> None:
        """End the fit: callbacks may look at the fitted estimator."""
        if self._root is not None:
            self._leave()
            self._root.call_on_fit_task_end(estimator=self._estimator, reconstruction_attributes={})

    def _leave(self) -> None:
        if self._stage is not None:
            self.stopped |= bool(self._stage.call_on_fit_task_end(estimator=self._estimator))
            self._stage = None
