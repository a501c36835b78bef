"""What tests of pictures share: an SVG read, with everything within its frame."""

from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"


def drawn(text: str) -> ElementTree.Element:
    root = ElementTree.fromstring(text)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for element in root.iter():
        for name, limit in (("x", width), ("cx", width), ("x1", width), ("y", height), ("cy", height), ("y1", height)):
            assert 0 <= float(element.attrib.get(name, "0").rstrip("%")) <= limit, element.attrib
        for point in element.attrib.get("points", "").split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= width
            assert 0 <= y <= height
    return root


def texts(root: ElementTree.Element, kind: str = "text") -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}{kind}")]
