"""A model whose confidence is a known linear function of the kept tokens, so that the right heatmap is known exactly."""

import numpy as np
import torch

from multiplex_vit.errors import InputError
from multiplex_vit.models.picture import Picture
from multiplex_vit.models.score import SCORES


class FakeModel:
    """A 2 x 3 grid of 1 x 1 patches: p(class 0) = 0.1 + sum of `worth` over kept nodes; its attention is drawn at random, once."""

    name = "fake"
    n_prefix = 1
    classes = ("thing", "other")
    n_classes = 2
    score = SCORES["softmax"]
    patch = (1, 1)
    normalisation = (np.array([0.5], dtype=np.float32), np.array([0.5], dtype=np.float32))
    worth = np.array([0.4, 0.2, 0.1, 0.05, 0.0, 0.0], dtype=np.float32)

    def __init__(self, n_layers=4, seed=0):
        self.attention = torch.rand(
            1, 1, n_layers, 6, 6, generator=torch.Generator().manual_seed(seed)
        )
        self.sequences = 0

    def grid_of(self, size):
        return tuple(size)

    def picture(self, image):
        if isinstance(image, Picture):
            return image
        pixels = torch.as_tensor(image, dtype=torch.float32)
        return Picture(pixels, np.zeros((2, 3, 3), dtype=np.uint8))

    def label_of(self, label, predicted):
        if label is not None and not 0 <= label < 2:
            raise InputError(f"label {label} is out of range")
        return predicted if label is None else label

    def embed(self, pixels):
        return torch.ones(1, 7, 1)

    def attend(self, tokens, operators, *, prefix=False):
        powers = torch.cat([self.attention ** (i + 1) for i, _ in enumerate(operators)], 1)
        return powers, self.probabilities(tokens, np.ones((1, 6), dtype=bool))

    def attend_directly(self, tokens, operators):
        """There is no class token here to which anything could be written."""
        attention, clean = self.attend(tokens, operators)
        return attention, clean, torch.zeros(1, attention.shape[-1], 2)

    def attend_relevance(self, tokens, operators, labels, rules):
        """What each node is worth to the class, all of it found in the first layer."""
        attention, clean = self.attend(tokens, operators)
        return attention, clean, self._relevance(labels[0])

    def relevance(self, tokens, labels, rules):
        return self._relevance(labels[0]), self.probabilities(tokens, np.ones((1, 6), dtype=bool))

    def _relevance(self, label):
        worth = torch.as_tensor(self.worth).ravel()
        relevance = torch.zeros(1, self.attention.shape[2], len(worth) + 1)
        relevance[0, 0, 1:] = -worth if label == 1 else worth
        return relevance

    def probabilities(self, tokens, kept, *, batch_size="auto"):
        self.sequences += len(kept)
        own = torch.as_tensor(0.1 + np.asarray(kept) @ self.worth, dtype=torch.float32)
        return torch.stack([own, 1 - own], 1)

    def classify(self, pixels, *, batch_size="auto"):
        shown = (np.asarray(pixels)[:, 0] != -1).reshape(len(pixels), 6)
        return self.probabilities(None, shown)


class PlantedModel(FakeModel):
    """A model of any grid whose confidence is `rule` of the sum of `worth` [row, col] over kept nodes, or over patches as bright as they are.

    Pixel values stand for themselves: a patch of 1 counts wholly, one of normalised zero not at all, true black (-1) against it.
    """

    def __init__(self, worth, *, patch=(1, 1), rule=lambda total: total, seed=0):
        self.worth = np.asarray(worth, dtype=np.float32)
        self.patch, self.rule, self.sequences = patch, rule, 0
        self.attention = torch.rand(
            1, 1, 3, self.worth.size, self.worth.size, generator=torch.Generator().manual_seed(seed)
        )

    def grid_of(self, size):
        return size[0] // self.patch[0], size[1] // self.patch[1]

    def embed(self, pixels):
        return torch.ones(1, self.worth.size + 1, 1)

    def attend(self, tokens, operators, *, prefix=False):
        powers = torch.cat([self.attention ** (i + 1) for i, _ in enumerate(operators)], 1)
        return powers, self.probabilities(tokens, np.ones((1, self.worth.size), dtype=bool))

    def _relevance(self, label):
        """Nothing: what is planted is to be found by masks alone."""
        return torch.zeros(1, 3, self.worth.size + 1)

    def probabilities(self, tokens, kept, *, batch_size="auto"):
        self.sequences += len(kept)
        own = torch.as_tensor(self.rule(np.asarray(kept) @ self.worth.ravel()), dtype=torch.float32)
        return torch.stack([own, 1 - own], 1)

    def classify(self, pixels, *, batch_size="auto"):
        rows, cols = self.worth.shape
        bright = (
            np.asarray(pixels)
            .mean(1)
            .reshape(len(pixels), rows, self.patch[0], cols, self.patch[1])
            .mean((2, 4))
        )
        return self.probabilities(None, bright.reshape(len(pixels), -1))
