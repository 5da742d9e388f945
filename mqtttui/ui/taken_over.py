"""A connection that ends because another one of ours came with the same client id: the loser can say who took it over."""

from __future__ import annotations

from collections.abc import Iterable

from mqtttui.client.events import ConnectionState, Failure, Phase, StepStatus
from mqtttui.text import shorten
from mqtttui.ui.peers import Peer

_ID = 40


class TakenOver:
    """Remembers for each peer how its latest failure was explained, for its Session tells the failure again."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Failure, Failure]] = {}

    def is_explanation(self, failure: Failure) -> bool:
        """The failure names who took over."""
        return any(explanation is failure for _, explanation in self._known.values())

    def explained(self, before: ConnectionState, state: ConnectionState, others: Iterable[Peer]) -> ConnectionState:
        """The state with a failure that names the connection which took over, if one of the `others` did; else as it is."""
        failure = state.failure
        if failure is None:
            return state
        told, explanation = self._known.get(state.peer, (None, None))
        if failure is told and explanation is not None:
            return state.with_(failure=explanation)
        if failure is before.failure or before.phase is not Phase.CONNECTED:
            return state
        name = next((other.name for other in others if _took(other.state, state)), None)
        if name is None:
            return state
        words = f"{failure.title}, {failure.detail}" if failure.detail else failure.title
        hint = f"It connected with the same client id, {shorten(state.client_id, _ID)}: a broker ends the older connection of an id."
        explanation = Failure(f"Taken over by {name}", words, hint, cause=failure.cause)
        self._known[state.peer] = (failure, explanation)
        return state.with_(failure=explanation)


def _took(other: ConnectionState, state: ConnectionState) -> bool:
    """The other one's CONNECT has left for the same place, with the same client id."""
    if other.options is None or state.options is None or not state.client_id or other.client_id != state.client_id:
        return False
    sent = any(step.name == "connect" and step.status is StepStatus.DONE for step in other.steps)
    alive = other.phase is Phase.CONNECTED or (other.phase is Phase.CONNECTING and sent)
    return alive and other.options.url == state.options.url
