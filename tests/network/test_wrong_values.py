"""A value of the wrong kind, for each parameter of each public function: one clear line, or a right result."""

import inspect
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from multiplex_vit import plot
from multiplex_vit.errors import InputError
from multiplex_vit.network import (
    comparison,
    coupling,
    export,
    filters,
    multilayer,
    structure,
    token_graph,
)
from multiplex_vit.network.aggregate import AGGREGATIONS
from multiplex_vit.network.centrality import CENTRALITIES, centrality
from multiplex_vit.network.comparison import LAYER_DISTANCES
from multiplex_vit.network.coupling import COUPLINGS
from multiplex_vit.network.export import Export
from multiplex_vit.network.filters import FILTERS
from multiplex_vit.network.layer import Layer
from multiplex_vit.network.layer_measures import LAYER_MEASURES, NULL_MODELS, layer_table
from multiplex_vit.network.multilayer import LAYER_SIMILARITIES, MULTILAYER_MEASURES
from multiplex_vit.network.multilayer.reducibility import DENSITIES
from multiplex_vit.network.multiplex import Multiplex
from multiplex_vit.network.tokens import Tokens

WRONG = {
    "number": 3,
    "fraction": 0.25,
    "text": "text",
    "none": None,
    "dict": {"a": 1},
    "list": [],
    "texts": ["a", "b"],
    "array": np.zeros(3),
    "cube": np.ones((1, 2, 2, 2)),
    "nan": float("nan"),
    "complex": 2j,
    "complexes": np.array([[1j]]),
    "object": object(),
}

RNG = np.random.default_rng(0)
WEIGHTS = RNG.random((2, 4, 4)) * (RNG.random((2, 4, 4)) < 0.7)
NET = Multiplex(WEIGHTS, grid=(2, 2))
SUPRA = NET.supra_adjacency()
LINKS = coupling.links(range(2), 4, "ordinal", 1.0)
IMAGE = RNG.integers(0, 255, (8, 8, 3)).astype(np.uint8)
CURVE = pd.DataFrame(
    {
        "image": 0,
        "entry": "a",
        "curve": ["insertion", "insertion", "deletion", "deletion"],
        "fraction": [0.0, 1.0, 0.0, 1.0],
        "confidence": [0.1, 0.9, 0.9, 0.1],
        "quantity": "probability",
    }
)
METHODS = pd.DataFrame(
    {
        "entry": ["a", "b"],
        "method": ["multiplex", "mutex"],
        "forward_passes": [1, 10],
        "backward_passes": [0, 0],
        "difference": [0.1, 0.2],
        "difference_low": [0.0, 0.1],
        "difference_high": [0.2, 0.3],
    }
)
CHANGES = pd.DataFrame(
    {"variant": ["a"], "change": [0.1], "change_low": [0.0], "change_high": [0.2], "p_holm": [0.5]}
)
SWEEP = pd.DataFrame({"k": [1, 2], "value": [0.1, 0.2]})


class Explained:
    """What `plot.summary` is given."""

    view, heatmap, title, model, protocol = IMAGE, np.eye(2), "title", "model", "token"

    def table(self):
        return CURVE


def cases():
    """Yield a name, a function and the arguments with which it works."""
    layer = Layer(WEIGHTS[0], NET.tokens)
    by_trait = {"layer": layer, "weights": WEIGHTS[0], "stack": WEIGHTS, "supra": SUPRA}
    for name in CENTRALITIES:
        function = CENTRALITIES[name]
        yield (
            f"centrality {name}",
            function,
            [by_trait[CENTRALITIES.trait(name, "takes") or "weights"]],
        )
    for name in LAYER_MEASURES:
        function = LAYER_MEASURES[name]
        yield f"layer measure {name}", function, [layer]
    for name in NULL_MODELS:
        function = NULL_MODELS[name]
        yield f"null model {name}", function, [layer, np.random.default_rng(0)]
    for name in MULTILAYER_MEASURES:
        function = MULTILAYER_MEASURES[name]
        is_supra = MULTILAYER_MEASURES.trait(name, "takes") == "supra"
        yield f"multilayer measure {name}", function, [SUPRA, 2] if is_supra else [WEIGHTS]
    for name in LAYER_SIMILARITIES:
        function = LAYER_SIMILARITIES[name]
        yield f"similarity {name}", function, list(WEIGHTS)
    for name in LAYER_DISTANCES:
        function = LAYER_DISTANCES[name]
        yield f"distance {name}", function, list(WEIGHTS)
    for name in AGGREGATIONS:
        function = AGGREGATIONS[name]
        yield f"aggregation {name}", function, [WEIGHTS]
    for name in FILTERS:
        function = FILTERS[name]
        numbers = [] if name == "without_loops" else [1]
        yield f"filter {name}", function, [WEIGHTS, *numbers]
    for name in COUPLINGS:
        function = COUPLINGS[name]
        yield f"coupling {name}", function, [np.arange(2)]
    for name in DENSITIES:
        function = DENSITIES[name]
        yield f"density {name}", function, [WEIGHTS[0] + WEIGHTS[0].T, 1.0]
    yield "centrality", centrality, [[layer], "in_strength"]
    yield "layer_table", layer_table, [[layer], "edges"]
    yield "filtered", filters.filtered, [WEIGHTS, "top_k", 1]
    yield "pruning_curve", filters.pruning_curve, [WEIGHTS, [0.5], NET.tokens]
    yield "links", coupling.links, [range(2), 4, "ordinal", 1.0]
    yield "supra_adjacency", coupling.supra_adjacency, [WEIGHTS, "ordinal", 1.0]
    yield "token_graph", token_graph.token_graph, [WEIGHTS, (2, 2)]
    yield "graph_communities", token_graph.graph_communities, [WEIGHTS[0] + WEIGHTS[0].T]
    yield "communities", multilayer.communities, [WEIGHTS, LINKS]
    yield "multilayer_modularity", multilayer.multilayer_modularity, [WEIGHTS, [0, 0, 1, 1], LINKS]
    yield "relative_omega", multilayer.relative_omega, [0.1, WEIGHTS]
    yield "global_overlap", multilayer.global_overlap, [WEIGHTS]
    yield "edge_multiplicity", multilayer.edge_multiplicity, [WEIGHTS]
    yield "layer_pair_table", multilayer.layer_pair_table, [WEIGHTS, ("a", "b"), "cosine"]
    yield "similarity_matrix", multilayer.similarity_matrix, [WEIGHTS]
    yield "reducibility", multilayer.reducibility, [WEIGHTS, ("a", "b")]
    yield "multilayer_table", multilayer.multilayer_table, [WEIGHTS, NET.tokens, SUPRA, "activity"]
    yield "versatility", multilayer.versatility, [SUPRA, 2]
    yield "consensus", multilayer.consensus, [[[0, 0, 1], [0, 1, 1]]]
    yield "agreement", multilayer.agreement, [[[0, 0, 1], [0, 1, 1]]]
    yield "share_changed", multilayer.share_changed, [[[0, 0, 1, 1]] * 2, LINKS]
    yield "infomap", multilayer.infomap, [SUPRA, 2]
    yield "components", structure.components, [WEIGHTS[0]]
    yield "bow_tie", structure.bow_tie, [WEIGHTS[0]]
    yield "rich_club_curve", structure.rich_club_curve, [WEIGHTS[0]]
    yield "betti_curve", structure.betti_curve, [WEIGHTS[0], [0.5]]
    yield "triad_census", structure.triad_census, [layer]
    yield "compare", comparison.compare, [NET, NET]
    table = pd.DataFrame({"number": [0, 1], "layer": 0, "measure": "edges", "value": [1.0, 2.0]})
    yield "compare_measures", comparison.compare_measures, [table, table]
    yield "permutation_test", comparison.permutation_test, [WEIGHTS[0], WEIGHTS[1]]
    statistic = comparison.network_based_statistic
    yield "network_based_statistic", statistic, [WEIGHTS, WEIGHTS]
    yield "read_graphml", export.read_graphml, ["no_such_file.graphml"]
    yield "lint_gephi", export.lint_gephi, ["no_such_file.graphml"]
    yield "exporter_of", export.exporter_of, ["net.gexf"]
    yield from classes()
    yield from pictures()


def classes():
    yield "Multiplex", Multiplex, [WEIGHTS, (2, 2)]
    yield "Layer", Layer, [WEIGHTS[0]]
    yield "Tokens", Tokens, [(2, 2)]
    yield "Export", Export, [WEIGHTS, NET.tokens, ("a", "b"), {}]
    layer = Layer(WEIGHTS[0], NET.tokens)
    for name in ("lengths", "paths", "distances"):
        yield f"Layer.{name}", getattr(layer, name), []
    yield "Tokens.numbers", NET.tokens.numbers, [["r0c0"]]
    result = NET.reducibility(samples=2)
    for name in ("groups", "table"):
        yield f"Reducibility.{name}", getattr(result, name), []
    first = {
        "prune": [0.5],
        "top_k": [1],
        "disparity": [0.5],
        "filter": ["top_k", 1],
        "since": [0],
        "select": [[0]],
        "part": ["positive"],
        "subgraph": [["r0c0"]],
        "shuffled": ["degree"],
        "chain": [0],
        "attention_flow": ["r0c0"],
        "minimum_cut": ["r0c1", "r0c0"],
        "route": ["r0c0"],
        "paths_in_time": ["r0c0"],
        "centrality": ["in_strength"],
        "node_table": ["in_strength"],
        "layer_table": ["edges"],
        "layer_pair_table": ["cosine"],
        "multilayer_table": ["activity"],
        "pruning_curve": [[0.5], "in_strength"],
        "modularity": [[0, 0, 1, 1]],
        "read": ["no_such_file.graphml"],
        "write": ["no_such_folder/net.graphml"],
        "__getitem__": [0],
    }
    for name, function in inspect.getmembers(NET, inspect.ismethod):
        if not name.startswith("_") or name == "__getitem__":
            yield f"Multiplex.{name}", function, first.get(name, [])


def pictures():
    merges = NET.reducibility().linkage
    arguments = {
        "attention": [IMAGE, WEIGHTS[0], (2, 2)],
        "changes": [CHANGES],
        "colours": [np.arange(4.0)],
        "correlation": [pd.DataFrame(np.eye(2))],
        "curve_bands": [CURVE],
        "curves": [CURVE],
        "distribution": [WEIGHTS[:, 0]],
        "gallery": [[IMAGE], [[np.eye(2)]]],
        "overlay": [IMAGE, np.eye(2)],
        "palette": [3],
        "panel": [(2, 2)],
        "passes": [METHODS],
        "pruning": [NET.pruning_curve([0, 0.5], "in_strength")],
        "reducibility": [merges, np.array([0.1, 0.0])],
        "settings": [SWEEP],
        "shortened": ["text"],
        "similarity": [np.eye(2)],
        "small_multiples": [IMAGE, WEIGHTS[:, 0], (2, 2)],
        "stack": [WEIGHTS, (2, 2)],
        "strongest": [WEIGHTS[0], 2],
        "summary": [[Explained()], [Explained()]],
        "thumbnail": [IMAGE, np.eye(2)],
        "trajectories": [WEIGHTS[:, 0]],
    }
    keywords = {"gallery": {"methods": ["a"]}, "settings": {"x": "k"}}
    functions = [name for name in plot.__all__ if callable(getattr(plot, name))]
    assert set(functions) == set(arguments)
    for name in functions:
        function = getattr(plot, name)
        options = keywords.get(name, {})
        yield f"plot.{name}", partial(function, **options), arguments[name]


def parameters_of_cases():
    for label, function, arguments in cases():
        for place, parameter in enumerate(inspect.signature(function).parameters.values()):
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                continue
            yield pytest.param(
                function, arguments, place, parameter, id=f"{label}({parameter.name})"
            )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "arguments", "place", "parameter"), list(parameters_of_cases())
)
def test_a_wrong_value_is_refused_in_one_line_or_works(
    function, arguments, place, parameter, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    failures = []
    for kind, value in WRONG.items():
        plt.close("all")
        positional, options = list(arguments), {}
        if place < len(positional) and parameter.kind is not parameter.KEYWORD_ONLY:
            positional[place] = value
        else:
            options[parameter.name] = value
        try:
            function(*positional, **options)
        except InputError as error:
            if "\n" in str(error) or len(str(error)) < 10:
                failures.append(f"{kind}: {error}")
        except Exception as error:
            failures.append(f"{kind}: {type(error).__name__}: {error}")
    plt.close("all")
    assert not failures, "\n".join(failures)


def test_the_arguments_of_these_tests_work():
    for label, function, arguments in cases():
        if "no_such" not in str(arguments):
            function(*arguments)
        plt.close("all")
        assert label
