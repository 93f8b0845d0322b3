"""Measuring heatmaps: insertion and deletion curves, their protocols, and checks of heatmaps."""
