"""Followers of the log: each reads it from its own position, in slices, and may lag behind."""
