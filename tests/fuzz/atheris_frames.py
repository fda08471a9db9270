"""Coverage-guided fuzzing of the binary formats: bytes that reach new code are kept and changed further.

``pip install -e .[fuzz]`` (atheris, which has wheels for Linux), then

``python tests/fuzz/atheris_frames.py jt808 -max_total_time=300`` (or ``jointech``)

starts from the frames of ``tests/frames``. An exception but the decoders' own, a malformed answer, or an input that takes
longer than ``-timeout`` seconds (5, unless said) ends it and leaves the input in a file ``crash-…`` or ``timeout-…``. Half of
the inputs of JT/T 808 get a length and a checksum that hold, which no change of bits would find.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed: pip install -e .[fuzz]")

with atheris.instrument_imports(include=["seal_tracker.decoders"]):
    from mutated_frames import decoded, formats, framed, seeds

    formats()  # imports its files when it is first asked

FORMATS = ("jointech", "jt808")


def main() -> None:
    """Fuzz the format named first; what follows is libFuzzer's."""
    if len(sys.argv) < 2 or sys.argv[1] not in FORMATS:
        sys.exit(f"say which format: {' or '.join(FORMATS)}; see -help=1 for what may follow")
    name = sys.argv.pop(1)

    def one(data: bytes) -> None:
        decoded(name, framed(data[1:]) if name == "jt808" and data[:1] > b"\x7f" else data)

    with tempfile.TemporaryDirectory() as corpus:
        for number, frame in enumerate(seeds()[name]):
            (Path(corpus) / str(number)).write_bytes(frame)
            if name == "jt808":
                (Path(corpus) / f"{number}-framed").write_bytes(b"\xff" + frame)
        options = [] if any(arg.startswith("-timeout=") for arg in sys.argv) else ["-timeout=5"]
        atheris.Setup([*sys.argv, *options, "-max_len=4096", corpus], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
