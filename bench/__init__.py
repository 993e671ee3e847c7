"""What is measured, each with its peer or its limit: ``python -m bench [NAME...] [--json]``, ``make bench``.

=============  ====================================================================================================
``idle``       CPU of a poll that finds nothing, over TLS, beside the bare client call
``published``  CPU of a published message, over TLS, beside the same HTTP requests sent without the product
``rendering``  milliseconds from a mail to its page, over real mail and the demo's
``store``      how fast 10,000 idle mailboxes are claimed and given back
``start``      how long ``mailbridge --help`` takes
=============  ====================================================================================================
"""

from __future__ import annotations
