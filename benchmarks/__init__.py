"""Benchmarks: answers checked, figures as ratios against a reference of the same run."""
