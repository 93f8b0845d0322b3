"""From networks to heatmaps: statistics over layers, token masks, explanations."""
