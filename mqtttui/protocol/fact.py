"""What a row of the tables of fields says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mqtttui.protocol.enums import Version


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of the table."""

    name: str
    filter: str = ""
    text: str = ""
    section5: str = ""
    section3: str = ""
    """Empty: the same as `section5`."""
    values: Mapping[int, str] = field(default_factory=dict)
    """Value -> explanation, in place of `text`."""
    words: Mapping[int, str] = field(default_factory=dict)
    """Value -> what is shown in front of the number."""
    secret: bool = False

    def section(self, version: Version) -> str:
        """The section of the standard in force."""
        return self.section5 if version is Version.V5 or not self.section3 else self.section3

    def explain(self, value: object) -> str:
        """The explanation for `value`."""
        return self.values.get(int(value), self.text) if isinstance(value, int) else self.text
