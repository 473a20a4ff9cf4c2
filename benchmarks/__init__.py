"""Benchmarks: ratios measured side by side in one process, medians of several rounds. ``make bench`` runs them all."""
