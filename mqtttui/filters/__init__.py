"""Display filters: Wireshark's language and names, read, checked and applied to the log."""
