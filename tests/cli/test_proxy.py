"""nginx as `docs/operating.md` has it, in front of a real server: what it lets through, to whom, and what it writes."""

import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rdv.cli.serve import KEEP_ALIVE_SECONDS
from tests.places import NOW
from tests.served import serving
from tests.tools import ROOT, found, needs

PATIENCE_SECONDS = 20
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
SAMPLE = re.search(
    r"^```nginx\n(.*?)^```$", (ROOT / "docs" / "operating.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Proxy:
    """A running nginx; `server`: the port of what is behind it."""

    url: str
    server: int
    access_log: Path
    certificate: Path

    def client(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, verify=ssl.create_default_context(cafile=str(self.certificate)))


def write_certificate(folder: Path) -> None:
    """Write a certificate for this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=36_525))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "privkey.pem").write_bytes(key.private_bytes(*form))
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(form[0]))


def written(folder: Path, port: int, server: int, *, watching: str) -> Path:
    """Write the sample for this machine: its ports, a folder of its own, whence somebody watches."""
    assert SAMPLE is not None
    temporary = "".join(f"    {one}_temp_path {folder}/{one};\n" for one in TEMPORARY)
    changes = {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "8001": str(server),
        "8002": str(server),
        "10.0.0.0/8": watching,
        "/etc/ssl/rdv": str(folder),
        "/var/log/nginx": str(folder),
        "http {\n": f"http {{\n{temporary}",
    }
    text = SAMPLE.group(1)
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    file = folder / "nginx.conf"
    file.write_text(text, encoding="utf-8")
    return file


def free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def proxy(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Proxy]:
    """A server behind nginx; the parameter is whence one may watch."""
    needs("nginx")
    (tmp_path / "now").write_text(NOW.isoformat(), encoding="utf-8")
    write_certificate(tmp_path)
    behind = {"RDV_METRICS": "true", "RDV_TRUSTED_PROXIES": "127.0.0.1", "RDV_RATE_LIMIT": "1000/minute"}
    with serving(database_url, tmp_path / "now", **behind) as server:
        port, its_port = free_port(), int(server.url.split(":")[2].split("/")[0])
        file = written(tmp_path, port, its_port, watching=request.param)
        options = [str(found("nginx")), "-p", str(tmp_path), "-c", str(file), "-e", str(tmp_path / "error.log")]
        set_here = ["-g", f"pid {tmp_path}/nginx.pid;"]
        tested = subprocess.run([*options, *set_here, "-t"], capture_output=True, text=True, check=False)
        assert tested.returncode == 0, tested.stderr
        set_here[1] += " daemon off;"
        with subprocess.Popen([*options, *set_here]) as running:
            try:
                wait_for(port)
                yield Proxy(f"https://localhost:{port}", its_port, tmp_path / "access.log", tmp_path / "fullchain.pem")
            finally:
                running.terminate()


def wait_for(port: int) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.02)
        else:
            return


@pytest.mark.parametrize("proxy", ["127.0.0.0/8"], indirect=True)
def test_who_watches_sees_each_process_and_callers_see_neither_codes_in_logs_nor_choose_traces(proxy: Proxy) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with proxy.client() as client:
        secret = {"query": '{ appointment(reference: "R", accessCode: "S3CRET") { status } }'}
        assert client.get("/graphql", params=secret).status_code == 200
        answer = client.post(
            "/graphql", json={"query": "{ __typename }"}, headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
        )
        assert (answer.status_code, answer.json()["data"]) == (200, {"__typename": "Query"})
        assert trace not in answer.headers["traceresponse"]
        for path, status in (("health/ready", 200), ("health/live", 200), ("metrics", 200), ("graphql", 404)):
            assert client.get(f"/{proxy.server}/{path}").status_code == status, path
        assert [client.get(path).status_code for path in ("/metrics", "/health/ready")] == [403, 403]
    logged = proxy.access_log.read_text(encoding="utf-8")
    assert '"GET /graphql" 200' in logged
    assert "S3CRET" not in logged


@pytest.mark.parametrize("proxy", ["10.0.0.0/8"], indirect=True)
def test_nobody_else_sees_how_a_process_is(proxy: Proxy) -> None:
    with proxy.client() as client:
        for path in ("health/ready", "health/live", "metrics"):
            assert client.get(f"/{proxy.server}/{path}").status_code == 403
            assert client.get(f"/{path}").status_code == 403


def test_servers_keep_idle_connections_for_longer_than_the_proxy_does() -> None:
    assert SAMPLE is not None
    (proxy, server) = re.search(
        r"idle for up to (\d+) seconds; a server closes them after (\d+)", SAMPLE.group(1)
    ).groups()
    assert int(proxy) < int(server) == KEEP_ALIVE_SECONDS
