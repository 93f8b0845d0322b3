"""Weights below 0: who takes them, who refuses them, and networks of one sign."""

import numpy as np
import pytest

import multiplex_vit as mv
from multiplex_vit.network import flow, structure
from multiplex_vit.network.layer_measures import NULL_MODELS
from multiplex_vit.network.multilayer import LAYER_SIMILARITIES, MULTILAYER_MEASURES

ONE_LINE = r"net\.part\('positive'\)"
RNG = np.random.default_rng(0)
WEIGHTS = RNG.standard_normal((3, 6, 6)) * (RNG.random((3, 6, 6)) < 0.7)


def network(weights=WEIGHTS, **options):
    return mv.Multiplex(weights, (2, 3), signed=True, **options)


def of(net, registry, name):
    """Return the values of a measure by way of the network that has it."""
    if registry is mv.CENTRALITIES:
        return net.centrality(name)
    if registry is mv.LAYER_MEASURES:
        return net.layer_table(name)[name].to_numpy(dtype=float)
    if registry is MULTILAYER_MEASURES:
        return net.multilayer_table(name)[name].to_numpy(dtype=float)
    return net.layer_pair_table(name)[name].to_numpy(dtype=float)


REGISTRIES = (mv.CENTRALITIES, mv.LAYER_MEASURES, MULTILAYER_MEASURES, LAYER_SIMILARITIES)
MEASURES = [(registry, name) for registry in REGISTRIES for name in registry]


@pytest.mark.parametrize(("registry", "name"), MEASURES)
def test_a_measure_takes_signed_weights_or_refuses_them(registry, name):
    net = network()
    if not registry.trait(name, "signed"):
        with pytest.raises(mv.InputError, match=ONE_LINE):
            of(net, registry, name)
        assert of(net.part("positive"), registry, name) is not None
        return
    values = of(net, registry, name)
    assert np.isfinite(values).all()
    order = RNG.permutation(6)
    moved = of(network(WEIGHTS[:, order][:, :, order]), registry, name)
    by_node = registry in (mv.CENTRALITIES, MULTILAYER_MEASURES)
    assert moved == pytest.approx(values[..., order] if by_node else values)
    if registry.trait(name, "scale") == "linear" and name != "weight_max":
        parts = of(net.part("positive"), registry, name) - of(net.part("negative"), registry, name)
        assert values == pytest.approx(parts, abs=1e-12), "linear in weights"


def test_what_else_refuses_signed_weights():
    net = network()
    calls = [
        lambda: net.top_k(1),
        lambda: net.filter("disparity", 0.1),
        lambda: net.aggregate("max"),
        lambda: net.layer_table("edges", null_model="rows"),
        lambda: net.communities(),
        lambda: net.modularity([0, 0, 0, 1, 1, 1]),
        lambda: net.reducibility(),
        lambda: net.versatility(),
        lambda: net.chain(0),
        lambda: net.rollout(),
        lambda: net.sinks(),
        lambda: net.bow_tie(),
        lambda: net.explore(),
        lambda: net.plot(),
        lambda: flow.route(WEIGHTS, np.ones(6, dtype=bool)),
        lambda: structure.betti_curve(WEIGHTS[0], 0.5),
    ]
    for call in calls:
        with pytest.raises(mv.InputError, match=ONE_LINE):
            call()
    with pytest.raises(mv.InputError, match="or a negative value; attention is finite"):
        mv.Multiplex(WEIGHTS, (2, 3))
    with pytest.raises(mv.InputError, match="weights hold NaN or infinity"):
        network(np.full((1, 6, 6), np.nan))


def test_what_takes_them():
    net = network()
    assert repr(net).endswith("signed edges>")
    assert net.summary()["edges"].tolist() == np.count_nonzero(WEIGHTS, axis=(1, 2)).tolist()
    pruned = net.prune(0.5)
    for layer, whole in zip(pruned.weights, WEIGHTS, strict=True):
        strong = np.abs(whole) >= 0.5 * np.abs(whole).max()
        assert (layer == np.where(strong, whole, 0)).all()
    assert pruned.signed
    assert net.aggregate("sum").weights[0] == pytest.approx(WEIGHTS.sum(0))
    assert net.without_loops().reverse().select([1]).weights[0, 1, 0] == WEIGHTS[1, 0, 1]
    own = net.centrality(lambda weights: weights.min(0))
    assert own == pytest.approx(WEIGHTS.min(1)), "a function of one's own is taken at its word"
    assert net.supra_adjacency(coupling="none").sum() == pytest.approx(WEIGHTS.sum())


def test_parts_add_up():
    net = network()
    positive, negative, magnitude = (
        net.part(sign) for sign in ("positive", "negative", "magnitude")
    )
    assert (positive.weights - negative.weights == WEIGHTS).all()
    assert (positive.weights + negative.weights == magnitude.weights).all()
    assert not positive.signed
    assert positive.provenance == {"part": "positive"}
    with pytest.raises(mv.InputError, match="sign is 'both'; give one of 'positive'"):
        net.part("both")


def test_a_file_gives_signed_weights_back(tmp_path):
    net = network(provenance={"signed": "by hand"})
    net.write(tmp_path / "a.graphml")
    read = mv.Multiplex.read(tmp_path / "a.graphml")
    assert (read.weights == WEIGHTS).all()
    assert read.signed
    assert read.provenance == {"signed": "by hand"}
    text = (tmp_path / "a.graphml").read_text()
    (tmp_path / "b.graphml").write_text(text.replace('graph-signed"', 'graph-other"'))
    with pytest.raises(mv.InputError, match="cannot read"):
        mv.Multiplex.read(tmp_path / "b.graphml")
    net.write(tmp_path / "a.csv")
    for name in ("a.gexf", "a.mpx"):
        with pytest.raises(mv.InputError, match=ONE_LINE):
            net.write(tmp_path / name)
    with pytest.raises(mv.InputError, match="preset gephi wants weights of at least 0"):
        net.write(tmp_path / "a.graphml", preset="gephi")


def test_null_models_are_not_for_signed_weights():
    assert not any(NULL_MODELS.trait(name, "signed") for name in NULL_MODELS)
