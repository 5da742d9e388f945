"""`python -m mqtttui`."""

from __future__ import annotations

import sys

from mqtttui.cli import main

sys.exit(main())
