"""Staff take a conversation over, and from then on nothing of the desk's leaves there."""

from __future__ import annotations

import time
from dataclasses import replace

import structlog

from server.domain.conversations import Mode, lane_key
from server.domain.messages import conversation_lane
from server.domain.modes import Actor, ModeChange, StaffMessage
from server.domain.phrases import Phrase
from server.errors import LeaseLost, StillSending
from server.ports.conversations import ModeStore
from server.ports.queue import WorkQueue
from server.ports.store import LeaseStore

# A send takes fifteen seconds at the most; so does a takeover that meets one.
LONGEST_WAIT_S = 15.0
# Whoever sends may be another process: there is nothing to listen to.
LOOK_EVERY_S = 0.05

log = structlog.get_logger(__name__)


class Takeover:
    """Changes who answers, and sees the desk's last message out.

    A mode is changed in one transaction, after which the desk commits nothing and begins to send nothing.
    What it was sending at that moment is waited for. Its sender holds the lease of the conversation's lane:
    once that is ours, nobody sends, and a message that still counts as being sent was left so by a process
    that has died or waits to try again.
    """

    def __init__(
        self, modes: ModeStore, leases: LeaseStore, lanes: WorkQueue, longest_wait_s: float = LONGEST_WAIT_S
    ) -> None:
        self._modes = modes
        self._leases = leases
        self._lanes = lanes
        self._longest_wait_s = longest_wait_s

    def set_mode(self, tenant_id: str, conversation_id: int, mode: Mode, actor: Actor) -> ModeChange:
        """Change who answers; unless it is the desk, return once nothing of the desk's leaves. Blocks.

        Raises:
            NotFound: the tenant has no such conversation.
            StillSending: the mode is changed, yet what the desk was sending has not ended in time.
        """
        change = self._modes.set_mode(tenant_id, conversation_id, mode, actor)
        log.info("mode.changed", conversation=conversation_id, mode=mode, by=actor.by)
        if mode is Mode.AI:
            return change
        late = self._see_out(conversation_id)
        # What staff had written stands behind what has been cancelled, or found its lane taken by us.
        self._lanes.put(conversation_lane(conversation_id))
        return replace(change, cancelled=change.cancelled + late)

    def write(
        self, tenant_id: str, conversation_id: int, text: str, actor: Actor, client_id: str | None = None
    ) -> StaffMessage:
        """Take the conversation over and send *text* to the guest.

        Waits for nothing: what the desk is sending stands before *text* in the same lane, and nothing of
        the desk's comes behind it.

        Raises:
            Conflict: *client_id* was used for another text.
            NotFound: the tenant has no such conversation.
            UnprocessableRequest: nobody is known to send it to.
        """
        message = self._modes.write_as_staff(tenant_id, conversation_id, text, actor, client_id)
        if message.is_new:
            log.info("staff.wrote", conversation=conversation_id, message=message.message_id, by=actor.by)
        self._lanes.put(message.lane)
        return message

    def _see_out(self, conversation_id: int) -> int:
        """Return once nothing of the desk's is on its way; how much was cancelled on the way there."""
        deadline = time.monotonic() + self._longest_wait_s
        while self._modes.is_sending(conversation_id):
            cancelled = self._cancel_abandoned(conversation_id)
            if cancelled is not None:
                return cancelled
            if time.monotonic() > deadline:
                raise StillSending(
                    Phrase(
                        "the conversation is yours, and the desk writes nothing more; one message that it "
                        "was sending may still arrive. Ask again to learn when it has ended"
                    )
                )
            time.sleep(LOOK_EVERY_S)
        return 0

    def _cancel_abandoned(self, conversation_id: int) -> int | None:
        """Cancel what nobody sends any more, and return how much; None while somebody is sending."""
        lease = self._leases.claim(lane_key(conversation_lane(conversation_id)))
        if lease is None:
            return None
        try:
            return self._modes.cancel_sending(lease, conversation_id)
        except LeaseLost:
            # We were held up for so long that somebody else has the lane.
            return None
        finally:
            self._leases.release(lease)
