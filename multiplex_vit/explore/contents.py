"""Contents: an explorer as JSON, the one form in which page and widget read it.

`static/src/contents.js` is its reader.
"""

from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from multiplex_vit.explore.data import MaskSteps, ShownClasses, ShownCurves, ThinNetwork
from multiplex_vit.explore.packing import packed, packed_flags, packed_shares, quantised
from multiplex_vit.explore.thinning import Strongest

_QUALITY = 88
"""JPEG quality of the photo."""


def contents(
    title: str,
    networks: Sequence[ThinNetwork],
    *,
    view: np.ndarray | None = None,
    classes: ShownClasses | None = None,
    masks: MaskSteps | None = None,
    curves: ShownCurves | None = None,
) -> dict[str, Any]:
    """Return what a page holds, as values that JSON has.

    Parameters
    ----------
    title, networks, view, classes, masks, curves
        As of `Explorer`.
    """
    first = networks[0]
    return {
        "title": title,
        "grid": list(first.grid),
        "prefix": list(first.prefix),
        "photo": None if view is None else _photo(view),
        "networks": [_network(network) for network in networks],
        "classes": None if classes is None else _classes(classes),
        "masks": None if masks is None else _masks(masks),
        "curves": None if curves is None else _curves(curves),
    }


def _photo(view: np.ndarray) -> dict[str, Any]:
    content = BytesIO()
    Image.fromarray(view).convert("RGB").save(content, "JPEG", quality=_QUALITY)
    address = f"data:image/jpeg;base64,{b64encode(content.getvalue()).decode()}"
    return {"address": address, "width": view.shape[1], "height": view.shape[0]}


def _network(network: ThinNetwork) -> dict[str, Any]:
    measures = {name: quantised(values) for name, values in network.measures.items()}
    partitions = {}
    for name, partition in network.partitions.items():
        labels = list(partition.labels)
        partitions[name] = {"numbers": packed(partition.numbers), "labels": labels}
    return {
        "name": network.name,
        "layers": list(network.layer_names),
        "edges": network.edges,
        "nEdges": network.n_edges.tolist(),
        "greatest": network.greatest.tolist(),
        "sent": _strongest(network.sent),
        "received": _strongest(network.received),
        "measures": measures,
        "partitions": partitions,
    }


def _strongest(edges: Strongest) -> dict[str, Any]:
    return {"nodes": packed(edges.nodes), "shares": packed_shares(edges.shares)}


def _classes(classes: ShownClasses) -> dict[str, Any]:
    return {
        "names": list(classes.names),
        "scores": classes.scores.tolist(),
        "quantity": classes.quantity,
        "explainer": classes.explainer,
        "heatmaps": quantised(classes.heatmaps),
    }


def _masks(masks: MaskSteps) -> dict[str, Any]:
    return {
        "kept": packed_flags(masks.kept),
        "labels": list(masks.labels),
        "confidence": quantised(masks.confidence),
        "counts": list(masks.counts),
        "growth": quantised(masks.growth, bits=8),
    }


def _curves(curves: ShownCurves) -> dict[str, Any]:
    drawn = []
    for curve in curves.curves:
        values = {
            "name": curve.name,
            "appears": curve.appears,
            "greatestFirst": curve.greatest_first,
            "fraction": curve.fraction.tolist(),
            "confidence": curve.confidence.tolist(),
            "auc": curve.auc,
        }
        drawn.append(values)
    return {
        "protocol": curves.protocol,
        "label": curves.label,
        "quantity": curves.quantity,
        "order": packed(curves.order),
        "curves": drawn,
    }
