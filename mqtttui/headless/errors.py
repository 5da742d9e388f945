"""What ends a command without a screen."""

from __future__ import annotations


class Unusable(Exception):
    """The input cannot be used; the text says where and what helps."""
