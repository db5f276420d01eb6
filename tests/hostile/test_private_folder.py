"""What the product writes down is nobody's but its owner's."""

from __future__ import annotations

import re
import stat

import requests

from tests.processes import Demo, until


def test_nobody_else_can_read_what_a_running_product_writes(product: Demo) -> None:
    """Least of all the link that resets a password."""
    page = requests.get(f"{product.url}/password/reset", timeout=60)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token, page.text
    requests.post(
        page.url,
        data={"email": "alice@example.com", "csrfmiddlewaretoken": token[1]},
        cookies=page.cookies,
        timeout=60,
    )
    mails = product.folder / "mail"
    until(
        lambda: any("reset" in mail.read_text() for mail in mails.glob("*")),
        what="the mail is written",
    )
    seen = {
        str(path.relative_to(product.folder)): stat.S_IMODE(path.lstat().st_mode)
        for path in (product.folder, *product.folder.rglob("*"))
    }
    assert {"mail", "secrets.json", "simulator.sqlite3", "postgres/server.log"} <= set(seen)
    assert {name: oct(mode) for name, mode in seen.items() if mode & 0o077} == {}
