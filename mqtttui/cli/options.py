"""The options of each command, as tables, and the sets of keys that belong together."""

from __future__ import annotations

from mqtttui.config.arguments import OPTIONS, OTHER, RECORDING, SCREEN, Option

ENVIRONMENT = """\
Every option has an environment variable, MQTTTUI_ and its long name: MQTTTUI_HOST, MQTTTUI_USERNAME, MQTTTUI_PASSWORD,
MQTTTUI_WILL_TOPIC … (switches: 1 or 0; several topics or properties: one a line). The command line wins."""

SCREEN_OPTIONS = (
    Option(("-Y", "--display-filter"), "FILTER", "show only the packets that this display filter selects, e.g. 'mqtt.qos > 0'", SCREEN),
    Option(("--demo",), "", "start with a broker and devices of its own; needs no network", SCREEN),
    Option(("--ascii",), "", "draw with ASCII signs only", SCREEN),
    Option(("--no-mouse",), "", "leave the mouse to the terminal, so that its own selection works", SCREEN),
    Option(("--theme",), "NAME", "colours: mqtttui-dark, mqtttui-light, or a theme of yours", SCREEN),
)
RECORD = Option(("--record",), "FILE", "write all packets to a capture file (pcapng) as they come; - is standard output", RECORDING)
RECORDING_OPTIONS = (
    Option(("--ring",), "COUNTxSIZE", "a ring of files instead of one, e.g. 10x100M: FILE-00001 and so on, oldest ones go", RECORDING),
    Option(("--force",), "", "overwrite the file; of a ring: go on behind the files that are there", RECORDING),
    Option(("--secrets",), "", "write passwords and authentication data as they are, not as *", RECORDING),
)
OTHER_OPTIONS = (
    Option(("--version",), "", "print the version", OTHER),
    Option(("--help",), "", "print this", OTHER),
)
CONFIGURABLE = (*OPTIONS, *SCREEN_OPTIONS, RECORD, *RECORDING_OPTIONS)

ABOUT_SCREEN = frozenset(option.key for option in (*SCREEN_OPTIONS, RECORD, *RECORDING_OPTIONS))
"""What says nothing about the connection."""
PLACE = frozenset({"host", "url", "unix"})
"""Where the broker is."""
