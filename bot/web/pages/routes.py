"""Every address for people, and the files their pages load."""

from litestar.datastructures import CacheControlHeader
from litestar.static_files import create_static_files_router

from bot.web.pages import conversation, earlier, listing, operator, project, proposal, reference
from bot.web.pages.render import FOLDER

_STATIC = create_static_files_router(
    path="/static", directories=[FOLDER / "static"], cache_control=CacheControlHeader(max_age=3600)
)

ROUTES = (
    *listing.ROUTES,
    *conversation.ROUTES,
    *earlier.ROUTES,
    *proposal.ROUTES,
    *project.ROUTES,
    *operator.ROUTES,
    *reference.ROUTES,
    _STATIC,
)
