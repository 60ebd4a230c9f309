"""A believable sales department from a seed: the snapshot of an amoCRM account as files."""

from sandbox.generate.snapshot import write_snapshot

__all__ = ["write_snapshot"]
