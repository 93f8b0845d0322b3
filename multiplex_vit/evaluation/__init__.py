"""Measuring heatmaps: insertion and deletion curves, the protocols that make them, and their areas."""
