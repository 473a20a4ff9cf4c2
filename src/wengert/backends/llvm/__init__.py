"""Native code: the only package that knows llvmlite."""
