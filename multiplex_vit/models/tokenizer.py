"""A checkpoint's tokenizer, for the classes of a model that reads text too."""

from dataclasses import dataclass
from typing import Any

import transformers

from multiplex_vit.models.checkpoint import Checkpoint, quiet
from multiplex_vit.models.families.zero_shot import READERS_OF_TEXT

_FILES = (
    "tokenizer.json",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
)


@dataclass(frozen=True)
class Reader:
    """An image processor and a tokenizer, as processors of transformers hold them.

    Attributes
    ----------
    image_processor : callable
    tokenizer : callable
    """

    image_processor: Any
    tokenizer: Any


def read_tokenizer(checkpoint: Checkpoint, model_class: type) -> Any:
    """Return the tokenizer of a checkpoint.

    Parameters
    ----------
    checkpoint : Checkpoint
    model_class : type
        A class named in `READERS_OF_TEXT`, which says what tokenizer it has; nothing in the
        folder does, so that no code of its own is run.

    Raises
    ------
    InputError
        If it is missing or damaged.
    """
    kind = getattr(transformers, READERS_OF_TEXT[model_class.__name__])
    # Fetched one by one, so that a checkpoint of the hub is looked up as its other files are.
    found = [checkpoint.find(file) for file in _FILES]
    folders = {path.parent for path in found if path is not None}
    if not folders:
        raise checkpoint.cannot_read("tokenizer", "it has none; give load(..., processor=)")
    try:
        with quiet():
            return kind.from_pretrained(
                folders.pop(), local_files_only=True, trust_remote_code=False
            )
    except Exception as error:
        # Tokenizers fail in any way on damaged files.
        raise checkpoint.cannot_read("tokenizer", error) from error
