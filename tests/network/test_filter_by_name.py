"""Filters by name: `net.filter` takes every member of `FILTERS` in every spelling."""

import functools

import numpy as np
import pytest

import multiplex_vit as mv

NUMBERS = {
    "min_cut": ("min_cut", 0.3),
    "top_k": ("k", 2),
    "disparity": ("alpha", 0.4),
    "row_relative": ("share", 0.5),
    "matched_density": ("density", 0.25),
    "noise_corrected": ("delta", 0.5),
    "spanning_tree_plus": ("degree", 1.5),
}
METHODS = {"min_cut": "prune", "top_k": "top_k", "disparity": "disparity"}


def network():
    weights = np.random.default_rng(0).random((3, 6, 6))
    return mv.Multiplex(weights, (2, 3))


def test_every_filter_is_tested_here():
    assert set(mv.FILTERS) == {*NUMBERS, "without_loops"}


def test_a_filter_without_a_number():
    net = network()
    for how in ("without_loops", mv.FILTERS["without_loops"]):
        found = net.filter(how)
        assert np.array_equal(found.weights, net.without_loops().weights)
        assert found.provenance == {"without_loops": "yes"}


@pytest.mark.parametrize("name", NUMBERS)
def test_every_spelling_of_a_filter_gives_the_same_network(name):
    net, (option, number) = network(), NUMBERS[name]
    expected = net.filter(name, number)
    if name in METHODS:
        assert np.array_equal(getattr(net, METHODS[name])(number).weights, expected.weights)
    function = mv.FILTERS[name]
    assert np.array_equal(expected.weights, function(net.weights, number))
    spellings = [(name, number), (f"{name}({option}={number})",), (function, number)]
    spellings.append((functools.partial(function, **{option: number}),))
    for spelling in spellings:
        found = net.filter(*spelling)
        assert np.array_equal(found.weights, expected.weights)
        assert found.provenance == expected.provenance == {name: number}


def test_several_filters_are_told_in_order():
    found = network().filter("min_cut", 0.1).filter("top_k(k=2)")
    assert found.provenance["filters"] == "min_cut 0.1; top_k 2"


@pytest.fixture
def above():
    @mv.FILTERS.register
    def above(weights, least):
        return np.where(weights > least, weights, 0)

    yield
    mv.FILTERS.remove("above")


@pytest.mark.usefixtures("above")
def test_a_registered_filter_is_found_by_its_name():
    found = network().filter("above", 0.5)
    assert (found.weights[found.weights > 0] > 0.5).all()
    assert found.provenance == {"above": 0.5}


def test_a_function_of_ones_own_needs_no_number(tmp_path):
    def without_loops(weights):
        return weights * (1 - np.eye(weights.shape[-1]))

    found = network().filter(without_loops)
    assert not found.weights.diagonal(axis1=1, axis2=2).any()
    found = found.filter("min_cut", 0.2)
    assert dict(found.provenance)["without_loops"] == "yes"
    found.write(tmp_path / "a.graphml", preset="full")
    assert mv.Multiplex.read(tmp_path / "a.graphml").provenance == found.provenance


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("topk", 2), "unknown filter 'topk'"),
        (("top_k",), "filter top_k was given no number"),
        (("without_loops", 1), "filter without_loops was given 1; it takes no number"),
        (("top_k(k=2)", 3), "was given 3 too; give its number once"),
        (("top_k(n=2)",), "filter top_k has no option 'n'"),
        (("top_k", 0), "k is 0"),
        (("top_k", "two"), "k is 'two'"),
        (("min_cut", 2), "min_cut is 2; give a number from 0 to 1"),
        ((5, 2), "a filter is wanted, not int"),
        ((lambda weights: weights[0], None), "returned weights of shape"),
    ],
)
def test_what_is_no_filter_is_refused(given, message):
    with pytest.raises(mv.InputError, match=message):
        network().filter(*given)
