"""Application modules: loaded, isolated from each other, reloaded while connections stay open."""

from hubbub.modules.module import Module, ModuleStats, Reloaded
from hubbub.modules.modules import Modules, RouteInfo

__all__ = ["Module", "ModuleStats", "Modules", "Reloaded", "RouteInfo"]
