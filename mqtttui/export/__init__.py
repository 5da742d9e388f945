"""Packets as text, JSON and capture files, for the screen, `decode` and other programs."""
