"""What a silent line sounds like, so that a listener knows which line it is: nothing, each in its own way.

Mu-law has two zeros, one of them negative (ITU-T G.711). Three of the 160 samples of a quiet frame are the
negative one, and the distances between them tell the number of the line. They have no sound at all.
"""

from __future__ import annotations

FRAME = 160
_ZERO, _NEGATIVE_ZERO = 0xFF, 0x7F
# The two shortest of the three distances around a frame: no two lines look alike from wherever one begins.
_DISTANCES = [
    (short, longer)
    for short in range(1, FRAME)
    for longer in range(short + 1, FRAME)
    if FRAME - short - longer > longer
]
LINES = range(1, len(_DISTANCES) + 1)


def quiet_frame(line: int) -> bytes:
    """20 ms of the silence of *line*.

    Raises:
        ValueError: there is no such line.
    """
    if line not in LINES:
        raise ValueError(f"lines go from {LINES.start} to {LINES.stop - 1}")
    short, longer = _DISTANCES[line - 1]
    frame = bytearray([_ZERO]) * FRAME
    for place in (0, short, short + longer):
        frame[place] = _NEGATIVE_ZERO
    return bytes(frame)


def line_of(audio: bytes) -> int | None:
    """The line whose silence is somewhere in *audio*, wherever its frames begin; None if none is."""
    for place in range(0, len(audio) - FRAME + 1, FRAME):
        window = audio[place : place + FRAME]
        if window.count(_NEGATIVE_ZERO) == 3 and window.count(_ZERO) == FRAME - 3:
            first = window.find(_NEGATIVE_ZERO)
            last = window.rfind(_NEGATIVE_ZERO)
            middle = window.find(_NEGATIVE_ZERO, first + 1)
            short, longer, _ = sorted((middle - first, last - middle, FRAME - (last - first)))
            if (short, longer) in _DISTANCES:
                return _DISTANCES.index((short, longer)) + 1
    return None


def sign_of(line: int) -> str:
    """What troubles call *line*."""
    return f"line {line}."
