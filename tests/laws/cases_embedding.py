from __future__ import annotations

import numpy as np

from tests.laws.samples import integers, normal
from wengert.ops.embedding import Embedding, EmbeddingGradient, OneHot, embedding
from wengert.testing.laws import ALL_FLOATS, Case

PADDED = "the padding row is looked up but by convention gets no gradient, so differences disagree"

CASES = [
    Case(OneHot(4, "float32"), integers(0, 4, 2, 3)),
    Case(OneHot(4, "int64"), integers(0, 4)),
    Case(Embedding(), integers(0, 5, 2, 3), normal(5, 2), dtypes=ALL_FLOATS),
    Case(Embedding(), integers(0, 5, 4), normal(5), dtypes=ALL_FLOATS),
    Case(Embedding(), integers(0, 5, 0), normal(5, 2)),
    Case(Embedding(2), np.array([[2, 0], [1, 2]]), normal(3, 2), skip={"forward": PADDED}),
    Case(EmbeddingGradient(5), integers(0, 5, 2, 3), normal(2, 3, 2), dtypes=ALL_FLOATS),
    Case(EmbeddingGradient(3, 2), np.array([[2, 0], [1, 2]]), normal(2, 2, 2), dtypes=ALL_FLOATS),
    Case(EmbeddingGradient(3), integers(0, 3, 0), normal(0, 2)),
    Case(
        embedding,
        integers(0, 5, 2, 3),
        normal(5, 2),
        reference=lambda indices, weight: weight[indices],
        dtypes=ALL_FLOATS,
        label="embedding",
    ),
]
