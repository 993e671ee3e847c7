"""One small file per kind of write: how it is requested and looked for, and what its success changes."""
