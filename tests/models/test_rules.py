"""Rules of relevance, operation by operation, on numbers that are worked out by hand."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from multiplex_vit.models.backward.following import by_rules
from multiplex_vit.models.backward.methods import RULES


def followed(function, *inputs, rules="attn_lrp"):
    """Return what a function gives under rules, and relevance of each input."""
    inputs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in inputs]
    with by_rules(nn.Identity(), rules):
        result = function(*inputs)
    gradients = torch.autograd.grad(result.sum(), inputs, allow_unused=True)
    relevance = [
        None if g is None else (x * g).detach() for x, g in zip(inputs, gradients, strict=True)
    ]
    with torch.no_grad():
        assert torch.equal(result, function(*inputs))
    return result.detach(), relevance


@pytest.mark.parametrize("name", ["gelu", "silu", "relu", "mish", "elu", "hardswish", "leaky_relu"])
def test_an_activation_hands_on_all_relevance(name):
    result, (relevance,) = followed(getattr(functional, name), [-2.0, -0.5, 0.0, 1.0, 3.0])
    assert torch.allclose(relevance, result)


def test_an_activation_in_steps_hands_on_all_relevance():
    """As CLIP's quick GELU, and GELU by tanh."""
    for function in (
        lambda x: x * torch.sigmoid(1.702 * x),
        lambda x: 0.5 * x * (1 + torch.tanh(0.8 * (x + 0.04 * x**3))),
    ):
        result, (relevance,) = followed(function, [-2.0, 0.5, 3.0])
        assert torch.allclose(relevance, result)


def test_a_layer_norm_hands_on_all_relevance_but_that_of_the_mean():
    result, (relevance,) = followed(
        lambda x: functional.layer_norm(x, (3,), torch.tensor([1.0, 2.0, 3.0]).double(), eps=1e-6),
        [1.0, 2.0, 6.0],
    )
    assert relevance.sum() == pytest.approx(result.sum())
    # sum_k w_k (x_k - mean) / spread, of which x_j has w_j - mean(w): by hand -1, 0 and 1 times x_j.
    spread = (torch.tensor([1.0, 2.0, 6.0]).double().var(unbiased=False) + 1e-6).sqrt()
    assert torch.allclose(relevance * spread, torch.tensor([-1.0, 0.0, 6.0]).double())


def test_a_norm_without_a_mean():
    result, (relevance,) = followed(lambda x: functional.rms_norm(x, (2,), eps=0.0), [3.0, 4.0])
    assert torch.allclose(relevance, result)
    result, (relevance,) = followed(lambda x: x * torch.rsqrt((x * x).mean()), [3.0, 4.0])
    assert torch.allclose(relevance, result)
    for divided in (lambda x: x / x.norm(), functional.normalize, lambda x: x / x.std()):
        result, (relevance,) = followed(lambda x, f=divided: f(x[None])[0], [3.0, 4.0])
        assert torch.allclose(relevance, result)


def test_factors_of_a_product_have_a_half_each():
    result, relevance = followed(lambda a, b: a * b, [2.0, -1.0], [3.0, 5.0])
    for share in relevance:
        assert torch.allclose(share, result / 2)
    result, relevance = followed(torch.matmul, [[1.0, 2.0]], [[3.0], [4.0]])
    assert relevance[0].tolist() == [[1.5, 4.0]]
    assert relevance[1].tolist() == [[1.5], [4.0]]


def test_a_product_with_a_number_is_linear():
    result, (relevance,) = followed(lambda x: 3 * x * torch.tensor(2.0), [1.0, -1.0])
    assert torch.allclose(relevance, result)


def test_a_residual_sum_goes_by_sign_where_tokens_are_added():
    first, second = [[[3.0, 1.0]]], [[[-1.0, 1.0]]]
    _, relevance = followed(torch.add, first, second, rules="res_lrp(gamma=1)")
    # 3 - 1 = 2: 3 counts twice, -1 once: 6 and -1 of 5. 1 + 1 = 2: alike.
    assert torch.allclose(relevance[0], torch.tensor([[[2 * 6 / 5, 1.0]]]).double())
    assert torch.allclose(relevance[1], torch.tensor([[[-2 / 5, 1.0]]]).double())
    # Rotary positions add too, but not tokens.
    _, relevance = followed(torch.add, [[3.0]], [[-1.0]], rules="res_lrp(gamma=1)")
    assert [share.item() for share in relevance] == [3.0, -1.0]


def test_a_sum_that_is_written_over_its_first_summand():
    def function(a, b):
        total = a * 1
        total += b
        return total

    first, second = [[[3.0, 1.0]]], [[[-1.0, 1.0]]]
    _, relevance = followed(function, first, second, rules="res_lrp")
    _, expected = followed(torch.add, first, second, rules="res_lrp")
    assert torch.allclose(relevance[0], expected[0])
    assert torch.allclose(relevance[1], expected[1])


MASKS = {
    "none": None,
    "numbers": torch.tensor([[0.5, -0.25], [0.0, 1.0]]).double(),
    "truth values": torch.tensor([[True, False], [True, True]]),
}


@pytest.mark.parametrize("rules", ["attn_lrp", "cp_lrp"])
@pytest.mark.parametrize("mask", MASKS)
def test_fused_attention_has_the_relevance_of_its_parts(mask, rules):
    q, k, v = torch.randn(3, 1, 1, 2, 3, generator=torch.Generator().manual_seed(0)).tolist()

    def fused(q, k, v):
        return functional.scaled_dot_product_attention(q, k, v, attn_mask=MASKS[mask])

    def parts(q, k, v):
        scores = q @ k.mT / 3**0.5
        if mask == "numbers":
            scores = scores + MASKS[mask]
        if mask == "truth values":
            scores = scores.masked_fill(~MASKS[mask], -torch.inf)
        return scores.softmax(-1) @ v

    result, relevance = followed(fused, q, k, v, rules=rules)
    expected, shares = followed(parts, q, k, v, rules=rules)
    assert torch.allclose(result, expected)
    for share, wanted in zip(relevance, shares, strict=True):
        assert share is wanted is None or torch.allclose(share, wanted)
    # With attention held fixed, all of what it gives is that of the values.
    if rules == "cp_lrp":
        assert relevance[0] is None
        assert relevance[2].sum() == pytest.approx(result.sum())
    else:
        assert relevance[2].sum() == pytest.approx(result.sum() / 2)


@pytest.mark.parametrize("options", [{"is_causal": True}, {"scale": 0.5}, {"enable_gqa": True}])
def test_fused_attention_of_every_kind_has_torchs_gradient_where_nothing_rules_its_parts(options):
    rng = torch.Generator().manual_seed(0)
    query = torch.randn(1, 4, 3, 2, generator=rng)
    n_heads = 2 if "enable_gqa" in options else 4
    key, value = torch.randn(2, 1, n_heads, 3, 2, generator=rng)
    inputs = [query.requires_grad_(), key.requires_grad_(), value.requires_grad_()]

    def gradients():
        result = functional.scaled_dot_product_attention(*inputs, **options)
        return torch.autograd.grad(result.square().sum(), inputs)

    expected = gradients()
    with by_rules(nn.Identity(), lambda: {}):
        found = gradients()
    for gradient, wanted in zip(found, expected, strict=True):
        assert torch.allclose(gradient, wanted, atol=1e-5)


def test_outside_gradients_are_torchs_own():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (before,) = torch.autograd.grad(functional.gelu(x).sum(), x)
    with by_rules(nn.Identity(), "attn_lrp"):
        (inside,) = torch.autograd.grad(functional.gelu(x).sum(), x)
    (after,) = torch.autograd.grad(functional.gelu(x).sum(), x)
    assert torch.equal(before, after)
    assert not torch.equal(before, inside)


def test_a_module_is_left_as_it_was_also_after_an_error():
    module = nn.Linear(2, 2)
    module.bias.requires_grad_(False)

    class StopError(Exception):
        pass

    def fail():
        assert not module.weight.requires_grad
        raise StopError

    for rules in RULES:
        with pytest.raises(StopError), by_rules(module, rules):
            fail()
        assert (module.weight.requires_grad, module.bias.requires_grad) == (True, False)
        assert torch.overrides._get_current_function_mode() is None


def test_without_rules_nothing_changes():
    module = nn.Linear(2, 2)
    with by_rules(module, None):
        assert module.weight.requires_grad
