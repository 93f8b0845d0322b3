"""The widget holds what the page holds, and a selection that is checked by name."""

import sys

import pytest

import multiplex_vit as mv


def test_the_widget_has_the_contents_of_the_page(net):
    explorer = net.explore()
    widget = explorer.widget({"layer": "L01"})
    assert widget.contents == explorer.contents
    assert widget.selection == {"layer": "L01"}
    assert {"contents", "selection"} <= set(widget.get_state())


def test_a_selection_of_an_unknown_name_is_refused(net):
    with pytest.raises(mv.InputError, match="unknown selection 'leyer'; known: tab, network"):
        net.explore().widget({"leyer": 1})


def test_without_anywidget_the_error_says_what_to_install(net, monkeypatch):
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "multiplex_vit.explore.widget", raising=False)
    with pytest.raises(mv.InputError, match=r'pip install "multiplex-vit\[widget\]"'):
        net.explore().widget()
