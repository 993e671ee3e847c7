"""Both providers' consents, the tokens that come of them, and how they are sealed at rest.

=============  =====================================================================================================
``context``    what consents and refreshes work with, as one value
``seal``       tokens at rest: MultiFernet, bound to account, provider and kind
``scopes``     what both providers are asked for
``exchange``   the two OAuth steps that are the same at both: the address to open, the POST to the token endpoint
``google``     Google's consent, down to whose mailbox it is
``atlassian``  Atlassian's consent, down to which site
``consent``    one consent from its link to its end, with the table row that remembers it in between
``keeping``    the transaction that keeps a grant and wakes what waited for it
``backlog``    mail that was labelled before its person connected
``tokens``     a live access token whenever one is asked for
=============  =====================================================================================================
"""

from __future__ import annotations
