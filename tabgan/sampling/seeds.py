"""Closed-form draws from each class's rows: the place where the samplers' networks start, and what small classes keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from tabgan.core.class_gaussians import correlated
from tabgan.exceptions import InvalidParameterError, ModelFileError
from tabgan.networks.heads import span_index
from tabgan.sampling.borders import Borders
from tabgan.sampling.nearest import MOST_COMPARED
from tabgan.sampling.neighbourhoods import Neighbourhoods
from tabgan.spans import Span

__all__ = ["SEED_KINDS", "ClassSeeds"]

SEED_KINDS = ("mixture", "kernel", "segments", "copies")
"""Ways of `ClassSeeds` to draw a row."""

_LEAST_ATOM_SHARE = 0.2  # a number this frequent in its column is a level of its own: zero rainfall, a default setting
_FEWEST_ALIKE = 3
_EVIDENCE_OF_ONE_VALUE = (
    10.0  # rows drawn from the whole column would all have the value with a chance of e**-10 or less
)
_HALVINGS = 4
_MOST_LOOKED_AROUND = 32_768
_ROWS_AT_A_TIME = 65_536


class ClassSeeds(nn.Module):
    """Draws near real rows of a class, from a kernel around them or from the segments between neighbours.

    Parameters
    ----------
    rows : Tensor of shape (n, width)
        Encoded rows; hidden slots hold anything.
    visible : Tensor of shape (n, n_columns)
        1 where a cell is observed.
    classes : LongTensor of shape (n,)
        The class of each row, in ``0 .. n_classes - 1``.
    spans : sequence of Span
        Layout of the slots.
    n_classes : int
        Number of classes; each has at least one row.

    Notes
    -----
    ``"kernel"``: a row plus noise of a covariance between the class's own and the one pooled within classes, with weight
    ``n_c / (n_c + d + 2)`` for its own, at Silverman's width, drawn in towards the class mean so that the class's variance stays
    what it is (smoothed bootstrap). ``"segments"``: a point between a row and one of its five nearest rows of the class (SMOTE).
    ``"mixture"``: half and half. ``"copies"``: the rows themselves. Levels are taken from the row or its neighbour, as are
    numbers that one value in a column makes up a fifth of: interpolating those would make values the data never have. Gaps
    stay where the row has them. `settled` says which cells are the same in all rows of a class, and more than chance makes them.

    References
    ----------
    Silverman 1986, "Density Estimation for Statistics and Data Analysis", eq. 4.14 and section 6.4.1; Chawla et al. 2002, "SMOTE".
    """

    rows: Tensor
    visible: Tensor
    classes: Tensor
    numeric: Tensor
    column: Tensor
    atoms: Tensor
    mean: Tensor
    factor: Tensor
    bandwidth: Tensor
    settled: Tensor

    def __init__(self, rows: Tensor, visible: Tensor, classes: Tensor, spans: Sequence[Span], n_classes: int) -> None:
        super().__init__()
        column = span_index(spans)
        numeric = _numeric_slots(spans)
        slots = visible[:, column].to(rows)
        self.n_classes = n_classes
        self.register_buffer("rows", rows * slots)
        self.register_buffer("visible", visible.to(rows))
        self.register_buffer("classes", classes.long())
        self.register_buffer("numeric", numeric)
        self.register_buffer("column", column)
        self.register_buffer("atoms", _atoms(rows[:, numeric], slots[:, numeric]))
        mean, factor, bandwidth = _kernels(rows[:, numeric], slots[:, numeric], self.classes, n_classes)
        self.register_buffer("mean", mean)
        self.register_buffer("factor", factor)
        self.register_buffer("bandwidth", bandwidth)
        self.register_buffer("settled", _settled(self.rows, slots, self.classes, n_classes, spans))
        self._look_around(slots)

    @classmethod
    def from_buffers(cls, n_classes: int, buffers: Mapping[str, Tensor], spans: Sequence[Span]) -> ClassSeeds:
        """The seeds whose ``state_dict()`` this was, without looking for neighbours again.

        Raises
        ------
        KeyError
            One is absent.
        ModelFileError
            One is of another type or shape than the others make it.
        """
        seeds = cls.__new__(cls)
        nn.Module.__init__(seeds)
        seeds.n_classes = n_classes
        # Files written before there were settled cells hold none.
        younger = {"settled": torch.zeros(n_classes, buffers["rows"].shape[1], dtype=torch.bool)}
        for name in (name for name, kind in cls.__annotations__.items() if kind in ("Tensor", Tensor)):
            seeds.register_buffer(name, buffers[name] if name in buffers or name not in younger else younger[name])
        seeds._check(spans)
        seeds._look_around(seeds.visible[:, seeds.column])
        return seeds

    def _look_around(self, slots: Tensor) -> None:
        """Neighbours are looked for in completed rows, on the CPU, where the seeds go with a network or not."""
        completed = self.rows
        if not slots.all():
            completed = self.rows.clone()
            numbers = self.rows[:, self.numeric]
            completed[:, self.numeric] = torch.where(slots[:, self.numeric] > 0, numbers, self.mean[self.classes])
        self.borders = Borders(self.rows, self.classes)
        self.neighbourhoods = Neighbourhoods(completed, self.classes, self.n_classes)

    def _check(self, spans: Sequence[Span]) -> None:
        """Whether the buffers fit each other: draws look up rows by numbers that stand in others."""
        n, column, numeric = len(self.classes), span_index(spans), _numeric_slots(spans)
        d, n_classes = len(numeric), self.n_classes
        shapes = {
            "rows": (n, len(column)),
            "visible": (n, len(spans)),
            "classes": (n,),
            "atoms": (d,),
            "mean": (n_classes, d),
            "factor": (n_classes, d, d),
            "bandwidth": (n_classes,),
            "settled": (n_classes, len(column)),
        }
        types = {"settled": torch.bool}
        bounds = {"classes": n_classes}
        for name, shape in shapes.items():
            part = getattr(self, name)
            if part.shape != shape or part.dtype != types.get(name, torch.int64 if name in bounds else torch.float32):
                raise ModelFileError(f"its 'seeds.{name}' is of another type or shape than it has to be.")
            if name in bounds and n and not 0 <= int(part.min()) <= int(part.max()) < bounds[name]:
                raise ModelFileError(f"its 'seeds.{name}' names what is not there.")
        if not torch.equal(self.column, column) or not torch.equal(self.numeric, numeric):
            raise ModelFileError("its 'seeds' contradict the layout of the columns.")

    def parents(
        self, classes: Tensor, generator: torch.Generator, allowed: Tensor | None = None, *, focus: float = 0.0
    ) -> Tensor:
        """A row for each asked class.

        Parameters
        ----------
        classes : LongTensor of shape (n,)
            What to draw for.
        generator : torch.Generator
            CPU generator.
        allowed : BoolTensor of shape (n_rows,), default=None
            Rows to draw from, at least one of each asked class; None allows all.
        focus : float in [0, 1], default=0.0
            0 takes each row of a class as often as any other, give or take one; 1 in proportion to the share of its ten
            nearest rows that are of its class; between, a mixture of both. Of very many rows 32,768 at most are then begun with.

        Returns
        -------
        LongTensor of shape (n,)
            Row numbers.

        Raises
        ------
        InvalidParameterError
            A class is asked for of which no row may be drawn.
        """
        own = self.classes.to(classes.device)
        chosen = torch.empty_like(classes)
        for index in torch.unique(classes).tolist():
            wanted = (classes == index).nonzero()[:, 0]
            mine = ((own == index) if allowed is None else (own == index) & allowed).nonzero()[:, 0]
            if not len(mine):
                raise InvalidParameterError(f"classes asks for class {index}, of which there is no row to draw.")
            order = mine[torch.randperm(len(mine), generator=generator)]
            if focus:
                most = max(MOST_COMPARED, min(4 * len(wanted), _MOST_LOOKED_AROUND))
                order = order[:most]  # of many rows some: each is looked around
            shares = self.neighbourhoods.own_share(order).double() if focus else torch.zeros(1)
            weights = (1 - focus) / len(order) + focus * shares / shares.sum().clamp_min(1e-9)
            if not shares.any():
                order = order.repeat(-(-len(wanted) // len(order)))[: len(wanted)]
            else:  # evenly spaced points on the stacked weights: each row as often as its weight says, give or take one
                at = (torch.arange(len(wanted)) + torch.rand((), generator=generator, dtype=torch.float64)) / len(
                    wanted
                )
                edges = (weights / weights.sum()).cumsum(0)
                order = order[torch.searchsorted(edges, at).clamp_max(len(order) - 1)]
            chosen[wanted] = order[torch.randperm(len(wanted), generator=generator)]
        return chosen

    def draw(self, parents: Tensor, generator: torch.Generator, kind: str = "mixture") -> Tensor:
        """One draw near each parent row.

        Parameters
        ----------
        parents : LongTensor of shape (n,)
            Row numbers.
        generator : torch.Generator
            CPU generator.
        kind : {"mixture", "kernel", "segments", "copies"}, default="mixture"
            How.

        Returns
        -------
        Tensor of shape (n, width)
            Encoded rows; slots that are hidden in the parent are 0.
        """
        if kind not in SEED_KINDS:
            raise InvalidParameterError(f"kind={kind!r} is not one of {', '.join(map(repr, SEED_KINDS))}.")
        own = self.rows[parents]
        if kind == "copies":
            return own
        n = len(parents)
        other_rows = self.near(parents, generator)
        other, place = self.rows[other_rows], torch.rand(n, 1, generator=generator).to(own)
        takes_other = torch.rand(n, len(self.visible[0]), generator=generator).to(own) < place
        both = self.visible[parents] * self.visible[other_rows]
        takes_other = (takes_other & (both > 0))[:, self.column]
        swapped = torch.where(takes_other, other, own)
        noise = torch.randn(n, len(self.numeric), generator=generator).to(own)
        if kind == "mixture":
            on_segment = torch.rand(n, 1, generator=generator).to(own) < 0.5
        else:
            on_segment = torch.full((n, 1), kind == "segments", device=own.device)
        # A row that is alone has no one to go to: it would be copied.
        on_segment = on_segment & (other_rows != parents.cpu())[:, None].to(own.device)
        numbers, others = own[:, self.numeric], other[:, self.numeric]
        between = numbers + place * both[:, self.column[self.numeric]] * (others - numbers)
        smoothed = self._smoothed(numbers, self.classes[parents], noise)
        at_atom = (numbers == self.atoms) | (others == self.atoms)
        moved = torch.where(on_segment, between, torch.where(numbers == self.atoms, numbers, smoothed))
        moved = torch.where(on_segment & at_atom, swapped[:, self.numeric], moved)
        drawn = swapped.clone()
        drawn[:, self.numeric] = moved
        return drawn * self.visible[parents][:, self.column]

    def drawn_in(self, drawn: Tensor, parents: Tensor, generator: torch.Generator) -> Tensor:
        """Synthetic rows that landed nearer to another class's row than to any of their own, drawn in towards their parents.

        Parameters
        ----------
        drawn : Tensor of shape (n, width)
            Synthetic rows, encoded.
        parents : LongTensor of shape (n,)
            The row that each started from.
        generator : torch.Generator
            CPU generator.

        Returns
        -------
        Tensor of shape (n, width)
            Their numbers halfway to the parent's, and half of the differing levels the parent's, up to four times; what still strays
            then has the parent's levels.
        """
        drawn, own = drawn.clone(), self.rows[parents]
        is_number = torch.zeros(drawn.shape[1], dtype=torch.bool)
        is_number[self.numeric] = True
        atoms = torch.full((drawn.shape[1],), torch.nan).to(drawn)
        atoms[self.numeric] = self.atoms
        left = torch.arange(len(drawn))
        for halving in range(_HALVINGS):
            left = left[self.borders.strays(drawn[left], self.classes[parents[left]])]
            if not len(left):
                break
            there, here = own[left], drawn[left]
            back = torch.rand(len(left), self.visible.shape[1], generator=generator) < 0.5
            if halving == _HALVINGS - 1:
                back[:] = True
            jumps = ~is_number | (there == atoms) | (here == atoms)
            drawn[left] = torch.where(jumps, torch.where(back[:, self.column], there, here), (there + here) / 2)
        return drawn

    def near(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """For each row one of its nearest rows of the class, or itself where it is alone; LongTensor of shape (n,)."""
        places = torch.rand(len(rows), generator=generator, dtype=torch.float64)
        return self.neighbourhoods.one_of(rows.cpu(), places)

    def movable(self, drawn: Tensor) -> Tensor:
        """1 in slots that a correction may change, 0 in numeric slots that hold their column's most frequent value."""
        free = torch.ones_like(drawn)
        free[:, self.numeric] = (drawn[:, self.numeric] != self.atoms).to(drawn)
        return free

    def keep_settled(self, drawn: Tensor, parents: Tensor) -> Tensor:
        """Synthetic rows with the cells in which all rows of their class agree as their parents have them, of shape (n, width)."""
        seen = self.visible[parents][:, self.column] > 0
        return torch.where(self.settled[self.classes[parents]] & seen, self.rows[parents], drawn)

    def _smoothed(self, numbers: Tensor, classes: Tensor, noise: Tensor) -> Tensor:
        """The kernel draw; shrinking by ``sqrt(1 + h^2)`` undoes the variance that the noise adds."""
        mean, width = self.mean[classes], self.bandwidth[classes, None]
        step = correlated(noise, self.factor, classes) * width
        return mean + (numbers - mean + step) / (1 + width.square()).sqrt()


def _numeric_slots(spans: Sequence[Span]) -> Tensor:
    return torch.tensor([span.start for span in spans if span.kind == "numeric"], dtype=torch.long)


def _atoms(numbers: Tensor, seen: Tensor) -> Tensor:
    """Per numeric slot the value that makes up at least a fifth of what is seen; NaN (equal to nothing) where none does."""
    atoms = torch.full((numbers.shape[1],), torch.nan).to(numbers)
    for j in range(numbers.shape[1]):
        values = numbers[seen[:, j] > 0, j].numpy()
        fifth = int(np.ceil(_LEAST_ATOM_SHARE * len(values)))
        if not fifth:
            continue
        # In sorted order a fifth of all cells reaches over a place that is a multiple of a fifth.
        places = np.arange(fifth - 1, len(values), fifth)
        candidates = np.unique(np.partition(values, places)[places])
        counts = np.array([np.count_nonzero(values == value) for value in candidates])
        if counts.max() >= fifth and ((values != values.min()) & (values != values.max())).any():
            atoms[j] = float(candidates[counts.argmax()])
    return atoms


def _settled(rows: Tensor, seen: Tensor, classes: Tensor, n_classes: int, spans: Sequence[Span]) -> Tensor:
    """Per class and slot, whether all rows of the class have one value there and chance would hardly have it so."""
    settled = torch.zeros(n_classes, rows.shape[1], dtype=torch.bool)
    n_seen = seen.sum(0).clamp_min(1)
    for index in range(n_classes):
        mine = classes == index
        here = seen[mine] > 0
        n_here = here.sum(0)
        highest = torch.where(here, rows[mine], -torch.inf).amax(0)
        lowest = torch.where(here, rows[mine], torch.inf).amin(0)
        alike = ((highest == lowest) & (n_here >= _FEWEST_ALIKE)).nonzero()[:, 0]
        share = ((rows[:, alike] == highest[alike]) * seen[:, alike]).sum(0) / n_seen[alike]
        telling = -n_here[alike] * share.clamp_min(1e-12).log() >= _EVIDENCE_OF_ONE_VALUE
        settled[index, alike] = telling
        for span in spans:
            if span.kind == "categorical":  # a level speaks for its whole column
                slots = slice(span.start, span.stop)
                settled[index, slots] = (settled[index, slots] & (highest[slots] == 1)).any()
    return settled


def _kernels(numbers: Tensor, seen: Tensor, classes: Tensor, n_classes: int) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, Cholesky factor of the shrunk covariance, and Silverman's relative width per class."""
    n_numeric, seen_in_all = numbers.shape[1], seen.sum(0, dtype=torch.float64)
    overall = (numbers * seen).sum(0, dtype=torch.float64) / seen_in_all.clamp_min(1)
    counts = torch.bincount(classes, minlength=n_classes)
    means = torch.zeros(n_classes, n_numeric, dtype=torch.float64)
    here = torch.zeros_like(means)
    factors = torch.zeros(n_classes, n_numeric, n_numeric, dtype=torch.float64)
    for index in range(n_classes):
        parts = (classes == index).nonzero()[:, 0].split(_ROWS_AT_A_TIME)
        here[index] = sum(seen[part].sum(0, dtype=torch.float64) for part in parts)
        total = sum((numbers[part].double() * seen[part]).sum(0) for part in parts)
        means[index] = torch.where(here[index] > 0, total / here[index].clamp_min(1), overall)
        for part in parts:
            centred = (numbers[part].double() - means[index]) * seen[part]
            factors[index] += centred.T @ centred
    pooled = _covariance(factors.sum(0), seen_in_all)
    ridge = torch.eye(n_numeric, dtype=torch.float64) * 1e-8 + torch.diag(1e-6 * pooled.diagonal())
    for index in range(n_classes):
        share = float(counts[index] / (counts[index] + n_numeric + 2))
        blend = share * _covariance(factors[index], here[index]) + (1 - share) * pooled
        factors[index] = torch.linalg.cholesky(blend + ridge)
    widths = (4 / ((n_numeric + 2) * counts.clamp_min(1).double())) ** (1 / (n_numeric + 4))
    return means.float(), factors.float(), widths.float()


def _covariance(products: Tensor, seen: Tensor) -> Tensor:
    """Covariance from sums of products of rows that are 0 where not seen, scaled so that each variance is that of the cells seen."""
    # Scaling on both sides keeps the matrix positive semi-definite, which pairwise counts would not.
    scale = seen.clamp_min(1).rsqrt()
    return products * scale[:, None] * scale
