"""What several tests share: the shared samples, a throw-away PostgreSQL, the record of scenarios.

Found as ``support`` (pyproject.toml puts ``tests`` on the path).
"""
