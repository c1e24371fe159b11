"""The store: rows that people change, who changed each and when, on SQLite by default and PostgreSQL in production.

The door is :class:`Store`. A kind of row is a :class:`Record`; the room that the row belongs to defines it.
"""

from bettercare.store.changing import Changing, Conflict, Missing
from bettercare.store.history import Change
from bettercare.store.record import Record, asks
from bettercare.store.store import Store

__all__ = ["Change", "Changing", "Conflict", "Missing", "Record", "Store", "asks"]
