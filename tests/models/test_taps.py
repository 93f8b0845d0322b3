"""Attention computed in parts is what torch's own function computes at once."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from multiplex_vit.models.taps.weights import attended_by_torch

RNG = torch.Generator().manual_seed(0)
QUERY = torch.randn(2, 4, 3, 8, generator=RNG)
KEY, VALUE = torch.randn(2, 2, 4, 5, 8, generator=RNG)
SEEN = torch.tensor([[True, False, True, True, False]]).expand(3, 5)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"scale": 0.3},
        {"is_causal": True},
        {"attn_mask": SEEN},
        {"attn_mask": torch.randn(3, 5, generator=RNG)},
        {"attn_mask": torch.randn(2, 1, 3, 5, generator=RNG), "scale": 2.0},
    ],
    ids=str,
)
def test_weights_times_values_are_what_torch_gives(options):
    weights, value = attended_by_torch(QUERY, KEY, VALUE, **options)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 4, 3))
    expected = scaled_dot_product_attention(QUERY, KEY, VALUE, **options)
    assert torch.allclose(weights @ value, expected, atol=1e-6)


def test_heads_that_share_keys():
    key, value = KEY[:, :2], VALUE[:, :2]
    weights, repeated = attended_by_torch(QUERY, key, value, enable_gqa=True)
    expected = scaled_dot_product_attention(QUERY, key, value, enable_gqa=True)
    assert weights.shape == (2, 4, 3, 5)
    assert torch.allclose(weights @ repeated, expected, atol=1e-6)


def test_inputs_without_heads():
    weights, value = attended_by_torch(QUERY[0, 0], KEY[0, 0], VALUE[0, 0])
    expected = scaled_dot_product_attention(QUERY[0, 0], KEY[0, 0], VALUE[0, 0])
    assert torch.allclose(weights @ value, expected, atol=1e-6)


def test_half_precision_is_raised_for_the_softmax_alone():
    weights, value = attended_by_torch(QUERY.half(), KEY.half(), VALUE.half())
    assert (weights.dtype, value.dtype) == (torch.float32, torch.float16)
