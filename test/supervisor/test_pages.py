"""The dashboard's pages: what of the mount is published, and when."""
import gzip
import json
import os
import time

import pytest
from test_supervisor import Instance, eventually

PAGE = '<!doctype html><script src="/assets/app-{0}.js"></script><link href="/assets/app-{0}.css"></html>'


class Dashboard(Instance):
    """A supervisor over a dashboard's mount; its handlers' mount stays empty."""

    def __init__(self, folder):
        super().__init__(folder)
        self.mount = folder / "frontend"
        (self.mount / "assets").mkdir(parents=True)
        self.pages = self.run / "pages"

    def put_build(self, version, order=("js", "css", "page")):
        for part in order:
            if part == "page":
                (self.mount / "index.html").write_text(PAGE.format(version))
            else:
                (self.mount / "assets" / f"app-{version}.{part}").write_text(f"{part} of {version}")

    def begin(self):
        self.start("--frontend", str(self.mount))

    def told(self):
        try:
            return json.loads((self.run / "supervisor.json").read_text())["pages"]
        except FileNotFoundError:
            return {}

    def page(self):
        try:
            return (self.pages / "index.html").read_text()
        except FileNotFoundError:
            return None

    def sends(self, version):
        return self.page() == PAGE.format(version) and self.told().get("state") == "served"


@pytest.fixture(name="dashboard")
def fixture_dashboard(tmp_path):
    dashboard = Dashboard(tmp_path)
    yield dashboard
    dashboard.stop()


def test_a_build_is_published_and_the_mount_may_be_overwritten_under_it(dashboard):
    dashboard.put_build("1")
    dashboard.begin()
    eventually(lambda: dashboard.sends("1"))
    assert (dashboard.pages / "assets" / "app-1.js").read_text() == "js of 1"
    with open(dashboard.mount / "index.html", "r+b") as half:
        half.truncate(10)
        half.flush()
        time.sleep(0.6)
        assert dashboard.page() == PAGE.format("1")
        half.seek(0)
        half.write(PAGE.format("1").replace("doctype", "DOCTYPE").encode())
    eventually(lambda: "DOCTYPE" in dashboard.page())


@pytest.mark.parametrize("order", [("page", "js", "css"), ("js", "page", "css"), ("css", "js", "page")])
def test_p43_a_page_waits_for_all_that_it_names_whatever_comes_first(dashboard, order):
    dashboard.put_build("1")
    dashboard.begin()
    eventually(lambda: dashboard.sends("1"))
    for part in order[:-1]:
        dashboard.put_build("2", (part,))
        time.sleep(0.4)
        assert dashboard.page() == PAGE.format("1")
    if "page" in order[:-1]:
        eventually(lambda: dashboard.told()["state"] == "waiting" and f"app-2.{order[-1]}" in dashboard.told()["why"])
    dashboard.put_build("2", order[-1:])
    eventually(lambda: dashboard.sends("2"))


def test_p43_a_file_that_is_still_being_written_holds_everything_back(dashboard):
    dashboard.put_build("1")
    dashboard.begin()
    eventually(lambda: dashboard.sends("1"))
    with open(dashboard.mount / "assets" / "app-2.js", "w", encoding="utf-8") as slow:
        slow.write("js ")
        slow.flush()
        dashboard.put_build("2", ("css", "page"))
        time.sleep(0.8)
        assert dashboard.page() == PAGE.format("1")
        assert not (dashboard.pages / "assets" / "app-2.js").exists()
        slow.write("of 2")
    eventually(lambda: dashboard.sends("2"))
    assert (dashboard.pages / "assets" / "app-2.js").read_text() == "js of 2"


def test_a_part_that_a_script_loads_later_is_waited_for_too(dashboard):
    dashboard.put_build("1", ("css", "page"))
    (dashboard.mount / "assets" / "app-1.js").write_text('load("assets/later-1.js")')
    dashboard.begin()
    eventually(lambda: "later-1.js" in (dashboard.told().get("why") or ""))
    (dashboard.mount / "assets" / "later-1.js").write_text("later")
    eventually(lambda: dashboard.sends("1"))


def test_a_compressed_file_that_is_not_its_files_is_not_sent(dashboard):
    dashboard.put_build("1")
    packed = dashboard.mount / "index.html.gz"
    packed.write_bytes(gzip.compress(PAGE.format("1").encode()))
    dashboard.begin()
    eventually(lambda: dashboard.sends("1") and (dashboard.pages / "index.html.gz").exists())
    dashboard.put_build("2")
    eventually(lambda: dashboard.sends("2"))
    assert not (dashboard.pages / "index.html.gz").exists()
    packed.write_bytes(gzip.compress(PAGE.format("2").encode()))
    eventually((dashboard.pages / "index.html.gz").exists)


def test_what_left_the_mount_stays_for_a_week_for_pages_that_are_open(dashboard):
    dashboard.put_build("1")
    dashboard.begin()
    eventually(lambda: dashboard.sends("1"))
    dashboard.put_build("2")
    for old in dashboard.mount.glob("assets/app-1.*"):
        old.unlink()
    eventually(lambda: dashboard.sends("2"))
    old = dashboard.pages / "assets" / "app-1.js"
    assert old.read_text() == "js of 1"
    eventually(lambda: time.time() - old.stat().st_mtime < 100)
    long_ago = time.time() - 8 * 86400
    os.utime(old, (long_ago, long_ago))
    dashboard.put_build("3")
    eventually(lambda: dashboard.sends("3"))
    eventually(lambda: not old.exists())
    assert (dashboard.pages / "assets" / "app-1.css").exists()


def test_the_time_of_a_copy_is_its_contents_so_that_the_same_page_has_the_same_etag(dashboard):
    dashboard.put_build("1")
    dashboard.begin()
    eventually(lambda: dashboard.sends("1"))
    first = (dashboard.pages / "index.html").stat().st_mtime
    dashboard.put_build("2")
    eventually(lambda: dashboard.sends("2"))
    assert (dashboard.pages / "index.html").stat().st_mtime != first
    dashboard.put_build("1")
    eventually(lambda: dashboard.sends("1"))
    assert (dashboard.pages / "index.html").stat().st_mtime == first


def test_nginx_may_read_what_is_published_whatever_mask_the_supervisor_runs_with(dashboard):
    dashboard.put_build("1")
    before = os.umask(0o077)
    try:
        dashboard.begin()
    finally:
        os.umask(before)
    eventually(lambda: dashboard.sends("1"))
    for path in (dashboard.pages, dashboard.pages / "assets"):
        assert path.stat().st_mode & 0o777 == 0o755
    for path in (dashboard.pages / "index.html", dashboard.pages / "assets" / "app-1.js", dashboard.run / "supervisor.json"):
        assert path.stat().st_mode & 0o777 == 0o644


def test_an_empty_mount_and_names_that_begin_with_a_dot_change_nothing(dashboard):
    dashboard.begin()
    eventually(lambda: dashboard.told().get("state") == "waiting")
    (dashboard.mount / ".index.html.new").write_text("a copy under way")
    dashboard.put_build("1")
    eventually(lambda: dashboard.sends("1"))
    assert sorted(path.name for path in dashboard.pages.iterdir()) == ["assets", "index.html"]
    for path in (dashboard.mount / "index.html", dashboard.mount / "assets" / "app-1.js"):
        path.unlink()
    eventually(lambda: dashboard.told()["state"] == "waiting")
    assert dashboard.page() == PAGE.format("1")
