"""The configuration as the program sees it: frozen values, one class a section, every default beside its key.

Durations are seconds, sizes bytes. `bridge.config.reading` makes these from TOML; a test may make them by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bridge.config.addresses import DATABASE, DOMAINS, FILE, LISTEN, SITES, Listen, address_prefix, base_address
from bridge.config.keys import key, required
from bridge.config.names import LABEL, PAGE, PAGE_LABELS, PARENT, ROUTE_NAME, SPACE, TITLE, label_key, page_id
from bridge.config.paths import SYSTEM
from bridge.config.values import BRAKE, FLAG, TIMEZONE, Brake, choice, duration, filled, size, whole
from bridge.errors import Provider
from bridge.model import ContentKind

_DAY = 86400
_FALLBACK_PORT = 8765


@dataclass(frozen=True, slots=True, kw_only=True)
class Google:
    """The OAuth client at Google, whose accounts may connect, and Gmail's quota of one person in units a minute."""

    client_id: str = required(filled("the client ID that the Google console shows"), "Write the OAuth client's ID.")
    client_secret_file: str = key(FILE, "")
    domains: tuple[str, ...] = required(DOMAINS, 'Write whose accounts may connect, as ["example.com"].')
    units_per_minute: int = key(whole(100, 1_000_000), 6000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Atlassian:
    """The OAuth 2.0 (3LO) app at Atlassian and the only sites that people may choose."""

    client_id: str = required(filled("the client ID that the developer console shows"), "Write the OAuth app's ID.")
    client_secret_file: str = key(FILE, "")
    sites: tuple[str, ...] = required(SITES, 'Write which sites may be chosen, as ["https://example.atlassian.net"].')
    scopes: Literal["granular", "classic-attachments"] = key(choice("granular", "classic-attachments"), "granular")


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The database and the key that seals tokens; ``url_file``, where it is not '', holds the database's address."""

    url: str = key(DATABASE, SYSTEM.database_url)
    url_file: str = key(FILE, "")
    seal_key_file: str = key(FILE, str(SYSTEM.seal_key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gmail:
    """How often mailboxes are looked at: with news lately, all others, and in full. In seconds."""

    poll_every: float = key(duration(1, _DAY), "15s")
    poll_idle: float = key(duration(1, _DAY), "60s")
    full_pass_every: float = key(duration(60, 7 * _DAY), "6h")


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """Where the daemon listens, and the address that people type ('' where there is none but this machine's)."""

    listen: Listen = key(LISTEN, "127.0.0.1:8765")  # noqa: RUF009 - a dataclasses.field
    public_url: str = key(base_address("https://mailbridge.example.com"), "")
    admin_sees_subjects: bool = key(FLAG, False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """What waits or is asked about first; ``wait`` in seconds, ``max_body`` in bytes, ``brake`` None if it is off.

    ``mode`` "observe" plans and reports and writes nothing.
    """

    mode: Literal["publish", "observe"] = key(choice("publish", "observe"), "publish")
    wait: float = key(duration(0, _DAY), "15s")
    brake: Brake | None = key(BRAKE, "20 per 10 min")  # noqa: RUF009 - a dataclasses.field
    backlog: Literal["ask", "publish", "ignore"] = key(choice("ask", "publish", "ignore"), "ask")
    narrow_replies: Literal["hold", "skip", "publish"] = key(choice("hold", "skip", "publish"), "hold")
    max_body: int = key(size(16 * 1024, 4608 * 1024), "4 MiB")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """How pages read; a route may say each of these anew."""

    timezone: str = key(TIMEZONE, "UTC")
    show_addresses: Literal["never", "own-domains", "always"] = key(choice("never", "own-domains", "always"), "never")
    signatures: Literal["fold", "keep", "drop"] = key(choice("fold", "keep", "drop"), "fold")
    collapse_quotes: bool = key(FLAG, True)
    remote_images: Literal["link", "drop"] = key(choice("link", "drop"), "link")
    action_links: Literal["drop", "keep"] = key(choice("drop", "keep"), "drop")
    skip_automatic: bool = key(FLAG, True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Base addresses of stand-ins for the providers; '' means the real one."""

    google: str = key(address_prefix("http://127.0.0.1:9000/google"), "")
    atlassian: str = key(address_prefix("http://127.0.0.1:9000/atlassian"), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Which label goes where, and how. ``pages`` is what holds for this route: [pages] with the route's own words.

    ``parent`` is an id, an address or a title, '' for the top of the space; ``page`` an id or an address.
    ``attachment_limit`` is in bytes. ``page_labels`` is empty for a comment, which has none.
    """

    name: str = required(ROUTE_NAME, 'Give the route a name and keep it, as "engineering".')
    label: str = required(LABEL, 'Write the Gmail label, as "Confluence/ENG".')
    space: str = required(SPACE, 'Write the key of the Confluence space, as "ENG".')
    parent: str = key(PARENT, "")
    publish_as: ContentKind = key(choice("page", "blogpost", "comment"), "page")  # noqa: RUF009 - likewise
    page: str = key(PAGE, "")
    title: str = key(TITLE, "{subject}")
    replies: Literal["comments", "none"] = key(choice("comments", "none"), "comments")
    attachments: Literal["all", "inline", "none"] = key(choice("all", "inline", "none"), "all")
    attachment_limit: int = key(size(1024, 100 * 1024**3), "100 MiB")
    page_labels: tuple[str, ...] = key(PAGE_LABELS, ["mail"])
    visibility: Literal["space", "author"] = key(choice("space", "author"), "space")
    pages: Pages = field(default_factory=Pages)

    @property
    def key(self) -> str:
        """What a follow keeps to find its route again: the name."""
        return self.name

    @property
    def label_key(self) -> str:
        """The label as it is compared with Gmail's, which does not tell upper from lower case."""
        return label_key(self.label)

    @property
    def parent_id(self) -> str:
        """The content id of the parent; '' where the parent is named by its title, or is the space itself."""
        return page_id(self.parent)

    @property
    def page_id(self) -> str:
        """The content id of the page that is commented on; '' for pages and blog posts."""
        return page_id(self.page)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A whole valid configuration; it never changes, a reload makes another."""

    google: Google
    atlassian: Atlassian
    store: Store = field(default_factory=Store)
    gmail: Gmail = field(default_factory=Gmail)
    web: Web = field(default_factory=Web)
    safety: Safety = field(default_factory=Safety)
    pages: Pages = field(default_factory=Pages)
    endpoints: Endpoints = field(default_factory=Endpoints)
    routes: tuple[Route, ...] = ()

    def redirect_url(self, provider: Provider) -> str:
        """Return the one address that is registered at a provider and that its consent ends at.

        Without a public address it is this machine's, at the port that the daemon listens to.
        """
        base = self.web.public_url or f"http://localhost:{self.web.listen.port or _FALLBACK_PORT}"
        return f"{base}/oauth/{provider}"

    def routes_of(self, label: str) -> tuple[Route, ...]:
        """Return the routes of a label in the file's order: the first is used, the others only named."""
        wanted = label_key(label)
        return tuple(route for route in self.routes if route.label_key == wanted)

    def route(self, name: str) -> Route | None:
        """Return the route of a name, None where the file has it no more."""
        return next((route for route in self.routes if route.name == name), None)


SECTIONS = {
    "google": Google,
    "atlassian": Atlassian,
    "store": Store,
    "gmail": Gmail,
    "web": Web,
    "safety": Safety,
    "pages": Pages,
    "endpoints": Endpoints,
}
"""The sections that stand once; ``[[routes]]`` is the other kind."""
