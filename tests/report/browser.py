"""Headless Chromium for tests of reports; tests skip where it or selenium is absent."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

SWITCHES = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --disable-dev-shm-usage --force-device-scale-factor=1 --lang=en"
).split()


class Browser:
    """A headless Chromium that tells what a page logged and asked for.

    Parameters
    ----------
    profile : path
        An empty folder for its user data.
    """

    def __init__(self, profile: Path) -> None:
        selenium = pytest.importorskip(
            "selenium.webdriver", reason="needs selenium: pip install 'tabgan-learn[browser]'"
        )
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        driver = shutil.which("chromedriver")
        if program is None or driver is None:
            pytest.skip("needs Chromium and its driver; Debian: apt-get install chromium chromium-driver")
        options = selenium.ChromeOptions()
        options.binary_location = program
        for switch in [*SWITCHES, f"--user-data-dir={profile}"]:
            options.add_argument(switch)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        # Named here, so that selenium does not go and look for a driver in the network.
        self.driver = selenium.Chrome(options=options, service=selenium.ChromeService(executable_path=driver))

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.driver.quit()

    def open(self, path: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Load a file from disk, as a person who prefers a colour scheme sees it in a window of some width."""
        self.run(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = "dark" if dark else "light"
        self.run("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.console()
        self.addresses()
        self.driver.get(path.as_uri())

    def run(self, command: str, **parameters: Any) -> Any:
        """Call a command of the devtools protocol."""
        return self.driver.execute_cdp_cmd(command, parameters)

    def js(self, code: str, *arguments: Any) -> Any:
        """Run ``code``, a function body, in the page."""
        return self.driver.execute_script(code, *arguments)

    def console(self) -> list[str]:
        """What the page logged since the last call; the driver reports breaches of the content policy here, too."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def addresses(self) -> list[str]:
        """What was asked for since the last call."""
        events = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
