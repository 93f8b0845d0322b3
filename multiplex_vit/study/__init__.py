"""Studies: many images, many methods or settings, and what may be said of them."""
