"""What runs a graph: native code by LLVM."""
