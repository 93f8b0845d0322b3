import pytest

import multiplex_vit as mv
from multiplex_vit.registry import Registry


def test_a_taken_name_is_refused():
    registry = Registry("shape")
    registry.register("square")(lambda side: side)
    with pytest.raises(mv.InputError, match="shape 'square' exists already"):
        registry.register("square")(print)


def test_the_same_function_may_register_again():
    registry = Registry("shape")
    for _ in range(2):

        @registry.register
        def square(side):
            return side

    assert list(registry) == ["square"]


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(mv.InputError, match=r"unknown statistic 'medain' \(did you mean 'median'\?\); known: coherence, max, min"):
        mv.STATISTICS["medain"]


def test_callables_are_taken_as_they_are():
    assert mv.STATISTICS.resolve(len) is len
    assert mv.CENTRALITIES.trait("in_strength", "takes") == "stack"
    assert mv.CENTRALITIES.trait(len, "stacked") is None
