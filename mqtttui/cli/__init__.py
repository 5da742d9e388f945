"""The command line: arguments and environment become settings, then the application or a command runs.

A module a command, and what several of them share. Exit status: 0 all is well, 2 something that was given cannot be used
(said on standard error, with the remedy), 130 interrupted; `decode`, `record` and `check` have some of their own. What only
one way of starting needs (Textual, `decode`, the options of a connection) is imported on that way, so that each of them
starts soon.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from mqtttui.cli.output import asked, complain
from mqtttui.config.errors import ConfigError


def main(argv: Sequence[str] | None = None) -> int:
    """Run `mqtttui`; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        match words[:1]:
            case ["decode"]:
                return _decode(words[1:])
            case ["record"]:
                from mqtttui.cli.record import run
            case ["check"]:
                from mqtttui.cli.check import run
            case ["profiles"]:
                return _profiles(words[1:])
            case ["open"]:
                from mqtttui.cli.open_file import run
            case _:
                from mqtttui.cli.start import run

                return run(words)
        return run(words[1:])
    except ConfigError as error:
        complain(error)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has gone; what is still buffered must not complain a second time at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _decode(words: Sequence[str]) -> int:
    import argparse

    from mqtttui.headless import decode

    parser = argparse.ArgumentParser(prog="mqtttui decode", description=(decode.__doc__ or "").partition("\n")[0], allow_abbrev=False)
    decode.add_arguments(parser)
    return decode.run(parser.parse_args(list(words)))


def _profiles(words: Sequence[str]) -> int:
    from mqtttui.headless import profiles

    if asked(words, lambda: profiles.USAGE):
        return 0
    return profiles.run(words)
