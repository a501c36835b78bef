"""Put a report, the files of the page and the plotting library together into one HTML file.

Nothing is loaded from elsewhere: a content security policy forbids every connection, and allows only the scripts whose
hashes it names. A text of the results can therefore never run as a script, even if it became markup.
"""

import base64
import hashlib
from importlib.resources import files

from zoo.errors import UsageError
from zoo.reporting.payload import payload
from zoo.reporting.records import Report

# In the order in which they are read; each is one script.
BASIS = ("dom", "format", "state", "theme", "figure", "stamp", "table", "chosen")
SECTIONS = (
    *("verdict", "board", "cost", "datasets", "classes", "examples", "curves", "calibration", "decisions", "repeat"),
)
SCRIPTS = (*BASIS, *SECTIONS, "main")


def page_of(report: Report) -> str:
    """Return the report as one HTML file. Raises UsageError if plotly is not installed."""
    check_installed()
    library = _library()
    scripts = [_asset(f"{name}.js") for name in SCRIPTS]
    parts = {
        "policy": _policy([library, *scripts]),
        "style": _asset("report.css"),
        "library": library,
        "data": payload(report.to_json()),
        "scripts": "\n".join(f"<script>{text}</script>" for text in scripts),
    }
    page = _asset("report.html")
    for name, text in parts.items():
        before, _, after = page.partition(f"<!-- {name} -->")
        page = before + text + after
    return page


def _policy(scripts: list[str]) -> str:
    allowed = " ".join(map(_source, scripts))
    rules = (
        "default-src 'none'",
        f"script-src {allowed}",
        "style-src 'unsafe-inline'",  # figures set the style of their elements
        "img-src data: blob:",  # a figure becomes a PNG by way of a picture
        "base-uri 'none'",
        "form-action 'none'",
    )
    return f'<meta http-equiv="Content-Security-Policy" content="{"; ".join(rules)}">'


def _source(script: str) -> str:
    """Return what allows a script in a policy: its hash."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _asset(name: str) -> str:
    return (files("zoo.reporting") / "assets" / name).read_text(encoding="utf-8")


def check_installed() -> None:
    """Raise UsageError, with the command to install it, if plotly is missing."""
    try:
        import plotly.offline  # noqa: F401
    except ImportError as error:
        raise UsageError("reports need plotly: pip install 'zoo-registry[report]'") from error


def _library() -> str:
    """Return plotly.js with its licence. No text in it ends the element that holds it."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).replace("\r\n", "\n").replace("</script", "<\\/script")
