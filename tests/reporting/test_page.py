"""The page of a report in a browser: what a reader sees, with the keyboard, a phone, a dark screen and a printer."""

import base64
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, precision_score, recall_score

from zoo.reporting.collect import Data
from zoo.reporting.write import written
from zoo.store.predictions import predictions_of
from zoo.store.runs import Store
from zoo.workspace import Workspace

webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium; install zoo-registry[test]")

from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402 - after the skip

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
if not (CHROMIUM and DRIVER):
    pytest.skip("needs a browser: apt-get install chromium chromium-driver", allow_module_level=True)

OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900")


@pytest.fixture(scope="module")
def page(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the store, as a file."""
    place = tmp_path_factory.mktemp("page") / "report.html"
    data = Data(workspace=Workspace.load(), data_dir=results.parent, rows=True)
    written(results, place, "macro_recall", {}, data)
    return place


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for option in OPTIONS:
        options.add_argument(option)
    service = webdriver.chrome.service.Service(DRIVER)
    opened = webdriver.Chrome(options=options, service=service)
    yield opened
    opened.quit()


Shown = Callable[..., Any]
COMPLETE = "return document.readyState === 'complete' && location.protocol === 'file:'"


@pytest.fixture
def shown(browser: Any, page: Path) -> Iterator[Shown]:
    """Shows the page with a hash, and runs JavaScript in it: `shown("return 1")`. No script may fail.

    The page is read anew only for a test that needs it `fresh`, since that takes longest.
    """

    def run(script: str, hash: str = "", *, fresh: bool = False) -> Any:
        if fresh or not browser.current_url.startswith(page.as_uri()):
            browser.get("about:blank")
            browser.get(f"{page.as_uri()}#{hash}")
            WebDriverWait(browser, 60).until(lambda it: it.execute_script(COMPLETE))
        elif hash:
            browser.execute_script("history.replaceState(null, '', '#' + arguments[0]); apply(readState())", hash)
        return browser.execute_script(script)

    yield run
    assert [entry["message"] for entry in browser.get_log("browser")] == []
    for command in ("Emulation.clearDeviceMetricsOverride", "Emulation.setEmulatedMedia"):
        browser.execute_cdp_cmd(command, {})


WAVES = "set=waves-holdout-test-wav"
COLUMN = """
const place = [...document.querySelectorAll("#board thead th")].findIndex((each) => each.textContent === arguments[0]);
return [...document.querySelectorAll("#board tbody tr")].map((row) => row.cells[place].textContent);
"""


def column(browser: Any, title: str) -> list[str]:
    """The texts of a column of the board."""
    found: list[str] = browser.execute_script(COLUMN, title)
    return found


def press(browser: Any, selector: str, *keys: str) -> None:
    """Send keys to the element of a selector, as the keyboard does."""
    browser.find_element("css selector", selector).send_keys(*keys)


def test_the_verdict_comes_first_with_three_sentences_and_a_stamp(shown: Shown) -> None:
    titles = shown("return [...document.querySelectorAll('section > h2')].map((each) => each.textContent)", WAVES)
    assert titles[:2] == ["Verdict", "Board"]
    answers = shown("return [...document.querySelectorAll('.answer')].map((each) => each.innerText)")
    waves = next(answer for answer in answers if answer.startswith("waves"))
    assert "Tied for the best macro recall are 2 of 4 configurations: " in waves
    assert "Not decided: " in waves
    assert "3 equal rows in training and test set" in waves


def test_hostile_names_are_text(shown: Shown, browser: Any) -> None:
    text = shown("return document.body.innerText", f"{WAVES}&show=recall:1,recall:2,data")
    assert "<img src=x onerror=" in text
    assert "recall </script><b id=broken>" in text
    assert shown("return document.title") == "Benchmark report"
    assert shown("return document.querySelectorAll('img[src=x], #broken').length") == 0


def test_a_heading_sorts_in_both_directions_and_then_as_ranked(shown: Shown, browser: Any) -> None:
    shown("", WAVES)
    ranked = column(browser, "configuration")
    assert len(ranked) == 4
    heading = "#board th[data-key='parameters'] button"
    press(browser, heading, "\n")
    assert shown("return location.hash").endswith("sort=parameters")
    sizes = column(browser, "parameters")
    assert sizes == sorted(sizes)
    press(browser, heading, "\n")
    assert column(browser, "parameters") == sorted(sizes, reverse=True)
    assert shown("return document.querySelector('#board th[aria-sort]').getAttribute('aria-sort')") == "descending"
    press(browser, heading, "\n")
    assert column(browser, "configuration") == ranked
    assert shown("return document.activeElement.textContent") == "parameters"


def test_the_search_and_the_hash_choose_rows(shown: Shown, browser: Any) -> None:
    shown("", f"{WAVES}&find=fcn")
    assert column(browser, "configuration") == ["fcn original"]
    press(browser, "#board input[type=search]", "\b\b\b", "lite orig")
    assert column(browser, "configuration") == ["lite original"]
    assert "find=lite+orig" in shown("return location.hash")
    shown(f"location.hash = '{WAVES}&find=gru'")
    assert column(browser, "configuration") == ["gru original"]


def test_columns_are_hidden_and_those_of_classes_shown(shown: Shown, browser: Any) -> None:
    headings = "return [...document.querySelectorAll('#board thead th')].map((each) => each.textContent)"
    usual = shown(headings, WAVES)
    assert "MACs" in usual
    assert "recall normal" not in usual
    press(browser, "#board summary", "\n")
    box = "[...document.querySelectorAll('#board .menu label')].find((each) => each.textContent === '{}')"
    shown(f"{box.format('MACs')}.querySelector('input').click()")
    shown(f"{box.format('recall normal')}.querySelector('input').click()")
    assert set(shown(headings)) == {*usual, "recall normal"} - {"MACs"}
    assert all("(" in text for text in column(browser, "recall normal"))


def test_the_csv_has_what_is_shown_with_numbers_as_numbers(shown: Shown) -> None:
    text = shown(
        "return csv(shownColumns(currentBoard()), shownRows(currentBoard()))", f"{WAVES}&find=original&hide=seeds"
    )
    heading, *rows = text.removesuffix("\r\n").split("\r\n")
    assert heading.startswith(
        "rank,rank low,rank high,tied with the first,configuration,macro recall,macro recall low,"
    )
    assert "seeds" not in heading.split(",")
    assert len(rows) == 3
    assert float(rows[0].split(",")[5]) > 0.5
    assert shown("return csvCell('=1+1') + csvCell('a\"b')") == '\'=1+1"a""b"'


def test_configurations_without_a_score_have_the_reason(shown: Shown) -> None:
    text = shown("return document.getElementById('missing').innerText", WAVES)
    assert "fcn smote cross-entropy (2 failed): smote: class '</script>' has 2 rows" in text


def test_a_figure_is_drawn_when_it_is_in_view_and_saved_as_svg_and_png(shown: Shown, browser: Any) -> None:
    assert shown("return typeof window.Plotly", WAVES, fresh=True) == "undefined"
    shown("document.querySelector('figure').scrollIntoView()")
    browser.implicitly_wait(5)
    browser.find_element("css selector", "figure .main-svg")
    browser.implicitly_wait(0)
    for form, start in (("svg", "data:image/svg+xml"), ("png", "data:image/png;base64,")):
        script = (
            f"return Plotly.toImage(document.querySelector('.canvas'), {{format: '{form}', width: 600, height: 300}})"
        )
        assert shown(script).startswith(start)
    assert shown("return document.querySelector('.canvas').innerText").count("original") >= 3


def test_a_cell_of_the_confusion_matrix_opens_test_rows_with_their_series(shown: Shown, browser: Any) -> None:
    shown("", "set=" + shown("return REPORT.boards.find((each) => each.dataset === 'ward.csv').key"))
    shown("document.querySelector('.confusion button').scrollIntoView()")
    cell = shown("return document.querySelector('.confusion button').dataset.cell")
    press(browser, f"button[data-cell='{cell}']", "\n")
    assert f"cell={cell.replace(',', '%2C')}" in shown("return location.hash")
    texts = shown(
        "redraw(true); return [...document.querySelectorAll('#examples article')].map((each) => each.innerText)"
    )
    assert 1 <= len(texts) <= 4
    for text in texts:
        assert re.search(r"row \d+ of the data set, patient p\d, predicted so by [12] of 2 seeds", text)
        assert re.search(r"Mean probabilities: [abc] 0\.\d\d, [abc] 0\.\d\d, [abc] 0\.\d\d", text)
    points = shown("return document.querySelector('#examples .canvas').data[0].y")
    assert len(points) == 24
    shown("", WAVES)
    assert shown("return document.getElementById('examples')") is None


def test_without_the_data_the_reason_is_shown(shown: Shown) -> None:
    text = shown("return document.getElementById('classes').innerText", WAVES)
    assert "the series are not shown: there is no file" in text


def test_the_pareto_front_has_what_no_cheaper_one_beats(shown: Shown) -> None:
    found = shown(
        "return front(costRows(currentBoard(), 'parameters')).map(({ row }) => row.name)", f"{WAVES}&axis=parameters"
    )
    rows = shown("return currentBoard().rows.map(({ name, ranked }) => [name, ranked.parameters, ranked.score])")
    beaten = {name for name, size, score in rows for _, other, better in rows if other <= size and better > score}
    assert set(found) == {name for name, *_ in rows} - beaten
    assert shown("return document.querySelector('#cost figcaption').textContent").startswith(
        "macro recall against parameters"
    )


def test_a_name_of_the_board_leads_to_its_command(shown: Shown, browser: Any) -> None:
    shown("", WAVES)
    shown("[...document.querySelectorAll('#board .link')].find((each) => each.textContent === 'gru original').click()")
    command = shown("return document.querySelector('#repeat pre').textContent")
    assert command.startswith("zoo bench gru --data original --loss cross-entropy --dataset waves --protocol holdout")
    assert command.count("zoo bench") == 2, "seeds 0 and 2: seed 1 diverged"
    assert shown("return document.querySelectorAll('#repeat tbody tr').length") == 2


def test_learning_curves_have_the_kept_epoch(shown: Shown) -> None:
    data = (
        "draw(document.querySelector('#curves .canvas').figure); return document.querySelector('#curves .canvas').data"
    )
    traces = shown(f"{data}.map(({{ x, y }}) => ({{ x, y }}))", WAVES)
    lines, kept = traces[::2], traces[1::2]
    assert len(lines) == len(kept) == 5
    assert lines[0]["y"] == pytest.approx([0.6, 0.7, 0.8, 0.85])
    assert (kept[0]["x"], kept[0]["y"]) == ([3], pytest.approx([0.8]))
    assert shown(f"{data}[0].y", f"{WAVES}&curve=losses") == pytest.approx([1, 0.5, 1 / 3, 0.25], 1e-5)


def test_too_few_data_sets_for_a_comparison_are_named(shown: Shown) -> None:
    assert "Not enough: " in shown("return document.getElementById('datasets').innerText", WAVES)


@pytest.mark.parametrize(
    ("share", "costs"),
    [(0.1, ""), (0.5, ""), (0.02, ""), (0.1, "0,1,1;2,0,1;25,5,0"), (0.6, "0,3,1;1,0,1;1,1,0"), (0, ""), (1, "")],
)
def test_decisions_at_another_prevalence_and_other_costs_are_those_of_scikit_learn(
    shown: Shown, results: Path, share: float, costs: str
) -> None:
    first = "REPORT.boards.find((each) => each.key.startsWith('waves')).rows[0]"
    key, name = shown(f"return [{first}.key, {first}.name]", WAVES)
    shown("", f"{WAVES}&row={key}&class=2&prevalence={share}&costs={costs}")
    with Store(results, create=False) as store:
        found = predictions_of(store, store.get(key))
    test = np.bincount(found.labels, minlength=3) / len(found.labels)
    chosen = np.append(test[:2] * (1 - share) / test[:2].sum(), share)
    matrix = 1 - np.eye(3)
    if costs:
        matrix = np.array([[float(each) for each in line.split(",")] for line in costs.split(";")])
    said = (found.probabilities.astype(float) * (chosen / test) @ matrix).argmin(1)
    weights = (chosen / np.bincount(found.labels))[found.labels]
    classes = [[float(text) for text in row[1:]] for row in rows_of(shown, "decided")]
    recall = recall_score(found.labels, said, average=None)
    before = recall_score(found.labels, found.probabilities.argmax(1), average=None)
    weighted = {"average": None, "labels": range(3), "sample_weight": weights, "zero_division": 0}
    precision = precision_score(found.labels, said, **weighted)
    assert pytest.approx(np.array([chosen, recall, before, precision]), abs=1e-3) == np.array(classes).T
    (whole,) = (row for row in rows_of(shown, "decisions") if row[0] == name)
    accuracy = accuracy_score(found.labels, said, sample_weight=weights)
    expected = [(matrix[found.labels, said] * weights).sum(), balanced_accuracy_score(found.labels, said), accuracy]
    assert [float(whole[place]) for place in (1, 3, 4)] == pytest.approx(expected, abs=1e-3)


def rows_of(shown: Shown, table: str) -> list[list[str]]:
    """The texts of the cells of a table, by its id."""
    rows = f"[...document.querySelectorAll('#{table} tbody tr')]"
    found: list[list[str]] = shown(f"return {rows}.map((row) => [...row.cells].map((each) => each.textContent))")
    return found


def test_the_slider_and_the_table_of_costs_change_the_decisions(shown: Shown, browser: Any) -> None:
    shown("", f"{WAVES}&class=2")
    before = rows_of(shown, "decided")
    press(browser, "#prevalence", "\ue014" * 3)
    assert float(rows_of(shown, "decided")[2][1]) == pytest.approx(float(before[2][1]) + 0.003)
    assert "prevalence=0.103" in shown("return location.hash")
    shown("document.querySelector('.costs').open = true; document.getElementById('cost-2-0').value = ''")
    press(browser, "#cost-2-0", "50\t")
    assert "costs=0%2C1%2C1%3B1%2C0%2C1%3B50%2C1%2C0" in shown("return location.hash")
    assert float(rows_of(shown, "decided")[2][2]) >= float(before[2][2])


@pytest.mark.parametrize("dark", [False, True])
def test_the_colours_follow_the_system_and_the_switch(shown: Shown, browser: Any, dark: bool) -> None:
    names = ["light", "dark"]
    features = [{"name": "prefers-color-scheme", "value": names[dark]}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    assert brightness(shown("return getComputedStyle(document.body).backgroundColor", WAVES)) is not dark
    assert (
        brightness(shown("return getComputedStyle(document.body).backgroundColor", f"theme={names[not dark]}")) is dark
    )
    ratios = shown(CONTRASTS)
    assert min(ratios.values()) >= 4.5, ratios


def brightness(colour: str) -> bool:
    return sum(int(part) for part in colour.strip("rgb()").split(", ")) > 3 * 128


CONTRASTS = """
const light = ([r, g, b]) => [r, g, b].map((part) => part / 255)
  .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
const known = {};
const parts = (colour) => {
  if (known[colour]) return known[colour];
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return (known[colour] = [...canvas.getImageData(0, 0, 1, 1).data]);
};
const behind = (node) => {
  for (let each = node; each; each = each.parentElement) {
    const found = parts(getComputedStyle(each).backgroundColor);
    if (found[3] > 0) return found;
  }
  return [255, 255, 255];
};
const found = {};
for (const node of document.querySelectorAll("p, td, th, span, button, select, h1, h2, h3, caption, figcaption, li")) {
  if (!node.innerText || !node.offsetParent) continue;
  const [one, other] = [light(parts(getComputedStyle(node).color)), light(behind(node))].sort((a, b) => b - a);
  const name = `${node.tagName} ${node.className}`;
  found[name] = Math.min(found[name] ?? 21, (one + 0.05) / (other + 0.05));
}
return found;
"""


def test_a_phone_scrolls_no_page_sideways(shown: Shown, browser: Any) -> None:
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    assert shown("redraw(true); return document.documentElement.scrollWidth", f"{WAVES}&show=recall:1,recall:2") <= 390
    assert shown("const each = document.querySelector('#board .scroll'); return each.scrollWidth > each.clientWidth")


def test_everything_can_be_reached_by_the_keyboard_with_a_visible_focus(shown: Shown, browser: Any) -> None:
    shown("", WAVES, fresh=True)
    seen = []
    for _ in range(12):
        browser.switch_to.active_element.send_keys("\ue004")
        seen.append(shown("return document.activeElement.textContent.slice(0, 30)"))
        assert shown("return parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2
    assert seen[0] == "Skip to the report"
    assert "Board" in seen
    assert len(set(seen)) >= 6


def test_the_print_has_light_figures_and_no_controls(shown: Shown, browser: Any) -> None:
    shown("", f"{WAVES}&theme=dark")
    shown("addEventListener('afterprint', () => { window.printed = document.querySelectorAll('.main-svg').length; })")
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
    assert base64.b64decode(printed["data"]).startswith(b"%PDF")
    assert shown("return window.printed") >= 1
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert brightness(shown("return getComputedStyle(document.querySelector('section')).backgroundColor"))
    assert shown("return getComputedStyle(document.querySelector('nav')).display") == "none"
