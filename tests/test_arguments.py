"""Arguments are checked by their annotations: what fits, what becomes something else, what is refused."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import attrs
import numpy as np
import pytest
import torch

import multiplex_vit as mv
from multiplex_vit import limits
from multiplex_vit.arguments import checked, checked_but, fitting
from multiplex_vit.checks import positive, several, whole
from multiplex_vit.errors import InputError
from multiplex_vit.evaluation.protocols import Choices as ProtocolChoices
from multiplex_vit.evaluation.protocols import Options
from multiplex_vit.fields import descriptions
from multiplex_vit.saliency.settings import Choices as SettingChoices

SETTINGS = {"a": 1}


@pytest.mark.parametrize(
    ("value", "kind", "wanted"),
    [
        (3, int, 3),
        (np.int16(3), int, 3),
        (3.0, int, 3),
        (torch.tensor(3), int, 3),
        (2, float, 2),
        (np.float32(0.5), float, 0.5),
        (np.True_, bool, True),
        ("3", int | str, "3"),
        (None, int | None, None),
        (Path("a"), str | Path, Path("a")),
        ("a", Literal["a", "b"], "a"),
        (print, Callable[..., Any], print),
        ([1, 2], tuple[int, int], (1, 2)),
        ([1, 2, 3], tuple[int, ...], (1, 2, 3)),
        (("a", "b"), Iterable[str], ("a", "b")),
        (SETTINGS, Mapping[str, int], SETTINGS),
        ({1}, Any, {1}),
        (3j, object, 3j),
    ],
)
def test_what_fits(value, kind, wanted):
    found = fitting("it", value, kind)
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (True, int, "it is True; give a whole number"),
        (2.5, int, "it is 2.5; give a whole number"),
        (torch.ones(2), int, r"it is tensor\(.*; give a whole number"),
        ("a", float, "it is 'a'; give a number"),
        (3j, float, "it is 3j; give a number"),
        (1, bool, "it is 1; give True or False"),
        (2.5, int | str | None, "it is 2.5; give a whole number, a text or None"),
        (b"a", str | Path, "it is b'a'; give a text or a path"),
        ({}, Literal["a", "b"], "it is {}; give one of 'a', 'b'"),
        (3, Callable[..., Any], "it is 3; give a function"),
        ([1, "a"], tuple[int, int], "give 2 values, each a whole number"),
        ([1], tuple[int, int], "give 2 values, each a whole number"),
        ([1, "a"], tuple[int, ...], "give a list, each a whole number"),
        (3, Iterable[str], "it is 3; give a list, each a text"),
        (np.array(3), Iterable[int], "give a list, each a whole number"),
        (iter("a"), Sequence[str], "give a list, each a text"),
        ([1], Mapping[str, int], "give a mapping of a text to a whole number"),
        ({1: 1}, Mapping[str, int], "give a mapping of a text to a whole number"),
        ({"a": "b"}, Mapping[str, int], "give a mapping of a text to a whole number"),
        (
            np.array(["a"]),
            np.ndarray,
            r"it is an array of <U1 \[1\]; give an array of real numbers",
        ),
        ([[1], [2, 3]], np.ndarray, "give an array of real numbers"),
        (3, Path, "it is 3; give a path"),
        (3, np.random.Generator, "give an object of the class Generator"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(value, kind, message):
    with pytest.raises(InputError, match=message) as caught:
        fitting("it", value, kind)
    assert "\n" not in str(caught.value)


def test_numbers_of_thousands_of_digits_are_refused_without_being_written():
    with pytest.raises(InputError, match="it is int that cannot be shown; give a text"):
        fitting("it", 10**5000, str)


def test_arrays_come_from_tensors_and_lists():
    assert fitting("it", torch.ones(2, 1), np.ndarray).tolist() == [[1.0], [1.0]]
    assert fitting("it", [[1, 2]], np.ndarray).tolist() == [[1.0, 2.0]]


def test_arrays_are_not_copied():
    values = np.zeros(3, dtype=np.float32)
    assert fitting("it", values, np.ndarray) is values


def test_what_can_be_gone_through_once_is_checked_on_the_way():
    texts = fitting("texts", iter(["a", 3]), Iterable[str])
    assert next(texts) == "a"
    with pytest.raises(InputError, match="is 3; give a text"):
        next(texts)


@checked
def shown_times(text: str, /, times: int = 2, *rest: int, joint: str = "", **options: int) -> str:
    """Return a text a few times."""
    return joint.join([text] * times)


def test_a_checked_function_is_the_function_it_was():
    assert shown_times.__name__ == "shown_times"
    assert shown_times.__doc__ == "Return a text a few times."
    assert shown_times("a", 3.0, joint="-") == "a-a-a"
    assert shown_times("a", 2, "left to the function", other="too") == "aa"


def test_python_itself_tells_of_arguments_that_lack():
    with pytest.raises(TypeError, match="shown_times"):
        shown_times()


def test_a_method_is_checked_but_for_itself():
    class Shop:
        @checked
        def sell(self, count: int) -> int:
            return count

        @classmethod
        @checked_but("name")
        def opened(cls, name: str, count: int) -> str:
            return f"{name}{count}"

    assert Shop().sell(2) == 2
    assert Shop.opened(3, 2) == "32"
    with pytest.raises(InputError, match="count is 'a'; give a whole number"):
        Shop.opened("b", "a")


@pytest.mark.parametrize("name", [*limits.MOST_OF, "something else"])
def test_every_whole_number_has_a_greatest(name):
    most = limits.MOST_OF.get(name, limits.MOST_WHOLE)
    assert whole(name, most, at_least=0) == most
    for number in (most + 1, 10**30, 10**5000):
        with pytest.raises(
            InputError, match=f"{name} is .*; give a whole number of at most {most:,}"
        ):
            whole(name, number, at_least=0)


@pytest.mark.parametrize(
    "number",
    [
        1e300,
        10**400,
        limits.MOST_NUMBER + 1,
        float("inf"),
        float("nan"),
        0,
        -1,
        "1",
        None,
        3j,
        np.ones(2),
    ],
)
def test_numbers_that_are_not_positive_or_too_great(number):
    with pytest.raises(InputError, match="omega is .*; give a "):
        positive("omega", number)


@pytest.mark.parametrize(
    "values", [[], np.zeros((0, 3)), [[0.5]], [np.nan], "ab", None, [None], np.array([1j]), {}]
)
def test_several_are_a_flat_list_of_at_least_one(values):
    with pytest.raises(InputError, match=r"values? (is|has) "):
        several("values", values)


@pytest.mark.parametrize(
    ("choices", "values"), [(SettingChoices, mv.Settings), (ProtocolChoices, Options)]
)
def test_keyword_arguments_are_the_fields_of_what_they_make(choices, values):
    fields = {field.name: field.type for field in attrs.fields(values)}
    assert inspect.get_annotations(choices) == fields
    for name, text in descriptions(values).items():
        assert "Default: " in text, name
        assert f"{name} : " in values.__doc__
