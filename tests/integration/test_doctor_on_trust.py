"""The doctor on a feed whose certificate is of an authority that is not trusted."""

from __future__ import annotations

import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.conftest import Run

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_IS_AUTHORITY = "basicConstraints=critical,CA:TRUE"


def openssl(*words: str | Path) -> None:
    """Make a key, a request or a certificate."""
    subprocess.run(["openssl", *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two roots, an intermediate authority of the first, and a certificate of localhost by that."""
    folder = tmp_path_factory.mktemp("authorities")
    for name in ("root", "other"):
        subject = f"/O={name.title()} Trust/CN={name.title()} CA"
        openssl(
            "req", "-x509", *_KEY, "-days", "2", "-subj", subject, "-addext", _IS_AUTHORITY, "-keyout",
            folder / f"{name}.key", "-out", folder / f"{name}.pem",
        )  # fmt: skip
    for name, subject, by, extension in (
        ("between", "/O=Root Trust/CN=Root Between", "root", _IS_AUTHORITY),
        ("leaf", "/CN=localhost", "between", "subjectAltName=DNS:localhost"),
    ):
        (folder / "extension").write_text(f"{extension}\n")
        openssl("req", *_KEY, "-subj", subject, "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr")
        openssl(
            "x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / f"{by}.pem", "-CAkey", folder / f"{by}.key",
            "-CAcreateserial", "-days", "2", "-extfile", folder / "extension", "-out", folder / f"{name}.pem",
        )  # fmt: skip
    return folder


@contextmanager
def serving(folder: Path, *sent: str) -> Iterator[str]:
    """A server that shows these certificates, its own first; yields its address."""
    (folder / "sent").write_text("".join((folder / f"{name}.pem").read_text() for name in sent))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "sent", folder / f"{sent[0]}.key")
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"https://localhost:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("sent", "says", "note"),
    [
        (
            ["leaf"],
            "issued by 'Root Between' of 'Root Trust', an intermediate authority of one that",
            "told to who runs",
        ),
        (["leaf", "between"], "", ""),
        (["other"], "signed by itself ('Other CA' of 'Other Trust'), which is not among the 1 of", "confirmed it"),
    ],
)
def test_who_vouches_for_the_feed_is_told(run: Run, made: Path, sent: list[str], says: str, note: str) -> None:
    with serving(made, *sent) as url:
        told = json.loads(
            run("doctor", "--json", WEATHER_FEED_URL=url, WEATHER_FEED_CA_FILE=str(made / "root.pem")).stdout
        )
    found = {one["id"]: one for one in told["causes"]}.get("feed-trusted")
    if not says:
        assert found is None
        return
    assert found
    assert says in found["evidence"]
    assert f"{made}/root.pem (WEATHER_FEED_CA_FILE)" in found["evidence"]
    assert note in found["remedy"]


def test_an_authority_that_is_new_is_named(run: Run, made: Path) -> None:
    with serving(made, "leaf", "between") as url:
        told = json.loads(
            run("doctor", "--json", WEATHER_FEED_URL=url, WEATHER_FEED_CA_FILE=str(made / "other.pem")).stdout
        )
    found = {one["id"]: one for one in told["causes"]}["feed-trusted"]
    assert (
        "the last of the 2 certificates that the server sends is issued by 'Root CA' of 'Root Trust'"
        in found["evidence"]
    )
    assert "it is a new one" in found["evidence"]
