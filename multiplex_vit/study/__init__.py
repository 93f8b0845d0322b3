"""Studies: many images by many explainers, computed once and kept on disk."""
