"""A joint model proposes whole rows beside the completion, and the blend weighs it per column as it weighs other candidates."""

import dataclasses

import torch

from tabgan.imputation.chain import Chain
from tabgan.imputation.stages import blend, closed_form
from tabgan.imputation.stages.stage import FittedStage, NoSettings, Rows, Stage, proposed_by
from tabgan.spans import Span
from tests.imputation.learning_of import learning_of, run_of, some_held_out, table_of

SPANS = (Span("numeric", 0, 1), Span("numeric", 1, 2), Span("categorical", 2, 5))


class Oracle(FittedStage):
    """Proposes the truth of the first column, and the same number for all others."""

    def __init__(self, table):
        self.table = table.double()

    def complete(self, rows, before):
        truth = self.table[rows.numbers] if rows.numbers is not None else torch.zeros_like(before.completed)
        proposed = torch.where(torch.arange(5) == 0, truth, 1.0)
        return dataclasses.replace(before, proposals={**before.proposals, "oracle": proposed})

    def state(self):
        return {"table": self.table}


def stages_of(table):
    """The closed form, the oracle, and a blend of the oracle alone."""
    candidates = (proposed_by("oracle", {"numeric": 0.5, "categorical": 0.5}),)
    restore = lambda state, spans, given: Oracle(state["table"])  # noqa: E731
    oracle = Stage("oracle", NoSettings, lambda learning: Oracle(table), restore)
    return closed_form.STAGE, oracle, blend.stage_of("blend", candidates)


def test_weights_follow_the_proposal_where_it_is_right_and_nowhere_else():
    table = table_of(SPANS, 300)
    held_out = some_held_out(torch.ones(300, 3), 0.3)
    chain = Chain.fit(
        table.numpy(), (1 - held_out).numpy() > 0, held_out.numpy() > 0, SPANS, stages_of(table), {}, run_of()
    )
    weights = chain.stages["blend"].weights[0]
    assert weights[0] > 0.5
    assert weights[1] < 0.7 * weights[0]


def test_a_proposal_moves_nothing_by_itself():
    table = table_of(SPANS, 50)
    learning = learning_of(table, SPANS, with_closed_form=True)
    rows = Rows(table.double(), torch.zeros(50, 3).double(), torch.arange(50))
    before = learning.stages[0].complete(rows, None)
    after = Oracle(table).complete(rows, before)
    assert torch.equal(after.completed, before.completed)
    assert torch.equal(after.changed(lambda part: part[:7]).proposals["oracle"], after.proposals["oracle"][:7])


def test_a_stage_that_proposed_nothing_gets_no_weight():
    table = table_of(SPANS, 200)
    held_out = some_held_out(torch.ones(200, 3), 0.3)
    learning = learning_of(table, SPANS, 1 - held_out, held_out, with_closed_form=True)
    assert blend.fit(learning, [proposed_by("absent", {"numeric": 0.5, "categorical": 0.5})]) is None
