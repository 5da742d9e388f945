"""mqtttui: see, byte by byte, what an MQTT broker and its clients say to each other.

Everything that travels on a connection is recorded as bytes first; everything on screen is derived from that record.
"""

__version__ = "0.1.0"
