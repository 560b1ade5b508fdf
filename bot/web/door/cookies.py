"""Which cookies there are: for scripts unreadable, for other sites unsent, bound to our host where TLS is."""

from litestar.datastructures import Cookie

from bot.settings import Settings


class Cookies:
    """The cookies of one address. Behind TLS their names begin with `__Host-`: no other host or path can set them."""

    def __init__(self, settings: Settings) -> None:
        self._is_secure = bool(settings.public_url and settings.public_url.startswith("https://"))
        prefix = "__Host-" if self._is_secure else ""
        self.session, self.sign_in = f"{prefix}pipewright", f"{prefix}pipewright-sign-in"

    def make(self, name: str, value: str, *, seconds: int) -> Cookie:
        """Return a cookie to set; none of seconds takes it away."""
        return Cookie(
            key=name, value=value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=self._is_secure
        )
