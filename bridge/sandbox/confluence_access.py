"""Who may do what in the sandbox's Confluence: permissions by space and person, restrictions by page and person."""

from __future__ import annotations

from bridge.sandbox.confluence_state import Page, Permission, Person, Restriction, Space, Wiki


def may(space: Space, person: Person, permission: Permission) -> bool:
    """Tell whether a space lets a person do something; what cannot be seen cannot be used at all."""
    if space.site not in person.sites:
        return False
    granted = space.people.get(person.account_id, space.default)
    return "view" in granted and permission in granted


def _lets(wiki: Wiki, restriction: Restriction, person: Person) -> bool:
    if not restriction:
        return True
    members = (wiki.groups.get(group, set()) for group in restriction.groups)
    return person.account_id in restriction.users or any(person.account_id in group for group in members)


def can_view(wiki: Wiki, person: Person, page: Page) -> bool:
    """Tell whether a person may see a page: its space, its restrictions and those of all pages above it.

    A draft that was never published is seen by its author alone.
    """
    if page.status == "draft" and page.author != person.account_id:
        return False
    if not may(wiki.spaces[page.space], person, "view"):
        return False
    return all(_lets(wiki, above.read, person) for above in (page, *wiki.ancestors(page)))


def can_edit(wiki: Wiki, person: Person, page: Page) -> bool:
    """Tell whether a person may change a page, its files, its labels or its properties."""
    return (
        can_view(wiki, person, page)
        and may(wiki.spaces[page.space], person, "page")
        and _lets(wiki, page.update, person)
    )


def can_comment(wiki: Wiki, person: Person, page: Page) -> bool:
    """Tell whether a person may comment on a page."""
    return can_view(wiki, person, page) and may(wiki.spaces[page.space], person, "comment")


def can_attach(wiki: Wiki, person: Person, page: Page) -> bool:
    """Tell whether a person may add a file to a page."""
    return can_edit(wiki, person, page) and may(wiki.spaces[page.space], person, "attach")


def can_restrict(wiki: Wiki, person: Person, page: Page) -> bool:
    """Tell whether a person may change who sees a page."""
    return can_edit(wiki, person, page) and may(wiki.spaces[page.space], person, "restrict")


def can_delete(wiki: Wiki, person: Person, page: Page) -> bool:
    """Tell whether a person may put a page into the trash."""
    return can_edit(wiki, person, page) and may(wiki.spaces[page.space], person, "delete")
