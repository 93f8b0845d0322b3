"""Multiplex networks of patch tokens: the object, its centralities, its couplings, its files. No torch here."""
