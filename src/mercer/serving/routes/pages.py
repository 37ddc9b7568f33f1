"""Pages for people: what is served, a form to try it, a search, the reference. Nothing is loaded from elsewhere."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter
from starlette.responses import HTMLResponse, Response

_TYPES = {"js": "text/javascript", "css": "text/css"}
_MARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<rect width="32" height="32" rx="7" fill="#1d3557"/>'
    '<path d="M7 23V9l9 9 9-9v14" fill="none" stroke="#f1faee" stroke-width="3.4" stroke-linejoin="round"/>'
    "</svg>"
)
_PAGES = files("mercer.serving") / "pages"


def router() -> APIRouter:
    """Routes of the pages and their assets. Public: the pages are the same for every release."""
    routes = APIRouter(include_in_schema=False)
    pages = {
        name: (_PAGES / name).read_text("utf-8") for name in ("console.html", "search.html", "reference.html")
    }
    assets = {
        entry.name: (entry.read_bytes(), kind)
        for entry in _PAGES.iterdir()
        if (kind := _TYPES.get(entry.name.rpartition(".")[2])) is not None
    }
    assets["mark.svg"] = (_MARK.encode(), "image/svg+xml")

    @routes.get("/")
    def console() -> HTMLResponse:
        return HTMLResponse(pages["console.html"])

    @routes.get("/search")
    def search() -> HTMLResponse:
        return HTMLResponse(pages["search.html"])

    @routes.get("/docs")
    def reference() -> HTMLResponse:
        return HTMLResponse(pages["reference.html"])

    @routes.get("/favicon.ico")
    def icon() -> Response:
        return Response(assets["mark.svg"][0], media_type="image/svg+xml")

    def asset(name: str) -> None:
        content, kind = assets[name]

        @routes.get(f"/assets/{name}")
        def serve() -> Response:
            return Response(content, media_type=kind)

    for name in assets:
        asset(name)
    return routes
