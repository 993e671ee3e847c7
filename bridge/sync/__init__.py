"""detect -> fetch -> plan -> publish: one mailbox's way from Gmail's history to Confluence."""
