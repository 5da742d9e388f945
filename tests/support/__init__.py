"""Helpers that tests share: real brokers, a scripted broker, a recording proxy, certificates, waiting."""
