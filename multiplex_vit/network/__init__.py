"""Multiplex networks of patch tokens: the object, its measures, its couplings, its files.

Nothing in this room imports torch.
"""
