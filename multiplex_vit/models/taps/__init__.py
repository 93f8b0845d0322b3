"""Taps: where the attention of a library's blocks is seen, part of the graph of gradients."""
