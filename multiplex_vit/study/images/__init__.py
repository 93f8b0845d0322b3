"""Images of a study: whatever holds many pictures, read one at a time."""

from multiplex_vit.study.images.opening import PUBLISHED, SUFFIXES, images, pictures_of
from multiplex_vit.study.images.sources import ImageSource, Sample

__all__ = ["PUBLISHED", "SUFFIXES", "ImageSource", "Sample", "images", "pictures_of"]
