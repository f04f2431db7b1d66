"""Reports in a real browser: they load from disk alone, sort, show every picture, fit narrow windows, and run nothing of the data."""

import numpy as np
import pandas as pd
import pytest

from tabgan import (
    CGANSampler,
    GAINImputer,
    compare_imputers,
    report_comparison,
    report_images,
    report_imputation,
    report_resampling,
    report_rows,
)
from tabgan.images import ImageGAN
from tabgan.report.html import render
from tabgan.report.page import Head, Page, Table, number_cell, text_cell

SCRIPT = "<script>window.ran = 'script'</script>"
IMAGE = "\"'><img src=x onerror=\"window.ran = 'image'\">"
DRAWING = "</td></script><svg onload=\"window.ran = 'svg'\">"


def hostile_table(n=80):
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    table = pd.DataFrame(
        {
            SCRIPT: x,
            IMAGE: pd.Categorical(np.where(x > 0, SCRIPT, IMAGE)),
            "cells": [SCRIPT, IMAGE, DRAWING, "plain"] * (n // 4),
            "a_name_that_no_browser_may_break_" * 4: 2 * x + rng.normal(size=n),
            "empty": np.nan,
        }
    )
    for j, gaps in enumerate([20, 12, 7, 3]):
        table.iloc[j : j + gaps, j] = None
    return table


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Paths of one report of each kind on a hostile table."""
    pytest.importorskip("matplotlib").use("Agg")
    folder = tmp_path_factory.mktemp("reports")
    table = hostile_table()
    imputer = GAINImputer(n_steps=2, draw_steps=2, categorical_features=[IMAGE, "cells"], random_state=0).fit(table)
    report_imputation(imputer, table, n_draws=2).save(folder / "imputation.html")
    target = np.where(np.arange(len(table)) % 4 == 0, IMAGE, SCRIPT)
    sampler = CGANSampler(n_steps=2, random_state=0).fit(table, target)
    report_resampling(sampler, check=True).save(folder / "resampling.html")
    report_rows(sampler, *sampler.sample(40, random_state=0), where={IMAGE: SCRIPT}).save(folder / "rows.html")
    pixels = np.random.default_rng(0).random((40, 8, 8))
    gan = ImageGAN("cgan", n_steps=60, random_state=0).fit(pixels, [IMAGE, SCRIPT] * 20)
    report_images(gan, pixels, [IMAGE, SCRIPT] * 20).save(folder / "images.html")
    found = compare_imputers(table, methods=["mean/mode", "kNN"], n_repeats=1)
    report_comparison(found).save(folder / "comparison.html")
    return {path.stem: path for path in folder.iterdir()}


@pytest.fixture(params=["imputation", "resampling", "comparison", "rows", "images"])
def page(request, reports):
    return reports[request.param]


def column(browser, position):
    """What the first table is sorted by in one column."""
    return browser.js(
        "return [...document.querySelector('tbody').rows].map((row) => row.cells[arguments[0]].dataset.sort)", position
    )


def heading(browser, text):
    """Position and button of a heading of the first table."""
    buttons = browser.driver.find_elements("css selector", "table:first-of-type thead button")
    texts = [button.text for button in buttons]
    return texts.index(text), buttons[texts.index(text)]


def test_the_watch_notices_what_runs_and_what_is_asked_for(browser, tmp_path):
    """The control: without escaping and without a policy all of it is seen."""
    naive = tmp_path / "naive.html"
    naive.write_text(f"<!DOCTYPE html><table><tr><td>{IMAGE}</td></tr></table><link rel=icon href=data:,>")
    browser.open(naive)
    assert browser.driver.execute_async_script(
        "const done = arguments[0]; const look = () => window.ran ? done(window.ran) : setTimeout(look); look();"
    )
    assert browser.console()
    assert any(address.endswith("/x") for address in browser.addresses())


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_report_loads_from_disk_alone_and_runs_nothing_of_the_data(browser, page, dark):
    browser.open(page, dark=dark)
    assert browser.console() == []
    asked = browser.addresses()
    assert asked.count(page.as_uri()) == 1
    assert [address[:40] for address in asked if not address.startswith(("data:image/png", page.as_uri()))] == []
    assert browser.js("return window.ran") is None
    assert browser.js("return document.scripts.length") == 1
    assert IMAGE in browser.js("return document.body.textContent")


@pytest.mark.parametrize("width", [1280, 390], ids=["wide", "narrow"])
def test_every_picture_fills_its_card(browser, page, width):
    browser.open(page, width=width, height=844)
    plots = browser.js(
        "return [...document.querySelectorAll('figure')].filter((one) => !one.querySelector('img')).map((one) => {"
        "const shown = [...one.querySelectorAll('svg')].filter((svg) => svg.getClientRects().length);"
        "const box = (one) => { const at = one.getBoundingClientRect(); return [at.left, at.right]; };"
        "const letters = [...shown[0].querySelectorAll('text')].map(box);"
        "return [shown.length, box(shown[0]), box(one.querySelector('figcaption')),"
        "Math.min(...letters.map((at) => at[0])), Math.max(...letters.map((at) => at[1]))]; })"
    )
    assert len(plots) >= {"comparison": 1, "rows": 2, "images": 1}.get(page.stem, 3)
    for n, drawing, card, left, right in plots:
        assert n == 1
        assert drawing == pytest.approx(card, abs=1)
        assert card[0] - 1 <= left
        assert right <= card[1] + 1
    photos = browser.js(
        "return [...document.images].map((one) => [one.complete, one.naturalWidth, one.getBoundingClientRect().width])"
    )
    assert len(photos) == (3 if page.stem == "images" else 0)
    assert all(complete and natural > 200 and shown > 200 for complete, natural, shown in photos)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_letters_in_pictures_stand_out(browser, page, dark):
    browser.open(page, dark=dark)
    under = luminance(browser.js("return getComputedStyle(document.querySelector('figure')).backgroundColor"))
    inks = browser.js(
        "return [...new Set([...document.querySelectorAll('.wide text')].map((one) => getComputedStyle(one).fill))]"
    )
    assert inks
    for ink in inks:
        light, deep = sorted([luminance(ink), under], reverse=True)
        on_a_dark_cell = luminance(ink) == under
        assert (light + 0.05) / (deep + 0.05) > 4.5 or on_a_dark_cell, ink


def test_a_table_sorts_by_click(browser, reports):
    browser.open(reports["imputation"])
    position, button = heading(browser, "Missing")
    before = column(browser, position)
    button.click()
    assert column(browser, position) == sorted(before, key=float)
    button.click()
    assert column(browser, position) == sorted(before, key=float, reverse=True)
    assert browser.js("return arguments[0].closest('th').getAttribute('aria-sort')", button) == "descending"


def test_a_table_sorts_by_keyboard_alone(browser, reports):
    from selenium.webdriver.common.keys import Keys

    browser.open(reports["imputation"])
    position, _ = heading(browser, "Share")
    before = column(browser, position)
    keyboard = browser.driver.switch_to
    seen = []
    for _ in range(20):
        keyboard.active_element.send_keys(Keys.TAB)
        seen.append(keyboard.active_element.text)
        if seen[-1] == "Share":
            break
    assert seen[0] == "Skip to the report"
    assert seen[-1] == "Share"
    assert browser.js("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    keyboard.active_element.send_keys(Keys.ENTER)
    assert column(browser, position) == sorted(before, key=float)
    assert keyboard.active_element.text.startswith("Share")
    keyboard.active_element.send_keys(Keys.SPACE)
    assert column(browser, position) == sorted(before, key=float, reverse=True)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_never_scrolls_sideways_in_a_narrow_window(browser, page, dark):
    browser.open(page, width=390, height=844, dark=dark)
    browser.js("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    root = browser.js("const root = document.documentElement; return [innerWidth, root.clientWidth, root.scrollWidth]")
    assert root == [390, 390, 390]
    outside = browser.js(
        "return [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > 391"
        " && !one.closest('.scroll, svg')).map((one) => one.outerHTML.slice(0, 80))"
    )
    assert outside == []


def test_photos_keep_their_colours_in_the_dark_and_fit_a_narrow_window(browser, reports):
    browser.open(reports["images"], width=390, height=844, dark=True)
    looks = browser.js(
        "return [...document.images].map((one) => [getComputedStyle(one).filter, one.parentElement.scrollWidth])"
    )
    assert len(looks) == 3
    assert all(shown == "none" and width <= 390 for shown, width in looks)


def luminance(colour):
    """Relative luminance of WCAG 2 of a computed colour such as ``rgb(1, 2, 3)``."""
    parts = np.array([float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_colour_scheme_is_the_readers_and_text_stands_out(browser, page, dark):
    browser.open(page, dark=dark)
    ground = luminance(browser.js("return getComputedStyle(document.body).backgroundColor"))
    assert ground < 0.05 if dark else ground > 0.9
    for part in ("body", ".lead", "figcaption", "dt", "td", "thead th", "summary"):
        ink, under = browser.js(
            "const one = document.querySelector(arguments[0]); let under = one;"
            "const clear = (node) => getComputedStyle(node).backgroundColor === 'rgba(0, 0, 0, 0)';"
            "while (clear(under)) under = under.parentElement;"
            "return [getComputedStyle(one).color, getComputedStyle(under).backgroundColor]",
            part,
        )
        light, deep = sorted([luminance(ink), luminance(under)], reverse=True)
        assert (light + 0.05) / (deep + 0.05) > 4.5, part


def test_a_notebook_shows_the_report_in_a_frame_that_sorts(browser, reports, tmp_path):
    from tabgan.report.html import HTMLReport

    notebook = tmp_path / "notebook.html"
    frame = HTMLReport(reports["imputation"].read_text(encoding="utf-8"), "Report")._repr_html_()
    notebook.write_text(f'<!DOCTYPE html><meta charset="utf-8"><link rel=icon href=data:,>{frame}', encoding="utf-8")
    browser.open(notebook)
    browser.driver.switch_to.frame(0)
    position, button = heading(browser, "Missing")
    before = column(browser, position)
    button.click()
    assert column(browser, position) == sorted(before, key=float)
    browser.driver.switch_to.default_content()
    assert browser.js("return window.ran") is None
    assert browser.console() == []


def test_a_long_table_scrolls_in_its_box_with_headings_and_names_in_view(browser, tmp_path):
    rows = [[text_cell(f"row {k}", ""), *(number_cell(float(k * j)) for j in range(30))] for k in range(128)]
    table = Table("Long", [Head("Name"), *(Head(f"number {j}", True) for j in range(30))], rows)
    render(Page("Long", "A long and wide table.", tables=[table])).save(tmp_path / "long.html")
    browser.open(tmp_path / "long.html", width=390, height=844)
    box, heading, name = browser.js(
        "const box = document.querySelector('.scroll'); box.scrollTo(900, 2500);"
        "const corner = (one) => { const at = one.getBoundingClientRect(); return [at.left, at.top, at.height]; };"
        "const last = [...document.querySelectorAll('tbody th')].at(-60);"
        "return [box, document.querySelectorAll('thead th')[20], last].map(corner)"
    )
    assert box[2] <= 0.86 * 844
    assert heading[1] == pytest.approx(box[1], abs=2)
    assert name[0] == pytest.approx(box[0], abs=2)
    assert browser.js("return document.documentElement.scrollHeight") < 2000


def test_the_main_message_is_seen_without_scrolling(browser, page):
    for width, height in ((1200, 600), (390, 600)):
        browser.open(page, width=width, height=height)
        bottom = browser.js(
            "return (document.querySelector('.headline') || document.querySelector('.lead')).getBoundingClientRect().bottom"
        )
        assert 0 < bottom < 600


def test_a_printed_page_is_whole_and_on_white(browser, reports):
    browser.open(reports["imputation"], dark=True)
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        ground, box, inside = browser.js(
            "const box = document.querySelector('.scroll'); const one = document.querySelector('details dl');"
            "return [getComputedStyle(document.body).backgroundColor, box.scrollHeight - box.clientHeight,"
            "one.getBoundingClientRect().height]"
        )
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert luminance(ground) > 0.9
    assert box <= 1
    assert inside > 10
