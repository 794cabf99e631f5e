"""The chat's durable half: one SQLite file, a thread that writes it, connections that read it."""

from hubbub.apps.chat.store.failure import DatabaseDamaged, StoreFailure
from hubbub.apps.chat.store.reader import Reader
from hubbub.apps.chat.store.store import Store
from hubbub.apps.chat.store.writer import Lease, Write

__all__ = ["DatabaseDamaged", "Lease", "Reader", "Store", "StoreFailure", "Write"]
