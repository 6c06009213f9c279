"""Trainings that pages look at: they run here, are steered from there, and are found again.

A training is a row of steps on the thread that runs Pyro, in turn with whatever else is asked, so
a slider waits for one step at most; one of somebody's own programs runs in a process of its own.
What was recorded is kept, so a page that comes back sees all of it. Of networks there are never
more than :data:`LIVE`; a training whose networks had to go can still be looked at, and begun again
from its start, which gives the same numbers.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from .apart import Apart
from .steering import DEEDS, Change, Start
from .training import LAST, STEPS, SUMMARIES, Training, heading
from .turns import beside, do

LIVE = 3
"""How many trainings may have networks, and so run, at once."""

KEPT = 12
"""How many are kept to be looked at."""

UNWATCHED = 20.0
"""Seconds without a look after which a training pauses: its page is gone."""


class FullError(Exception):
    """As many trainings run as may."""


class Kept:
    """A training with all that was recorded of it.

    Args:
        start: what was asked for. training: what takes the steps.

    Attributes:
        steps: what each step found. frames: what was seen, with the step's number.
        events: changes of the settings, with the step before which they were made.
        status: ``"paused"``, ``"running"``, ``"pausing"`` after the step that it is at, ``"done"``,
            or ``"ended"`` with ``trouble`` in words.
    """

    def __init__(self, start: Start, training: Training | Apart) -> None:
        self.start, self.training = start, training
        self.turn: Callable[..., Awaitable[Any]] = beside if isinstance(training, Apart) else do
        self.id = secrets.token_urlsafe(9)
        self.opening = training.opening()
        self.steps: list[dict[str, Any]] = []
        self.frames: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.status, self.trouble, self.until, self.speed = "paused", "", STEPS, 0.0
        self.seen = time.monotonic()
        self.running: asyncio.Task[None] | None = None
        self.woken = asyncio.Event()

    @property
    def live(self) -> Training | Apart | None:
        """The training itself, as long as it has its networks."""
        return self.training if self.status != "ended" else None

    async def look(self) -> None:
        """See both sides as they are before the first step."""
        self._note(0, await self.turn(self.training.frame))

    async def advance(self, always: bool = False) -> None:
        """One step, if it comes to something."""
        training = self.training
        try:
            found = await self.turn(training.step, always)
        except ValueError as error:
            if self.status != "ended":
                self.end(str(error))
            return
        if self.status == "ended":  # its networks were let go meanwhile
            return
        if frame := found.pop("frame", None):
            self._note(found["step"], frame)
        self.steps.append(found)
        if found["step"] >= self.until:
            self.status = "done"

    async def run(self) -> None:
        """Step after step, until it is paused, done, or nobody looks."""
        while self.status == "running":
            start = time.monotonic()
            await self.advance()
            if time.monotonic() - self.seen > UNWATCHED and self.status == "running":
                self.status = "paused"
            if self.speed:
                await self._rest(1 / self.speed - (time.monotonic() - start))
        if self.status == "pausing":
            self.status = "paused"

    async def pause(self) -> None:
        """Stop after the step that it is at."""
        if self.status == "running":
            self.status = "pausing"
            self.woken.set()
        if self.running is not None:
            await self.running

    async def _rest(self, seconds: float) -> None:
        self.woken.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.woken.wait(), max(0.0, seconds))

    def end(self, trouble: str) -> None:
        """Let the networks go; what was recorded stays."""
        self.status, self.trouble = "ended", trouble
        if isinstance(self.training, Apart):
            self.training.close()
        del self.training

    def state(self, since: int, frames: int) -> dict[str, Any]:
        """What a page does not know yet.

        Args:
            since, frames: how many steps and frames it has.
        """
        self.seen = time.monotonic()
        steps = self.steps[since:]
        names = {name for step in steps for side in step["sides"] for name in side}
        return {
            "status": self.status,
            "trouble": self.trouble,
            "until": self.until,
            "last": LAST,
            "speed": self.speed,
            "steps": steps,
            "frames": self.frames[frames:],
            "events": self.events,
            "headings": {name: heading(name) for name in [*SUMMARIES, *sorted(names)]},
        }

    def _note(self, step: int, frame: list[dict[str, Any]]) -> None:
        if not self.frames or self.frames[-1]["step"] != step:
            self.frames.append({"step": step, "sides": frame})


class Shelf:
    """All trainings of a server."""

    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}
        self.beginning = 0

    async def begin(self, start: Start, make: Callable[[], Training | Apart], theirs: bool) -> Kept:
        """A new training, paused before its first step.

        Args:
            make: makes it, on the thread that runs Pyro; or on another, where it is somebody's.
            theirs: whether it is.

        Raises:
            FullError: where as many run as may. ValueError: for a training that cannot be.
        """
        self._make_room()
        self.beginning += 1
        try:
            kept = Kept(start, await (beside if theirs else do)(make))
            await kept.look()
        finally:
            self.beginning -= 1
        self.kept[kept.id] = kept
        return kept

    def _make_room(self) -> None:
        """Let go of networks that rest, the longest unseen first, and of what is too much."""
        alive = [kept for kept in self.kept.values() if kept.live]
        resting = sorted((k for k in alive if k.status != "running"), key=lambda kept: kept.seen)
        surplus = len(alive) + self.beginning + 1 - LIVE
        if surplus > len(resting):
            raise FullError
        for kept in resting[: max(0, surplus)]:
            kept.end("its networks made room for another training; begin it again for more steps")
        for name in list(self.kept):
            if len(self.kept) >= KEPT and self.kept[name].status == "ended":
                del self.kept[name]

    def find(self, name: str) -> Kept:
        """A training by its name.

        Raises:
            LookupError: where it is not kept, or no longer.
        """
        return self.kept[name]

    async def steer(self, kept: Kept, change: Change) -> None:
        """Do what a page asks of a training.

        Raises:
            ValueError: for what cannot be done.
        """
        if change.do not in DEEDS:
            raise ValueError("expected go, pause or step; reload the page")
        training = kept.live
        if training is None:
            raise ValueError(f"this training has ended: {kept.trouble}")
        if change.speed is not None:
            kept.speed = change.speed
        if change.touches():
            await kept.turn(training.change, change)
            kept.events.append({"step": len(kept.steps), "words": change.words()})
        if change.do == "pause":
            await kept.pause()
        if change.do in ("go", "step"):
            await self._go(kept, change.do)

    async def _go(self, kept: Kept, deed: str) -> None:
        if len(kept.steps) >= LAST:
            raise ValueError(f"a training here ends at step {LAST}; begin another")
        if kept.status == "done":
            kept.until, kept.status = min(LAST, kept.until + STEPS), "paused"
        if deed == "step":
            await kept.pause()
            await kept.advance(always=True)
        elif kept.status in ("paused", "pausing"):
            kept.status, kept.seen = "running", time.monotonic()
            if kept.running is None or kept.running.done():
                kept.running = asyncio.create_task(kept.run())

    def close(self) -> None:
        """Stop all trainings after the step that they are at."""
        for kept in self.kept.values():
            if kept.running is not None:
                kept.running.cancel()
            if isinstance(kept.live, Apart):
                kept.live.close()
