"""Regular expressions by RE2, whose time grows with the text alone: no expression makes it try for ever."""

from functools import lru_cache
from typing import Any

import re2

from certwright.domain.errors import MalformedValue

LIMIT_CHARACTERS = 1_000
LIMIT_OCTETS_OF_MEMORY = 1 << 20
KEPT = 256


class Re2Patterns:
    """Source: https://github.com/google/re2/wiki/Syntax; no look-around and no references back, which is the price."""

    def is_match(self, pattern: str, text: str) -> bool:
        """Return whether *pattern* matches the whole of *text*. Errors: MalformedValue for a pattern that is none."""
        fault = self.find_fault(pattern)
        if fault is not None:
            raise MalformedValue("pattern", fault)
        return _compile(pattern).fullmatch(text) is not None

    def find_fault(self, pattern: str) -> str | None:
        """Return why *pattern* cannot be used."""
        if len(pattern) > LIMIT_CHARACTERS:
            return f"a regular expression is no longer than {LIMIT_CHARACTERS} characters"
        try:
            _compile(pattern)
        except re2.error as error:
            detail = error.args[0]
            return detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
        return None


@lru_cache(maxsize=KEPT)
def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.max_mem = LIMIT_OCTETS_OF_MEMORY
    options.log_errors = False
    return re2.compile(pattern, options)
