"""Prior: what is known of tokens before any is left out, by one backward pass or by none."""

from dataclasses import dataclass, replace

import numpy as np

RELEVANCE, DIRECT = "relevance", "direct"
PRIORS = (RELEVANCE, DIRECT)
"""Kinds of prior.

- relevance: AttnLRP's (Achtibat et al., ICML 2024, arXiv:2402.05602), summed over the inputs of
  the first half of blocks; a backward pass for each class.
- direct: what each token writes to the tokens that are classified (`models.direct`); every class
  at once, without a pass.
"""


@dataclass(frozen=True, eq=False)
class Prior:
    """What is known of the tokens of an image.

    Attributes
    ----------
    values : ndarray float32 [node, known class]
        In logits.
    labels : tuple of int
        The classes of which it is known, in the order of `values`.
    """

    values: np.ndarray
    labels: tuple[int, ...]

    def of_class(self, label: int) -> np.ndarray | None:
        """Return the values [node] for a class, None where they are not known.

        Examples
        --------
        >>> prior = Prior(np.array([[1.0, 2.0], [3.0, 4.0]]), labels=(5, 0))
        >>> prior.of_class(0).tolist(), prior.of_class(1)
        ([2.0, 4.0], None)
        """
        if label not in self.labels:
            return None
        return self.values[:, self.labels.index(label)]

    def with_class(self, label: int, values: np.ndarray) -> "Prior":
        """Return the prior with another class in it."""
        columns = np.column_stack([self.values, values])
        return replace(self, values=columns, labels=(*self.labels, label))
