"""Application modules on the admin listener: how they are, and orders to them and their bridges."""

from typing import Any

from hubbub._core import Request
from hubbub.admin.bridging import add_bridging
from hubbub.admin.listener import Admin
from hubbub.admin.snapshot import ModuleReport
from hubbub.app import App
from hubbub.errors import Misuse, ModuleFailed
from hubbub.http import Response
from hubbub.modules import Module, Modules, ModuleStats


def add_reload(admin: Admin, modules: Modules) -> None:
    """Adds the commands, and lets status and metrics tell of the modules."""

    async def reload(request: Request, name: str) -> Response:
        """Puts a new version of a module in the place of the one that runs."""
        if name not in modules.stats():
            return Response({"error": f"there is no module {name!r}"}, status=404)
        try:
            return Response(await modules.reload(name))
        except (Misuse, ModuleFailed) as error:
            # Nothing has changed: the request was in conflict with how things are.
            return Response({"error": str(error)}, status=409)

    admin.route("POST", "/reload/{name}", reload)
    add_bridging(admin, lambda: (app for module in modules.all for app in _apps(module)))
    admin.modules = lambda: [
        _report(module, stats)
        for module, stats in zip(modules.all, modules.stats().values(), strict=True)
    ]


def _report(module: Module, stats: ModuleStats) -> ModuleReport:
    settings = module.settings
    apps = _apps(module)
    hubs = [hub for app in apps for hub in app.hubs.values() if hub.is_served]
    return ModuleReport(
        module.name,
        module.state,
        settings.mount,
        settings.hosts,
        reason=module.reason,
        hubs=tuple((hub.place, hub.stats()) for hub in hubs),
        bridges=tuple(
            (name, one.stats(), one.report()) for app in apps for name, one in app.bridges.items()
        ),
        stats=stats,
    )


def _apps(module: Module) -> list[App[Any]]:
    """The applications of the version that runs, those that are mounted included."""
    walked = module.version.app.walk() if module.version else ()
    return list({id(app): app for _, app in walked}.values())
