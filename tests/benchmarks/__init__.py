"""Measurements, run as scripts: `python -m tests.benchmarks.recording`. Each prints ratios against a reference measured in the same run."""
