"""Link layers: where in a frame the IP packet begins.

Numbers: https://www.tcpdump.org/linktypes.html. `Link.marks` serves the fast path: if `data[start + mark_start : start +
mark_end]` is one of them, the IP packet begins at `start + network`. All else goes through `network_of`.
"""

from __future__ import annotations

EXPORTED = 252
"""LINKTYPE_WIRESHARK_UPPER_PDU."""

_ETHERNET, _LOOPBACK, _RAW, _OPENBSD_LOOPBACK, _COOKED, _COOKED2, _IP4, _IP6 = 1, 0, 101, 108, 113, 276, 228, 229
_RAW_ALIASES = frozenset({12, 14, _RAW, _IP4, _IP6})
"""12 and 14 stand for raw IP in files of some BSD systems."""

_NAMES = {
    3: "AX.25", 6: "token ring", 8: "SLIP", 9: "PPP", 105: "IEEE 802.11", 119: "IEEE 802.11", 127: "IEEE 802.11 with radiotap",
    163: "IEEE 802.11", 187: "Bluetooth HCI", 189: "USB", 195: "IEEE 802.15.4", 201: "Bluetooth HCI", 220: "USB", 227: "CAN",
    230: "IEEE 802.15.4", 239: "NFLOG", 251: "Bluetooth LE", 253: "netlink", 254: "Bluetooth", 272: "nRF sniffer", 283: "IEEE 802.15.4",
}  # fmt: skip

_IP4_TYPE, _IP6_TYPE = b"\x08\x00", b"\x86\xdd"
_TAGS = frozenset({b"\x81\x00", b"\x88\xa8", b"\x91\x00", b"\x92\x00"})
"""VLAN tags, IEEE 802.1Q and 802.1ad."""
_PPPOE = b"\x88\x64"
_PPP_IP = frozenset({b"\x00\x21", b"\x00\x57"})
_MAX_TAGS = 8
_FAMILIES = frozenset({2, 10, 23, 24, 28, 30})
"""AF_INET and AF_INET6 of the systems that there are."""

_OTHER_TYPES = {
    b"\x08\x06": "ARP frames", b"\x88\xcc": "LLDP frames", b"\x88\x47": "MPLS frames", b"\x88\x8e": "EAPOL frames",
    b"\x88\x63": "PPPoE discovery frames", b"\x88\xe5": "MACsec frames", b"\x88\xf7": "PTP frames",
}  # fmt: skip


class Link:
    """One link type."""

    __slots__ = ("code", "mark_end", "mark_start", "marks", "network")

    def __init__(self, code: int) -> None:
        self.code = code
        self.marks: frozenset[bytes] = frozenset()
        self.mark_start = self.mark_end = self.network = 0
        types = frozenset({_IP4_TYPE, _IP6_TYPE})
        if code == _ETHERNET:
            self.marks, self.mark_start, self.mark_end, self.network = types, 12, 14, 14
        elif code == _COOKED:
            self.marks, self.mark_start, self.mark_end, self.network = types, 14, 16, 16
        elif code == _COOKED2:
            self.marks, self.mark_start, self.mark_end, self.network = types, 0, 2, 20
        elif code in _RAW_ALIASES:
            self.marks = frozenset({b""})
        elif code in (_LOOPBACK, _OPENBSD_LOOPBACK):
            families = {family.to_bytes(4, order) for family in _FAMILIES for order in ("little", "big")}
            self.marks, self.mark_end, self.network = frozenset(families), 4, 4

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"link type {self.code} ({_NAMES[self.code]})" if self.code in _NAMES else f"link type {self.code}"

    def network_of(self, data: bytes, start: int, end: int) -> int | str:
        """Where the IP packet of the frame `data[start:end]` begins, or what to call a frame that has none."""
        if not self.marks:
            return f"frames of {self.name}"
        if self.mark_end and start + self.network > end:
            return "frames that end inside their link header"
        kind = data[start + self.mark_start : start + self.mark_end]
        if kind in self.marks:
            return start + self.network
        return self._behind_tags(data, start + self.network, end, kind) if len(kind) == 2 else "frames without IP"

    @staticmethod
    def _behind_tags(data: bytes, at: int, end: int, kind: bytes) -> int | str:
        for _ in range(_MAX_TAGS):
            if kind in _TAGS and at + 4 <= end:
                kind = data[at + 2 : at + 4]
                at += 4
            elif kind == _PPPOE and at + 8 <= end and data[at + 6 : at + 8] in _PPP_IP:
                return at + 8
            else:
                break
        if kind in (_IP4_TYPE, _IP6_TYPE):
            return at
        return _OTHER_TYPES.get(kind, "frames without IP")
