"""The rules of Gephi's GraphML importer."""

from dataclasses import dataclass

from multiplex_vit.network.export import gephi_values as values
from multiplex_vit.network.export.gephi_elements import Lint

_NODE = (
    "label",
    "nodelabel",
    "x",
    "xpos",
    "y",
    "ypos",
    "z",
    "zpos",
    "size",
    "r",
    "g",
    "b",
    "color",
)
_EDGE = ("label", "edgelabel", "weight", "Edge Weight", "r", "g", "b", "color")
_PROPERTIES = {"node": _NODE, "edge": _EDGE}
_SAME = {
    "Edge Weight": "weight",
    "xpos": "x",
    "ypos": "y",
    "zpos": "z",
    "nodelabel": "label",
    "edgelabel": "label",
}
_FAULTS = {
    **dict.fromkeys(("weight", "Edge Weight"), values.weight_fault),
    **dict.fromkeys(("x", "xpos", "y", "ypos", "z", "zpos"), values.place_fault),
    "size": values.size_fault,
    **dict.fromkeys(("r", "g", "b"), values.channel_fault),
    "color": values.colour_fault,
}


@dataclass(frozen=True)
class _Key:
    """A declared attribute.

    `role` is the property that Gephi takes it for, or empty for a column of its own.
    """

    name: str
    domain: str
    kind: str
    role: str


class GraphmlLint(Lint):
    """Checks GraphML."""

    def __init__(self) -> None:
        super().__init__()
        self._checks = {
            "key": self._key,
            "graph": self._graph,
            "node": self._node,
            "edge": self._edge,
            "data": self._data_start,
        }
        self._keys: dict[tuple[str, str], _Key] = {}
        self._open: list[str] = []
        self._called: list[str] = []
        self._given: list[set[str]] = []
        self._data: _Key | None = None
        self._directed = True
        self._placed = self._at_origin = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Check an element's attributes."""
        check = self._checks.get(tag)
        if check is not None:
            check(attributes)
        elif tag in ("hyperedge", "port"):
            self.say(
                f"<{tag}>",
                f"<{tag}> on line {self.line}; Gephi has none and leaves it out",
            )
        if tag in ("graph", "node", "edge", "key"):
            self._open.append(tag)

    def end(self, tag: str, text: str) -> None:
        """Check what an element holds."""
        if tag == "data" and self._data is not None:
            self._value(self._data, text)
        elif tag == "default" and self._open[-1:] == ["key"]:
            self._default()
        elif tag == "desc" and self._open[-1:] in (["node"], ["edge"]):
            self.say("<desc>", f"{self._called[-1]} has a <desc>; Gephi makes it the label")
        if tag in ("graph", "node", "edge", "key"):
            self._open.pop()
        if tag in ("node", "edge"):
            self._called.pop()
            self._given.pop()
        if tag == "data":
            self._data = None

    def _graph(self, attributes: dict[str, str]) -> None:
        default = attributes.get("edgedefault")
        if default not in ("directed", "undirected"):
            self.say(
                "edgedefault",
                f"graph on line {self.line} has edgedefault {default!r}; give directed or undirected, or Gephi guesses",
            )
        if "graph" in self._open:
            self.say(
                "graphs within",
                f"graph on line {self.line} lies in another; Gephi flattens the hierarchy",
            )
        elif self.add_graph() > 1:
            self.say(
                "graphs",
                f"graph on line {self.line} is not the first of the file; Gephi puts all graphs into one",
            )
        self._directed = default != "undirected"

    def _key(self, attributes: dict[str, str]) -> None:
        identity, domain, kind = (
            attributes.get("id", ""),
            attributes.get("for", "all"),
            attributes.get("attr.type", "string"),
        )
        name = attributes.get("attr.name", identity)
        if not identity:
            self.say(
                "keys without an id",
                f"key {name!r} on line {self.line} has no id; Gephi leaves the column out",
            )
        for place in ("node", "edge") if domain == "all" else (domain,):
            known = _PROPERTIES.get(place, ())
            role = next((each for each in (identity, name) if each in known), "")
            if (place, identity) in self._keys:
                self.say(
                    "keys twice",
                    f"{place} key {identity!r} is there twice; Gephi mixes the columns up",
                )
            self._check_key(_Key(identity, place, kind, role), name, known)
            self._keys[place, identity] = _Key(identity, place, kind, role)

    def _check_key(self, key: _Key, name: str, known: tuple[str, ...]) -> None:
        if key.domain not in _PROPERTIES:
            return
        near = next(
            (each for each in known if name.strip().lower() == each.lower() or key.name.strip().lower() == each.lower()),
            "",
        )
        if not key.role and near:
            self.say(
                "property names",
                f"{key.domain} key {name!r} is not exactly {near!r}; Gephi makes it a column and ignores it as {near}",
            )
        if not key.role and not values.known_type(key.kind):
            self.say(
                "types",
                f"{key.domain} key {name!r} has type {key.kind!r}; Gephi leaves the column out",
            )
        if not key.role and "timeset" in (key.name.lower(), name.lower()):
            self.say(
                "timeset",
                f"{key.domain} key {name!r} is the name of Gephi's own column of times; the import fails; rename it",
            )
        alike = [other.name for (domain, other_id), other in self._keys.items() if domain == key.domain and other_id != key.name and not other.role]
        for other in alike:
            if not key.role and other.lower() == key.name.lower():
                self.say(
                    "keys alike",
                    f"{key.domain} keys {other!r} and {key.name!r} differ by capitals only; Gephi makes one column of them",
                )

    def _default(self) -> None:
        key = next(reversed(self._keys.values()))
        if key.role:
            self.say(
                "defaults",
                f"{key.domain} key {key.name!r} has a <default>; Gephi ignores it for {key.role}",
            )

    def _node(self, attributes: dict[str, str]) -> None:
        if "node" in self._open:
            self.say(
                "nodes within",
                f"node {attributes.get('id')!r} lies in another; Gephi flattens the hierarchy",
            )
        self._called.append(self.add_node(attributes))
        self._given.append(set())
        self._placed += 1

    def _edge(self, attributes: dict[str, str]) -> None:
        direction = attributes.get("directed")
        called = self.add_edge(
            attributes,
            attributes.get("label", ""),
            self._directed if direction is None else direction.lower() == "true",
        )
        if direction not in (None, "true", "false"):
            self.say(
                "directed",
                f"{called} has directed={direction!r}; give true or false, or Gephi takes it as undirected",
            )
        self._called.append(called)
        self._given.append(set())

    def _data_start(self, attributes: dict[str, str]) -> None:
        domain, key = self._open[-1] if self._open else "", attributes.get("key", "")
        self._data = self._keys.get((domain, key))
        if self._data is None and domain in _PROPERTIES:
            self.say(
                "keys not declared",
                f"{self._called[-1]} has data of key {key!r}, which is declared for no {domain}; Gephi leaves it out",
            )

    def _value(self, key: _Key, text: str) -> None:
        if key.domain not in _PROPERTIES:
            return
        self._once(_SAME.get(key.role, key.role) or key.name)
        check = _FAULTS.get(key.role)
        fault = check(text) if check else None if key.role else values.value_fault(key.kind, text)
        if fault:
            name = key.role or key.name
            self.say(
                f"values of {name}",
                f"{self._called[-1]} has {name} {text!r}, which {fault}",
            )
        elif key.role[:1] in ("x", "y") and values.java_float(text) == 0:
            self._at_origin += 1

    def _once(self, name: str) -> None:
        if name in self._given[-1]:
            self.say(
                "values twice",
                f"{self._called[-1]} has two values of {name!r}; Gephi keeps one",
            )
        self._given[-1].add(name)

    def finish(self) -> None:
        """Check the places of all nodes together."""
        if self._placed > 1 and self._at_origin == 2 * self._placed:
            self.say("places", "every node lies at x = 0, y = 0; Gephi strews them at random")
