"""Methods: which rule each kind of operation has in a published method."""

from collections.abc import Callable
from functools import partial

from torch import Tensor

from multiplex_vit.checks import not_negative
from multiplex_vit.models.backward import rules
from multiplex_vit.models.backward.operations import Operation
from multiplex_vit.registry import Registry

Rules = dict[str, Callable[[Operation], Tensor]]
"""Rules by the kind of operation; the kinds that are not there keep torch's own gradient."""

RULES: Registry[Callable[..., Rules]] = Registry("set of rules", data=0, traits={})
"""Published sets of rules by name.

Layer-wise relevance propagation is patented in some countries; commercial use may need a licence of
its authors (their notice: github.com/rachtibat/LRP-eXplains-Transformers).
"""


def _common() -> Rules:
    return {
        "layer norm": rules.fixed_spread,
        "activation": rules.fixed_share,
        "factor": rules.fixed_factor,
        "quotient": rules.fixed_divisor,
        "product": rules.halves,
    }


@RULES.register
def attn_lrp() -> Rules:
    """Return the rules of AttnLRP: relevance goes through attention weights and values by halves.

    The softmax has its Taylor expansion, which is torch's own gradient. Achtibat et al., ICML 2024,
    arXiv:2402.05602.
    """
    return {**_common(), "matrix product": rules.halves}


@RULES.register
def cp_lrp() -> Rules:
    """Return the rules of CP-LRP: attention weights are held fixed, all relevance goes to values.

    Ali et al., ICML 2022, arXiv:2202.07304. The gradient of these rules is also the balanced one of
    LibraGrad (Mehri et al., CVPR 2025, arXiv:2411.16760).
    """
    return {**_common(), "softmax": rules.fixed_weights}


@RULES.register
def res_lrp(*, gamma: float = 1.0) -> Rules:
    """Return the rules of ResLRP: AttnLRP, with residual sums shared out by sign.

    Parameters
    ----------
    gamma : float, at least 0
        How much more a summand counts that has the sum's sign; with 0 it is AttnLRP. Default: 1.
    """
    by_sign = partial(rules.by_sign, gamma=not_negative("gamma", gamma))
    return {**attn_lrp(), "sum": by_sign}
