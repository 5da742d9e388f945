"""Expert checks over conversations and sessions (inspector.md, section 4): what one packet alone cannot tell."""
