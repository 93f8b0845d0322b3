import ast
import functools
import inspect
import re

import numpy as np
import pytest
from public import room_members

import multiplex_vit as mv
from multiplex_vit.registry import Registry, chosen, name_of

REGISTRIES = [each for each in room_members().values() if isinstance(each, Registry)]
MEMBERS = [(registry, name) for registry in REGISTRIES for name in registry]
every_registry = pytest.mark.parametrize("registry", REGISTRIES, ids=lambda each: each.kind)
every_member = pytest.mark.parametrize(
    ("registry", "name"), MEMBERS, ids=lambda each: getattr(each, "kind", each)
)


def defaults_of(registry, name):
    """Return the options of a member that have defaults which can be written down."""
    found = {}
    for option, parameter in inspect.signature(registry[name]).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is not parameter.empty:
            found[option] = parameter.default
    return found


def spellings_of(registry, name):
    """Return a member as a name, a name with its options, the function, and partials of both."""
    function, options = registry[name], defaults_of(registry, name)
    listed = ", ".join(f"{option}={value!r}" for option, value in options.items())
    spellings = [
        name,
        function,
        functools.partial(function),
        functools.partial(function, **options),
    ]
    return [*spellings, f"{name}({listed})"]


@every_member
def test_options_of_wrong_types_are_refused_by_name_and_as_partials(registry, name):
    for option, default in defaults_of(registry, name).items():
        wrong = ["nonsense", "None", "[1]"] if isinstance(default, (int, float)) else ["3j"]
        for text in wrong:
            value = ast.literal_eval(text if text != "nonsense" else repr(text))
            assert f"{name}({option}={value!r})" not in registry
            with pytest.raises(
                mv.InputError, match=f"{option} of {registry.kind} .* is .*; give (a|True)"
            ):
                registry.resolve(functools.partial(registry[name], **{option: value}))


def test_whole_numbers_of_options_are_bounded():
    with pytest.raises(
        mv.InputError, match="radius is 1000000000; give a whole number of at most 4,096"
    ):
        mv.evaluation.BASELINES["blur(radius=1000000000)"]


def test_a_taken_name_is_refused():
    registry = Registry("shape")
    registry.register("square")(lambda side: side)
    with pytest.raises(mv.InputError, match="shape 'square' exists already"):
        registry.register("square")(print)


@every_registry
def test_what_no_member_can_be_said_to_be_is_refused_where_it_is_registered(registry):
    assert registry.traits is not None, "say what members may be told of, if only {}"
    with pytest.raises(mv.InputError, match=f"{registry.kind} 'mine' has no trait 'colour'; ") as e:
        registry.register("mine", colour="red")(lambda values: values)
    for trait in registry.traits:
        assert trait in str(e.value)
    assert "mine" not in registry


@pytest.mark.parametrize(
    ("registry", "traits", "message"),
    [
        (
            mv.CENTRALITIES,
            {"take": "layer"},
            r"no trait 'take' \(did you mean 'takes'\?\); known: ",
        ),
        (
            mv.CENTRALITIES,
            {"takes": "graph"},
            "trait takes of centrality 'mine' is 'graph'; give on",
        ),
        (
            mv.CENTRALITIES,
            {"scale": "lineer"},
            "is 'lineer'; give one of 'invariant', 'linear', 'n",
        ),
        (mv.network.NULL_MODELS, {"rewires": 1}, "trait rewires of null model 'mine' is 1; give T"),
        (
            mv.network.NULL_MODELS,
            {"keeps": ("names",)},
            r"is \('names',\); give a list, each one o",
        ),
        (
            mv.PROTOCOLS,
            {"curves": ("one",)},
            "trait curves of protocol 'mine' is .*; give 2 values",
        ),
    ],
)
def test_traits_of_another_kind_are_refused(registry, traits, message):
    with pytest.raises(mv.InputError, match=message):
        registry.register("mine", **traits)(lambda values: values)
    assert "mine" not in registry


def test_facts_of_explainers_are_checked_where_they_are_registered():
    with pytest.raises(mv.InputError, match="forward is 'many'; give a whole number, a function"):
        mv.EXPLAINERS.register(forward="many")(lambda model, picture, label: 0)


def test_the_same_function_may_register_again():
    registry = Registry("shape")
    for _ in range(2):

        @registry.register
        def square(side):
            return side

    assert list(registry) == ["square"]


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(
        mv.InputError,
        match=r"unknown statistic 'medain' \(did you mean 'median'\?\); known: coherence, max, min",
    ):
        mv.STATISTICS["medain"]


def test_callables_are_taken_as_they_are():
    assert mv.STATISTICS.resolve(len) is len
    assert mv.CENTRALITIES.trait("in_strength", "takes") == "stack"
    assert mv.CENTRALITIES.trait(len, "stacked") is None


# --- every member of every registry, however it is spelled ---------------------------------------------


@every_member
def test_every_spelling_means_the_same_member(registry, name):
    for spelling in spellings_of(registry, name):
        assert registry.own_name(spelling) == name
        assert spelling in registry
        assert registry.trait(spelling, "takes") == registry.trait(name, "takes")
        assert chosen(registry, [spelling]) == [spelling]


@every_member
def test_what_is_written_of_a_member_gives_it_back(registry, name):
    for spelling in spellings_of(registry, name):
        text = registry.written(spelling)
        assert registry.own_name(text) == name
        assert registry.options(text) == registry.options(spelling)
    assert registry.written(registry[name]) == name == name_of(registry[name])


@every_member
def test_an_unknown_option_names_the_known_ones(registry, name):
    known = list(defaults_of(registry, name))
    wanted = f"{registry.kind} .* has no option 'no_such_option'"
    for spelling in (
        f"{name}(no_such_option=1)",
        functools.partial(registry[name], no_such_option=1),
    ):
        with pytest.raises(mv.InputError, match=wanted) as caught:
            registry.resolve(spelling)
        assert all(option in str(caught.value) for option in known)
    assert f"{name}(no_such_option=1)" not in registry


@every_registry
@pytest.mark.parametrize("nonsense", [5, 0.5, None, [1], {}, np.arange(3.0), b"name", object()])
def test_what_is_no_name_is_refused_in_one_line(registry, nonsense):
    assert nonsense not in registry
    with pytest.raises(mv.InputError, match=f"a {registry.kind} is wanted, not"):
        registry.resolve(nonsense)
    if nonsense is not None and not isinstance(nonsense, (list, dict)):
        with pytest.raises(mv.InputError, match=f"a {registry.kind} is wanted, not"):
            chosen(registry, nonsense)


UNREADABLE = {
    "(min_cut=nan)": r"min_cut of {name} is nan, which is no value; give a number",
    "(a=1, b=word)": r"b of {name} is word, which is no value; .* a text in quotes",
    "(a=[1, print()])": r"a of {name} is \[1, print\(\)\], which is no value",
    "(a=1 + 1)": r"a of {name} is 1 \+ 1, which is no value",
    "(0.5)": r"cannot be read \(0.5 is without a name\)",
    "(**a)": r"cannot be read \(\*\*a is without a name\)",
    "()()": r"cannot be read \(more than one pair of brackets\)",
    "() or f()": r"cannot be read \(more than one pair of brackets\)",
    "(": r"cannot be read \(.*never closed.*\); write them as name\(option=value",
    "(a=1": r"cannot be read \(.*never closed",
    "(a=1, a=2)": r"cannot be read \(a is there twice",
    "(a=\0)": r"cannot be read",
    f"(a={'[' * 300}{']' * 300})": r"cannot be read",
}
"""What may stand behind a name and cannot be read as options, and what is said of it."""


@pytest.mark.parametrize("registry", [*REGISTRIES, mv.EXPLAINERS], ids=repr)
@pytest.mark.parametrize("brackets", UNREADABLE)
def test_options_that_cannot_be_read_are_told_with_the_reason(registry, brackets):
    name = next(iter(registry))
    text = f"{name}{brackets}"
    assert text not in registry
    reason = UNREADABLE[brackets].format(name=re.escape(name))
    with pytest.raises(mv.InputError, match=reason):
        registry.resolve(text)
    # Of a name that is not known, that is what matters.
    with pytest.raises(mv.InputError, match="^unknown "):
        registry.resolve(f"none_such{brackets}")


def test_a_text_whose_options_cannot_be_read_is_no_member():
    for text in ("katz(attenuation=x)", "katz(", "(katz)", ""):
        assert mv.CENTRALITIES.own_name(text) == ""
        assert mv.CENTRALITIES.trait(text, "takes") is None
    for text in ("(katz)", ""):
        with pytest.raises(mv.InputError, match="unknown centrality"):
            mv.CENTRALITIES[text]
    assert mv.CENTRALITIES["katz()"](np.eye(2)).shape == (2,)


def test_names_that_are_none_of_pythons_take_options_too():
    registry = Registry("statistic")

    @registry.register("sum/std")
    def ratio(values, *, floor=0.0):
        return values + floor

    assert registry["sum/std(floor=2.0)"](1) == 3
    assert registry.written(functools.partial(ratio, floor=2.0)) == "sum/std(floor=2.0)"


@pytest.mark.parametrize(
    "value",
    [
        np.float64(0.5),
        np.float32(0.5),
        np.int64(3),
        float("inf"),
        -float("inf"),
        "a'b",
        None,
        (1, 2),
    ],
)
def test_options_come_back_from_text(value):
    registry = Registry("shape")

    @registry.register
    def square(side, *, unit=1):
        return unit

    text = registry.written(functools.partial(square, unit=value))
    assert registry[text](1) == value


# --- names ---------------------------------------------------------------------------------------------


def test_one_function_under_two_names_has_both():
    registry = Registry("shape")

    def square(side):
        return side * side

    for name in ("second", "square", "third"):
        assert registry.register(name)(square) is square
    for name in ("second", "square", "third"):
        assert name_of(registry[name]) == registry.written(registry[name]) == name
        assert registry.own_name(functools.partial(registry[name])) == name
        assert registry[name](3) == 9
    assert name_of(square) == "second", "it keeps the first"


def test_a_function_of_two_registries_has_a_name_in_each():
    first, second = Registry("shape"), Registry("form")

    def square(side):
        return side * side

    first.register(square)
    second.register("quadrate")(square)
    assert name_of(first["square"]) == "square"
    assert name_of(second["quadrate"]) == "quadrate"
    assert second.written(square) == "quadrate"


def test_functions_that_cannot_be_marked_have_their_names_too():
    registry = Registry("shape")
    registry.register("absolute")(abs)
    registry.register("abs")(abs)
    assert [name_of(registry[name]) for name in registry] == ["absolute", "abs"]
    assert registry["absolute"](-2) == 2


def test_a_function_of_ones_own_is_never_written_as_a_member():
    def katz(weights):
        return weights.sum(0)

    text = mv.CENTRALITIES.written(katz)
    assert text not in mv.CENTRALITIES
    assert text.endswith("katz")
