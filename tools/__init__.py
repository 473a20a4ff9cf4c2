"""Scripts that make files of the source tree; none is needed to build or run the library."""
