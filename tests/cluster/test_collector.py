"""What the garbage collector looks at, in a process of its own: it is one for a whole process."""

from __future__ import annotations

import subprocess
import sys

PRELUDE = """
import gc, weakref
from ffrtmp_ray.cluster import collector

class Thing:
    def __init__(self):
        self.itself = self
"""


def run(script: str) -> None:
    subprocess.run([sys.executable, "-c", PRELUDE + script], check=True)


def test_what_has_survived_a_full_collection_is_not_looked_at_again() -> None:
    run("""
collector.look_once()
held = [[number] for number in range(10_000)]
gc.collect()
assert gc.get_freeze_count() > 10_000
assert len(gc.get_objects()) < 1_000
""")


def test_garbage_in_circles_is_still_collected_and_what_was_put_aside_is_still_freed() -> None:
    run("""
collector.look_once()
circle = weakref.ref(Thing())
plain = type("Plain", (), {})()
freed = weakref.ref(plain)
gc.collect()
assert circle() is None
del plain
assert freed() is None
""")


def test_nothing_is_collected_while_loading_and_what_was_loaded_is_put_aside() -> None:
    run("""
with collector.loading():
    assert not gc.isenabled()
    held = [[number] for number in range(10_000)]
assert gc.isenabled()
assert gc.get_freeze_count() > 10_000
""")
