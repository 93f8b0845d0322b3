"""Images of a study: whatever holds many pictures, read one at a time."""

from multiplex_vit.study.sources.folders import SUFFIXES, pictures_of
from multiplex_vit.study.sources.index import PUBLISHED
from multiplex_vit.study.sources.opening import images
from multiplex_vit.study.sources.source import ImageSource, Sample

__all__ = ["PUBLISHED", "SUFFIXES", "ImageSource", "Sample", "images", "pictures_of"]
