"""Extended authentication and the largest packet (H08, H11 to H15)."""

from __future__ import annotations

from mqtttui.analysis.expert.conversation import Conversation
from mqtttui.analysis.expert.learning import text_bytes
from mqtttui.analysis.expert.rule import Rule
from mqtttui.analysis.expert.seen import Seen
from mqtttui.protocol.enums import Direction, PropertyId, Version
from mqtttui.protocol.enums import PacketType as P
from mqtttui.protocol.packets import Auth as AuthPacket
from mqtttui.protocol.packets import Connack
from mqtttui.text import preview

_C2S, _S2C = Direction.C2S, Direction.S2C
_SUCCESS, _CONTINUE, _AGAIN = 0x00, 0x18, 0x19
_DONE = ("MQTT-4.12.0-2", "MQTT-4.12.0-3", "MQTT-3.15.2-1")


class Authentication(Rule):
    """Follows the steps of an extended authentication."""

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(conversation)
        self._again = 0
        """The AUTH that began a re-authentication, 0 for none under way."""

    def packet(self, seen: Seen) -> None:
        """A packet of either side."""
        limit = self.conversation.limits[seen.direction].packet_size
        if limit is not None and seen.length > limit:
            text = f"{seen.sender} sends {seen.length:,} bytes; {seen.receiver} takes at most {limit:,} a packet."
            self.conversation.report("H08", seen, text, field="mqtt.len", cause=seen.sender)
        if seen.version is not Version.V5:
            return
        if seen.kind is P.AUTH:
            self._auth(seen)
        elif seen.kind is P.CONNACK and seen.direction is _S2C:
            self._connack(seen)
        elif seen.kind is P.DISCONNECT and self._again:
            text = f"{seen.sender} disconnects during the re-authentication."
            self.conversation.report("H15", seen, text, related=(self._again,))
            self._again = 0

    def closed(self, mono: int, reason: str) -> None:
        """The connection ended."""
        if self._again:
            self.conversation.report("H15", self._again, "The connection ended during the re-authentication that begins here.")

    @property
    def _method(self) -> bytes | None:
        """The method of the CONNECT."""
        connect = self.conversation.connect
        return next(
            (
                text_bytes(item.value)
                for item in (connect.properties if connect is not None else ())
                if item.id == PropertyId.AUTHENTICATION_METHOD and isinstance(item.value, str | bytes)
            ),
            None,
        )

    def _connack(self, seen: Seen) -> None:
        if self.conversation.connect is None or not isinstance(seen.packet, Connack):
            return
        method, named = self._method, self._named(seen)
        related = (self.conversation.connect_no,)
        if method is None:
            if named is not None:
                text = "The server names an authentication method, but the CONNECT has none."
                self.conversation.report("H11", seen, text, related=related)
        elif seen.packet.code == 0 and named != method:
            what = "none" if named is None else preview(named, 40)
            text = f"The server accepts with the authentication method {what}; the CONNECT has {preview(method, 40)}."
            self.conversation.report("H12", seen, text, related=related)

    def _auth(self, seen: Seen) -> None:
        conversation = self.conversation
        if conversation.connect is None:
            return
        method, named = self._method, self._named(seen)
        related = (conversation.connect_no,)
        if method is None:
            text = f"{seen.sender} sends AUTH, but the CONNECT has no authentication method."
            conversation.report("H11", seen, text, related=related, cause=seen.sender)
            return
        if named is not None and named != method:
            text = f"{seen.sender} names the authentication method {preview(named, 40)}; the CONNECT has {preview(method, 40)}."
            conversation.report("H12", seen, text, related=related, field="mqtt.prop_string", cause=seen.sender)
        code = (seen.packet.reason_code or 0) if isinstance(seen.packet, AuthPacket) else _CONTINUE
        self._step(seen, code)

    def _step(self, seen: Seen, code: int) -> None:
        conversation = self.conversation
        first = seen.direction is _S2C and not conversation.last_no[_S2C]
        if seen.direction is _S2C and code == _AGAIN:
            self._wrong_side(seen, "The server asks to authenticate again (0x19), which only the client may do.", _DONE[2])
        elif seen.direction is _C2S and code == _SUCCESS:
            self._wrong_side(seen, "The client declares the authentication a success (0x00), which only the server may do.", _DONE[1])
        elif first and code != _CONTINUE:
            self._wrong_side(seen, "The server begins the authentication with another code than 0x18.", _DONE[0])
        if code == _AGAIN and seen.direction is _C2S:
            if not conversation.accepted:
                text = "The client authenticates again (0x19) before it is accepted."
                conversation.report("H14", seen, text, related=(conversation.connect_no,), field="mqtt.auth.reason_code")
            else:
                self._again = seen.no
        elif code == _SUCCESS and seen.direction is _S2C:
            self._again = 0

    def _wrong_side(self, seen: Seen, text: str, statement: str) -> None:
        self.conversation.report("H13", seen, text, field="mqtt.auth.reason_code", cause=seen.sender, statement=statement)

    def _named(self, seen: Seen) -> bytes | None:
        value = seen.value_of(PropertyId.AUTHENTICATION_METHOD)
        return text_bytes(value) if isinstance(value, str | bytes) else None
