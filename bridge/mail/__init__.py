"""Mail as it comes -> the values of ``bridge.model``, and what of a mail was written before. No I/O, no clock."""
