"""The largest sizes that input may have; anything larger is refused before it is read."""

MOST_NAME_BYTES = 255
"""Bytes of one part of a path, as file systems have it."""

MOST_PATH_BYTES = 4095
"""Bytes of a whole path."""

MOST_JSON_BYTES = 64 * 2**20
"""Bytes of a JSON file; the names of a million classes take about half of it."""

MOST_TOML_BYTES = 2**20
"""Bytes of a TOML file, which is read by slower code."""

MOST_TABLE_BYTES = 2**30
"""Bytes of a CSV file or a text file of numbers."""

MOST_IMAGE_BYTES = 2**30
"""Bytes of an image file."""

MOST_GRAPH_BYTES = 2**35
"""Bytes of a file of a network, which is read as a stream."""

MOST_PARQUET_BYTES = 2**44
"""Bytes of a Parquet file, of which a group of rows is read at a time."""

MOST_WEIGHT_BYTES = 2**32
"""Bytes of the weights of a network that is read from a file."""

MOST_ARRAY_BYTES = 2**31
"""Bytes of all arrays of a saved file together, once they are decompressed."""

MOST_LEVELS = 64
"""Levels that lists and tables of JSON and TOML may be nested."""

MOST_NODES = 65_536
"""Nodes of a layer."""

MOST_TOKENS = 16_384
"""Tokens that a model takes of one image (128 x 128 patches)."""

MOST_CLASSES = 200_000
"""Classes of a model."""

MOST_BLOCKS = 1_000
"""Transformer blocks of a model."""

MOST_WIDTH = 65_536
"""Numbers that a token consists of, anywhere in a model."""

MOST_CHANNELS = 64
"""Channels of an image."""

MOST_SIDE = 4_096
"""Pixels a side that a model or its image processor may ask for."""

MOST_WHOLE = 10**9
"""The largest whole number of an argument that the table below does not name."""

MOST_NUMBER = 10**9
"""The largest number of an argument such as `omega` or `smoothness`."""

MOST_OF: dict[str, int] = {
    "at_once": MOST_TOKENS,
    "batch_size": 65_536,
    "budget": 1_000_000,
    "chunk": 65_536,
    "columns of cells": 64,
    "count": 100_000,
    "draws": 10_000,
    "gallery": 10_000,
    "grid": MOST_NODES,
    "jobs": 10_000,
    "k": MOST_NODES,
    "radius": MOST_SIDE,
    "rows of cells": 64,
    "samples": 100_000,
    "seed": 2**32 - 1,
    "seeds": 10_000,
    "starting_layer": MOST_BLOCKS,
    "steps": MOST_SIDE**2,
    "workers": 1_024,
}
"""The largest whole number that an argument of a name may be, wherever it is an argument."""
