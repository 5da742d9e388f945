"""What to check when a finding strikes that one packet alone can give: one line for a person, by check."""

from __future__ import annotations

_UTF8 = "Look at the bytes of the string: another encoding, binary data, or a length that is wrong"
_WHERE_FROM = "Look at how the sender makes the name: characters that are not seen come from copied text and from binary data"
_WILDCARD = "Somebody took a filter for a topic: put the real level in place of + or #"
_PLACE = "+ stands for one whole level, # for all the rest: a/+/c, a/#"
_IDENTIFIER = "The sender's counter starts at 0, or the field was never set"
_FILTERS = "A loop over an empty list sends such a packet: leave it out when there is nothing to ask for"

HINTS: dict[str, str] = {
    # B: strings and topics
    "B01": _UTF8,
    "B02": "A C string with its final NUL, or a length that is too long: the receiver has to close the connection",
    "B03": _WHERE_FROM,
    "B04": _WHERE_FROM,
    "B05": "An unset setting or variable makes an empty topic; in MQTT 5 only a Topic Alias may stand for it",
    "B06": _WILDCARD,
    "B07": _WILDCARD,
    "B08": _WILDCARD,
    "B09": _PLACE,
    "B10": _PLACE,
    "B11": "A shared subscription is $share/name/filter, the name without / + #",
    "B12": "Works with some brokers only: see whether this one knows it, or use MQTT 5",
    "B13": "Brokers often ignore or refuse these: look for an answer, and at the rights of this user",
    # D: PUBLISH
    "D01": "A fault in the sender's flags, or bytes that are out of step: look at the packet before",
    "D02": "DUP belongs to repeated QoS 1 and 2 messages only: look at how the sender sets its flags",
    "D03": _IDENTIFIER,
    "D16": "Intended? New subscribers get nothing for this topic until the next message with RETAIN",
    "D17": "Publish with QoS 1 if new subscribers have to get the value for certain",
    "D19": "Aliases count from 1: leave the property out instead",
    "D23": "Only servers put it into PUBLISH: does a bridge or relay pass received properties on?",
    "D26": "Look at the payload: binary data, another encoding, or a text that was cut in a character",
    # E: QoS flows
    "E15": "Look the code up for this type of packet: the sender uses one that belongs elsewhere",
    "E16": "Look at the code and the Reason String: mostly rights to the topic, or a quota. It must not be sent again",
    "E17": "Look at the topic's spelling, and whether the consumer is subscribed; some brokers never say this",
    "E18": "Harmless after a session was lost; otherwise compare the identifiers of the exchange",
    # F: SUBSCRIBE and UNSUBSCRIBE
    "F01": _FILTERS,
    "F02": _FILTERS,
    "F03": "Use 0, 1 or 2; options like No Local exist in MQTT 5 only",
    "F04": "Bits 7 and 6 are reserved: look at how the sender puts the options together",
    "F05": "QoS and Retain Handling are 0, 1 or 2: look at how the sender puts the options together",
    "F06": "Subscribe without No Local, or without $share",
    "F07": _IDENTIFIER,
    "F08": "Identifiers count from 1: leave the property out if it is not wanted",
    "F12": "A fault of the broker; until it is mended, take the filter as refused",
    "F24": "Look at the list of filters that the client makes: the options of the last one hold",
}
