"""Who may read and edit a page."""

from __future__ import annotations

from bridge.confluence.calls import V1, Calls, listed
from bridge.confluence.spaces import READ_DETAILS
from bridge.confluence.values import rows, text

WRITE_RESTRICTION = "write:content.restriction:confluence"


class Restrictions(Calls):
    """Restrictions of a page or post."""

    def readers(self, content_id: str) -> frozenset[str]:
        """Return the account ids that alone may read it; empty where it is open to all who see the space.

        A group that may read it stands there as ``group:ID``, so that a page restricted to groups is never taken for
        an open one.
        """
        params = {"expand": "restrictions.user,restrictions.group"}
        path = f"{V1}/content/{content_id}/restriction"
        answer = listed(self._call("GET", path, scope=READ_DETAILS, params=params))
        found: set[str] = set()
        for entry in rows(answer, "results"):
            if text(entry, "operation") == "read":
                found |= {text(user, "accountId") for user in rows(entry, "restrictions", "user", "results")}
                for group in rows(entry, "restrictions", "group", "results"):
                    found.add(f"group:{text(group, 'id') or text(group, 'name')}")
        return frozenset(found - {""})

    def restrict(self, content_id: str, account_id: str) -> None:
        """Let one person alone read and edit it, in place of whatever restrictions there are.

        Args:
            content_id: of the page or post.
            account_id: the person who asks; whoever leaves themselves out loses the page.

        Raises:
            PersonMustAct: restricting is not allowed to this person, or not part of the site's plan.
        """
        only = {"user": [{"type": "known", "accountId": account_id}]}
        data = [{"operation": operation, "restrictions": only} for operation in ("read", "update")]
        path = f"{V1}/content/{content_id}/restriction"
        self._call("PUT", path, write=True, scope=WRITE_RESTRICTION, json=data)
