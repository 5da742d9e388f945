"""The embedded broker and its simulated devices: `demo.Demo` for people, `broker.DemoBroker` also for tests.

Loading this package loads nothing else.
"""
