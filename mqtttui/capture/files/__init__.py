"""Capture files of other programs become rows of the log: blocks, link layers, IP, TCP, and what TCP carries."""
