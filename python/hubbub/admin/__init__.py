"""The admin listener: health, metrics, status and commands, apart from what the public meets.

An ordinary `App` on a listener of its own, in a listener group of its own: no public connection can
reach its routes, and none of its connections a public one.
"""

from hubbub.admin.commands import add_upgrade
from hubbub.admin.listener import ADMIN_GROUP, Admin
from hubbub.admin.place import default_path
from hubbub.admin.snapshot import ModuleReport

__all__ = ["ADMIN_GROUP", "Admin", "ModuleReport", "add_upgrade", "default_path"]
