"""The findings that need more than one packet: conversation and session checks (inspector.md, section 4).

What one packet alone can give stands in `protocol.checks`. H12 stands in both: a method that is missing shows in one packet,
one that changed does not.
"""

from __future__ import annotations

from mqtttui.analysis.expert import checks_connection, checks_messages
from mqtttui.protocol.check import Check

CONVERSATION: dict[str, Check] = {check.id: check for check in (*checks_connection.TABLE, *checks_messages.TABLE)}
"""Id -> check, of those that need more than one packet."""
