"""Errors between an address and a page, with messages for the person who gave the address.

CrawlError
├── AddressRefused        no web address, or one inside a private network
├── HostUnresolvable      the name has no address
├── ConnectionFailed      the connection broke                             (transient)
│   └── HostUnreachable   no connection could be made                      (transient)
├── TlsFailed             the certificate or the handshake is not in order
├── FetchTimeout          too slow                                         (transient)
├── TooManyRedirects      redirected in circles
├── LeftSite              a page of the site redirects to another site
├── TooLarge              more bytes than are read
├── NotHtml               a PDF, an image, …
├── ErrorPage             the server answered with an error                (transient: 408, 425, 429, 5xx)
├── RobotsRefused         robots.txt says no                               (transient when it could not be read)
├── EmptyPage             the page has no text
└── ScriptOnlyPage        the text only exists after JavaScript has run
"""

from __future__ import annotations

from app.content import urls


class CrawlError(Exception):
    """A page could not be read.

    `transient`: another try may succeed. `retry_after`: the seconds that the server asks to wait, or None.
    """

    transient: bool = False
    retry_after: float | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class AddressRefused(CrawlError, urls.AddressInvalid):
    """`app.content.urls.AddressInvalid` in this tree: for every hop of a fetch, also after names are resolved."""

    def __init__(self, message: str, code: str = "private") -> None:
        urls.AddressInvalid.__init__(self, message, code)


class HostUnresolvable(CrawlError):
    def __init__(self, host: str, transient: bool = False) -> None:
        super().__init__(f"There is no site at {host}: the name is not known. Check the spelling.")
        self.transient = transient


class ConnectionFailed(CrawlError):
    transient = True

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"{host} could not be reached: {reason}. The site may be down; try again later.")


class HostUnreachable(ConnectionFailed):
    def __init__(self, host: str) -> None:
        super().__init__(host, "nobody answers there")


class TlsFailed(CrawlError):
    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"The secure connection to {host} failed: {reason}. The site's certificate is not in order.")


class FetchTimeout(CrawlError):
    transient = True

    def __init__(self, url: str, seconds: float) -> None:
        super().__init__(f"{url} did not answer in full within {seconds:g} seconds. The site is slow; try again later.")


class TooManyRedirects(CrawlError):
    def __init__(self, url: str, limit: int) -> None:
        super().__init__(f"{url} redirects more than {limit} times. Give the address it should end at.")


class LeftSite(CrawlError):
    def __init__(self, url: str, target: str) -> None:
        super().__init__(f"{url} leads to another site ({target}), which is not read with this one.")
        self.target = target


class TooLarge(CrawlError):
    def __init__(self, url: str, limit: int) -> None:
        super().__init__(f"{url} is larger than the {limit / 1_000_000:g} MB that are read of one page.")


class NotHtml(CrawlError):
    def __init__(self, url: str, content_type: str) -> None:
        super().__init__(f"{url} is not a web page but {content_type or 'something unknown'}; only HTML is read.")
        self.content_type = content_type


class ErrorPage(CrawlError):
    def __init__(self, url: str, status: int, retry_after: float | None = None) -> None:
        super().__init__(f"{url} answers with an error ({status}{_reason(status)}), so there is nothing to read there.")
        self.status = status
        self.transient = status in (408, 425, 429) or status >= 500
        self.retry_after = retry_after


class RobotsRefused(CrawlError):
    def __init__(self, url: str, error: str = "") -> None:
        if error:
            super().__init__(f"{url} was not read, because the site's robots.txt could not be: {error}")
        else:
            super().__init__(f"{url} was not read: the site's robots.txt asks automatic readers to stay away from it.")
        self.transient = bool(error)


class EmptyPage(CrawlError):
    def __init__(self, url: str) -> None:
        super().__init__(f"{url} has no text to read.")


class ScriptOnlyPage(CrawlError):
    def __init__(self, url: str) -> None:
        super().__init__(
            f"{url} shows its text only after running JavaScript, which is not done here. "
            "Give a page whose text is in the HTML, such as the company's blog or documentation."
        )


def _reason(status: int) -> str:
    names = {401: "sign-in needed", 403: "forbidden", 404: "not found", 410: "gone", 429: "too many requests"}
    names |= {500: "server error", 502: "bad gateway", 503: "unavailable", 504: "gateway timeout"}
    return f": {names[status]}" if status in names else ""
