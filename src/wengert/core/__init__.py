"""The nouns everything else is built from: tensors, operations, nodes, and the backward sweep."""
