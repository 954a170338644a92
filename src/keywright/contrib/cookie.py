"""The session's cookie, and where a client is."""

from typing import NamedTuple

from keywright.errors import SettingsError


class Cookie(NamedTuple):
    """How the cookie goes out. `max_age` is seconds from the last new id, which a login gives (None: until
    the browser closes); the store's own times say how long the session lives.

    `secure` is on: browsers send the cookie over HTTPS alone (and most to localhost); switch it off for
    tests over plain HTTP. `same_site` is Lax, Strict or None.
    """

    name: str = "session"
    path: str = "/"
    domain: str = ""
    max_age: int | None = None
    secure: bool = True
    http_only: bool = True
    same_site: str = "Lax"

    def checked(self) -> "Cookie":
        """Return it as it is. Raises SettingsError for what browsers drop without a word."""
        if self.same_site not in ("Lax", "Strict", "None"):
            raise SettingsError(f"same_site is Lax, Strict or None, not {self.same_site}")
        if self.same_site == "None" and not self.secure:
            raise SettingsError("browsers drop a cookie with SameSite=None that is not Secure")
        if any(
            mark in part for part in (self.name, self.path, self.domain) for mark in '=;, \t\r\n"'
        ):
            raise SettingsError(
                "a cookie's name, path or domain has a character of its own grammar"
            )
        host = self.name.startswith("__Host-")
        if (host or self.name.startswith("__Secure-")) and not self.secure:
            raise SettingsError(f"browsers drop a cookie named {self.name} that is not Secure")
        if host and (self.domain or self.path != "/"):
            raise SettingsError("a __Host- cookie has the path / and no domain")
        return self

    def header(self, value: str) -> str:
        """The value of Set-Cookie that hands the id out."""
        return self._written(value, self.max_age)

    def removal(self) -> str:
        """The value of Set-Cookie that takes it back."""
        return self._written("", 0)

    def _written(self, value: str, max_age: int | None) -> str:
        parts = [f"{self.name}={value}", f"Path={self.path}"]
        if self.domain:
            parts.append(f"Domain={self.domain}")
        if max_age is not None:
            parts.append(f"Max-Age={max_age}")
        parts += ["HttpOnly"] * self.http_only + ["Secure"] * self.secure
        return "; ".join([*parts, f"SameSite={self.same_site}"])


def client_address(direct: str, forwarded: str, proxies: int) -> str:
    """The client's address: the connection's, or what the outermost of `proxies` trusted ones wrote.

    `forwarded` is X-Forwarded-For; it is not read when `proxies` is 0, for anybody may send it.
    """
    if proxies < 1:
        return direct
    said = [part.strip() for part in forwarded.split(",") if part.strip()]
    return said[-proxies] if len(said) >= proxies else direct
