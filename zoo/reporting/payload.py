"""A report as JSON that is safe inside an HTML page."""

import json
import math
from typing import Any

# No text can end the element that holds it, begin a comment, or break a line of JavaScript.
_ESCAPED = {sign: f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}
_DIGITS = 6  # significant ones: a page shows at most four


def payload(record: Any) -> str:
    """Return plain data as JSON without `<`, `>` and `&`; numbers that are not finite are null."""
    text = json.dumps(_finite(record), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign, escape in _ESCAPED.items():
        text = text.replace(sign, escape)
    return text.encode("utf-8", "backslashreplace").decode()


def _finite(value: Any) -> Any:
    """Return the data with null for NaN and infinity, and with floats of six significant digits."""
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value
