"""What seals answer, and what it makes of their commands: read, held against what was sent, handed over to be committed.

No state. Whatever cannot be believed (no answer, of another seal, to a command that was never sent) is kept as a dead letter that
says why; an answer that came before changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from seal_tracker.deeds import Deed
from seal_tracker.downlink.messages import CommandAnswer, SealAnswer, decode_answer
from seal_tracker.downlink.rows import CommandRow
from seal_tracker.downlink.states import Command, action_of, answered, command_in, row_of
from seal_tracker.model import LIVE, DeadLetter
from seal_tracker.store.records import Action
from seal_tracker.supervision.errors import WrongState

__all__ = ["AnswerDesk", "Answers", "Heard", "not_taken"]

REPEATED = "command_answers_repeated"
"""Counter of answers to commands that had one: the broker delivers at least once, and so do seals."""


@dataclass
class Heard:
    """What answers lead to, not yet committed."""

    deed: Deed = field(default_factory=Deed)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def refuse(self, answer: SealAnswer, reason: str) -> None:
        """Keep an answer that is not taken."""
        message = answer.message
        letter = DeadLetter(message.received_ms, message.topic, message.payload, reason[:1000], LIVE)
        self.dead_letters.append(letter)


class Answers(Protocol):
    """Takes answers in; what it gives is committed before they are acknowledged to the broker."""

    async def __call__(self, answers: Sequence[SealAnswer], /) -> Heard: ...  # noqa: D102


class CommandStore(Protocol):
    """What is read."""

    async def commands_named(self, space: str, ids: Iterable[UUID]) -> list[CommandRow]: ...


async def not_taken(answers: Sequence[SealAnswer]) -> Heard:
    """Refuse answers where no commands are given."""
    heard = Heard()
    for answer in answers:
        heard.refuse(answer, "commands to seals are off (SEAL_TRACKER_COMMANDS): nobody asked for an answer")
    return heard


class AnswerDesk:
    """Works with a store; see the module."""

    def __init__(self, store: CommandStore, clock_ms: Callable[[], int]) -> None:
        self._store = store
        self._clock_ms = clock_ms

    async def __call__(self, answers: Sequence[SealAnswer], /) -> Heard:
        """What these answers lead to, in their order."""
        heard = Heard()
        read = _read(answers, heard)
        rows = await self._store.commands_named(LIVE, {UUID(said.id) for _, said in read}) if read else []
        known = {command.id: command for command in map(command_in, rows)}
        changed: dict[str, Command] = {}
        actions: list[Action] = []
        for answer, said in read:
            after = _taken(known.get(said.id), answer, said, heard, self._clock_ms())
            if after is not None:
                known[said.id] = changed[said.id] = after
                actions.append(action_of(after, (answer.seal, "seal"), self._clock_ms()))
        heard.deed = Deed(commands=[row_of(command) for command in changed.values()], actions=actions)
        return heard


def _read(answers: Iterable[SealAnswer], heard: Heard) -> list[tuple[SealAnswer, CommandAnswer]]:
    found = []
    for answer in answers:
        try:
            found.append((answer, decode_answer(answer.message.payload)))
        except ValueError as error:
            heard.refuse(answer, str(error))
    return found


def _taken(
    command: Command | None, answer: SealAnswer, said: CommandAnswer, heard: Heard, now_ms: int
) -> Command | None:
    """The command after an answer; None where it changes nothing, which ``heard`` is told."""
    if command is None:
        heard.refuse(answer, f"command {said.id}: there is none of that id")
    elif command.seal != answer.seal:
        heard.refuse(answer, f"command {said.id}: was given to seal {command.seal}, not to {answer.seal}")
    else:
        try:
            after = answered(command, said, now_ms)
        except WrongState as refused:
            heard.refuse(answer, f"command {said.id}: cannot have been heard: {refused}")
        else:
            heard.counts[REPEATED] += after is None
            return after
    return None
