"""Moment matching against the metric of the same name; Boltzmann machines against enumeration."""

import copy

import numpy as np
import pytest
import torch
from sklearn.neural_network import BernoulliRBM

from tabgan import metrics
from tabgan.core.phases import OptimizerSpec, cosine_schedule
from tabgan.core.trainer import Trainer
from tabgan.exceptions import InvalidInputError, InvalidParameterError
from tabgan.images.generators.gmmn import median_distance, mmd_squared, moment_matching
from tabgan.images.generators.rbm import (
    RestrictedBoltzmannMachine,
    binary_states,
    restricted_boltzmann_machine,
)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_kernel_loss_is_the_metric():
    a, b = torch.randn(40, 3, generator=seeded(0)), torch.randn(30, 3, generator=seeded(1)) + 0.5
    scales = [0.5, 1.0, 3.0]
    assert float(mmd_squared(a, b, scales)) == pytest.approx(
        metrics.mmd_squared(a.numpy(), b.numpy(), bandwidths=scales), abs=1e-5
    )
    median = np.median(np.linalg.norm(a[:, None] - a, axis=2)[np.triu_indices(40, 1)])
    assert median_distance(a) == pytest.approx(median, rel=0.02)  # torch takes the lower of two middle values


def test_kernel_loss_is_zero_between_real_samples():
    pairs = [
        (torch.randn(50, 2, generator=seeded(s)), torch.randn(50, 2, generator=seeded(s + 500))) for s in range(200)
    ]
    values = torch.stack([mmd_squared(a, b, [1.0]) for a, b in pairs])
    assert abs(float(values.mean())) < 4 * float(values.std()) / 200**0.5


def test_moment_matching_comes_near_the_data():
    two = torch.tensor([[-2.0, 0.0], [2.0, 1.0]])[torch.randint(2, (2000,), generator=seeded())]
    data = two + 0.3 * torch.randn(2000, 2, generator=seeded(1))
    fast = OptimizerSpec(learning_rate=0.02, betas=(0.9, 0.999))
    system = moment_matching(
        data, hidden=(32, 32), batch_size=64, generator=seeded(2), optimizer=fast, schedule=cosine_schedule(400)
    )
    before = metrics.mmd_squared(data.numpy(), system.model.sample(1000, seeded(3)).numpy())
    system.train(400, seeded(4))
    drawn = system.model.sample(1000, seeded(5))
    assert before > 0.1
    assert metrics.mmd_squared(data.numpy(), drawn.numpy()) < 0.01
    assert 0.4 < float((drawn[:, 0] > 0).float().mean()) < 0.6


def test_partition_function_from_either_layer():
    wide = RestrictedBoltzmannMachine((6,), 4, generator=seeded())
    with torch.no_grad():
        wide.weight.copy_(torch.randn(6, 4, generator=seeded(1)))
        wide.visible_bias.copy_(torch.randn(6, generator=seeded(2)))
        wide.hidden_bias.copy_(torch.randn(4, generator=seeded(3)))
        tall = RestrictedBoltzmannMachine((4,), 6, generator=seeded())
        tall.weight.copy_(wide.weight.T)
        tall.visible_bias.copy_(wide.hidden_bias)
        tall.hidden_bias.copy_(wide.visible_bias)
        v, h = binary_states(6), binary_states(4)
        energy = -(v @ wide.weight @ h.T) - (v @ wide.visible_bias)[:, None] - h @ wide.hidden_bias
    expected = float(torch.logsumexp(-energy.flatten(), 0))
    assert wide.log_partition().item() == pytest.approx(expected, rel=1e-5)
    assert tall.log_partition().item() == pytest.approx(expected, rel=1e-5)
    assert wide.log_prob(v).exp().sum().item() == pytest.approx(1, abs=1e-4)
    # p(v) is the marginal of the joint distribution
    joint = torch.softmax(-energy.flatten(), 0).reshape(energy.shape)
    assert torch.allclose(wide.log_prob(v).exp(), joint.sum(1), atol=1e-5)


def test_gibbs_sampling_reaches_the_distribution():
    model = RestrictedBoltzmannMachine((3,), 2, generator=seeded())
    with torch.no_grad():
        model.weight.copy_(torch.randn(3, 2, generator=seeded(1)))
    n = 4000
    expected = n * model.log_prob(binary_states(3)).detach().exp()
    code = (model.sample(n, seeded(2), n_gibbs=60) @ torch.tensor([1.0, 2.0, 4.0])).round().long()
    assert float(((torch.bincount(code, minlength=8) - expected) ** 2 / expected).sum()) < 32  # 7 df, 0.00004


def bars(n):
    """4 x 4 images whose rows are all 0 or all 1."""
    return torch.randint(2, (n, 1, 4, 1), generator=seeded(7)).expand(-1, -1, -1, 4).float().contiguous()


@pytest.mark.parametrize(("k", "persistent"), [(1, False), (3, False), (1, True)])
def test_contrastive_divergence_raises_the_true_likelihood(k, persistent):
    data = bars(500)
    fast = OptimizerSpec("sgd", 0.3, (0.0, 0.0))
    system = restricted_boltzmann_machine(data, 8, k=k, persistent=persistent, generator=seeded(), optimizer=fast)
    likelihood = []
    for seed in range(4):
        with torch.no_grad():
            likelihood.append(float(system.model.log_prob(data).mean()))
        system.train(150, seeded(seed))
    assert likelihood[0] == pytest.approx(-16 * np.log(2), abs=0.1)
    # 16 equally likely images: the best is -log 16 = -2.8
    assert likelihood[0] < likelihood[1] < likelihood[2] < likelihood[3] < -np.log(16) + 0.05
    assert likelihood[3] > -6
    assert system.model.sample(3, seeded()).shape == (3, 1, 4, 4)


def test_likelihood_is_that_of_scikit_learns_machine_trained_alike():
    data = bars(400)
    theirs = BernoulliRBM(8, learning_rate=0.1, batch_size=50, n_iter=80, random_state=0).fit(data.flatten(1).numpy())
    fast = OptimizerSpec("sgd", 0.1, (0.0, 0.0))
    system = restricted_boltzmann_machine(data, 8, persistent=True, batch_size=50, generator=seeded(), optimizer=fast)
    system.train(640, seeded(1))
    judge = RestrictedBoltzmannMachine((16,), 8, generator=seeded())
    with torch.no_grad():
        judge.weight.copy_(torch.from_numpy(theirs.components_.T))
        judge.visible_bias.copy_(torch.from_numpy(theirs.intercept_visible_))
        judge.hidden_bias.copy_(torch.from_numpy(theirs.intercept_hidden_))
        ours, other = (float(model.log_prob(data).mean()) for model in (system.model, judge))
    assert ours == pytest.approx(other, abs=0.5)


def test_one_update_is_hintons_rule():
    data = bars(32)
    system = restricted_boltzmann_machine(data, 5, batch_size=16, generator=seeded())
    model = system.model
    weight = model.weight.detach().clone()
    with torch.no_grad():
        batch = system.task.batch(seeded(1))
        chain = model.gibbs(batch.real, batch.noise.transpose(0, 1))
        hidden = [torch.sigmoid(v @ weight) for v in (batch.real, chain)]
        expected = weight + 0.1 * (batch.real.T @ hidden[0] - chain.T @ hidden[1]) / 16
    system.train(1, seeded(1))
    assert torch.allclose(model.weight, expected, atol=1e-6)


def test_persistent_chains_go_on_and_are_saved():
    system = restricted_boltzmann_machine(bars(100), 8, persistent=True, batch_size=20, generator=seeded())
    before = system.model.chains.clone()
    trainer = system.train(5, seeded(1))
    assert not torch.equal(before, system.model.chains)
    assert torch.equal(trainer.state_dict()["players"]["generator"]["chains"], system.model.chains)


def test_persistent_training_resumes_exactly():
    def trainer():
        system = restricted_boltzmann_machine(bars(100), 8, persistent=True, batch_size=20, generator=seeded())
        return Trainer(system.players, system.phases, system.task, generator=seeded(1))

    whole, first, second = trainer(), trainer(), trainer()
    whole.fit(20)
    first.fit(10)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    second.fit(10)
    for name, value in whole.players["generator"].state_dict().items():
        assert torch.equal(value, second.players["generator"].state_dict()[name])


def test_refusals():
    with pytest.raises(InvalidInputError, match="zeros and ones"):
        restricted_boltzmann_machine(torch.full((4, 4), 0.5), 3, generator=seeded())
    with pytest.raises(InvalidParameterError, match="k=0"):
        restricted_boltzmann_machine(torch.zeros(4, 4), 3, k=0, generator=seeded())
    with pytest.raises(InvalidInputError, match="20 units, not 25"):
        RestrictedBoltzmannMachine((30,), 25, generator=seeded()).log_partition()
    with pytest.raises(InvalidParameterError, match="bandwidths"):
        moment_matching(torch.zeros(4, 2), bandwidths=[-1.0], generator=seeded())
    with pytest.raises(InvalidParameterError, match="pairs"):
        moment_matching(torch.zeros(4, 2), batch_size=1, generator=seeded())
