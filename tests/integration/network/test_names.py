# SPDX-License-Identifier: MIT
"""The name server of networks, asked by the programs that people use."""

from __future__ import annotations

import ipaddress
import os
import pathlib
import shutil
import signal
import socket
import subprocess

import dnslib
import pytest
from dnslib import DNSRecord

from sandbox.models.addresses import bridge_subnet
from sandbox.native.network import NetworkTable
from sandbox.runtime.network import members
from sandbox.runtime.network.names import keeping
from sandbox.store.layout import Layout
from tests.harness.cbuild import build_guest_program
from tests.harness.command import Sandbox
from tests.harness.containers import is_gone
from tests.harness.network.members import address, resolved, serve
from tests.harness.polling import until

pytestmark = pytest.mark.guest

SLEEP = ("host", "sleep", "1000")


def sleeper(engine: Sandbox, name: str, *flags: str) -> str:
    """Start a container on the network `back` and return its address there."""
    engine.ok("run", "-d", "--name", name, "--network", "back", *flags, *SLEEP)
    return address(engine, name, "back")


def directory(engine: Sandbox) -> str:
    return members.directory_of(Layout(engine.store))


def inside(engine: Sandbox, *command: str) -> str:
    """Run a command in the container `one`, whatever its exit code; return its output."""
    return engine.call("exec", "one", *command).stdout.decode()


# ---- answers -----------------------------------------------------------------------------


def test_every_resolver_finds_a_container(net: Sandbox) -> None:
    sleeper(net, "one")
    db = sleeper(net, "db", "--network-alias", "store")
    for name in ("db", "db.back", "store", "DB"):
        assert resolved(net, "one", name) == db
    assert inside(net, "dig", "+short", "db") == f"{db}\n"
    assert inside(net, "dig", "+short", "+tcp", "db") == f"{db}\n"
    assert inside(net, "dig", "+short", "-x", db) == "db.back.\n"
    assert f"db has address {db}\n" in inside(net, "host", "db")
    assert f"Name:\tdb\nAddress: {db}\n" in inside(net, "nslookup", "db")
    assert f"Name:\tdb\nAddress: {db}\n" in inside(net, "busybox", "nslookup", "db")
    script = "import socket; print(socket.gethostbyname_ex('store')[2])"
    assert inside(net, "/usr/bin/python3", "-c", script) == f"['{db}']\n"


def test_node_resolves_by_its_own_resolver_and_by_the_c_library(net: Sandbox) -> None:
    sleeper(net, "one")
    db = sleeper(net, "db")
    script = (
        "const d = require('dns').promises; (async () => {"
        "console.log((await d.lookup('db')).address, (await d.resolve('db'))[0],"
        " (await d.resolve4('db', {ttl: true}))[0].ttl);"
        f"console.log((await d.reverse('{db}'))[0]);"
        "for (const kind of ['AAAA', 'TXT', 'SRV', 'MX'])"
        " await d.resolve('db', kind).catch(e => console.log(kind, e.code)); })()"
    )
    wanted = f"{db} {db} 600\ndb.back\nAAAA ENODATA\nTXT ENODATA\nSRV ENODATA\nMX ENODATA\n"
    assert inside(net, "node", "-e", script) == wanted


GO = """
package main

import ("fmt"; "net"; "os")

func main() {
	fmt.Println(net.LookupHost(os.Args[1]))
	fmt.Println(net.LookupAddr(os.Args[2]))
	_, rows, err := net.LookupSRV("web", "tcp", "far.example")
	if err != nil { fmt.Println(err); return }
	fmt.Println(rows[0].Target, rows[0].Port)
}
"""

# Answers questions for far.example: SRV, and a long list of addresses that needs TCP.
FAR = """
import signal, socket, threading
from dnslib import A, QTYPE, RCODE, RR, SRV, DNSRecord
signal.alarm(900)
def answer(data, room):
    question = DNSRecord.parse(data)
    reply = question.reply()
    if question.q.qtype == QTYPE.SRV:
        reply.add_answer(RR(question.q.qname, QTYPE.SRV, rdata=SRV(1, 2, 8080, "here.example")))
    elif str(question.q.qname) == "many.example.":
        for number in range(100):
            reply.add_answer(RR(question.q.qname, QTYPE.A, rdata=A(f"192.0.2.{number}")))
    elif str(question.q.qname) == "far.example.":
        reply.add_answer(RR(question.q.qname, QTYPE.A, rdata=A("192.0.2.7")))
    else:
        reply.header.rcode = RCODE.NXDOMAIN
    return reply.pack() if len(reply.pack()) <= room else reply.truncate().pack()
listener = socket.create_server(("0.0.0.0", 53))
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.bind(("0.0.0.0", 53))
print("up", flush=True)
def streams():
    while True:
        caller, _ = listener.accept()
        with caller:
            size = int.from_bytes(caller.recv(2), "big")
            reply = answer(caller.recv(size), 65535)
            caller.sendall(len(reply).to_bytes(2, "big") + reply)
threading.Thread(target=streams, daemon=True).start()
while True:
    data, peer = datagrams.recvfrom(4096)
    datagrams.sendto(answer(data, 512), peer)
"""


def test_go_and_musl_resolve_by_themselves(net: Sandbox, tmp_path: pathlib.Path) -> None:
    db = sleeper(net, "db")
    (tmp_path / "main.go").write_text(GO)
    environ = {**os.environ, "CGO_ENABLED": "0", "GOCACHE": str(tmp_path / "cache")}
    build = ["go", "build", "-o", tmp_path / "go", tmp_path / "main.go"]
    subprocess.run(build, env=environ, check=True)
    shutil.copy(build_guest_program("lookup", "musl-gcc", "-static"), tmp_path / "musl")
    far = far_server(net)
    sleeper(net, "one", "--dns", far, "-v", f"{tmp_path}:/here")
    wanted = f"[{db}] <nil>\n[db.back.] <nil>\nhere.example. 8080\n"
    assert inside(net, "/here/go", "db", db) == wanted
    assert inside(net, "/here/musl", "db") == f"{db}\n"
    assert set(inside(net, "/here/musl", "far.example").split()) == {"192.0.2.7"}
    assert inside(net, "/here/musl", "no.example") == "Name does not resolve\n"


def far_server(net: Sandbox) -> str:
    """Start a container that knows other names, and return its address."""
    folder = pathlib.Path(dnslib.__file__).parent.parent
    flags = ("--network", "back", "-v", f"{folder}:/lib-dns", "-e", "PYTHONPATH=/lib-dns")
    serve(net, "far", *flags, script=FAR)
    return address(net, "far", "back")


def test_other_names_are_left_to_the_servers_of_dns(net: Sandbox) -> None:
    far = far_server(net)
    sleeper(net, "one", "--dns", far, "--dns-search", "example", "--dns-option", "timeout:9")
    conf = "nameserver 127.0.0.11\nsearch example\noptions timeout:9 ndots:0\n"
    assert inside(net, "cat", "/etc/resolv.conf") == conf
    assert resolved(net, "one", "far.example") == "192.0.2.7"
    assert resolved(net, "one", "far") == far, "a container's name comes first"
    assert inside(net, "dig", "+short", "far.example") == "192.0.2.7\n"
    assert inside(net, "dig", "+short", "+tcp", "far.example") == "192.0.2.7\n"
    many = inside(net, "dig", "+short", "many.example").split()
    assert len(many) == 100, "a long answer comes over TCP"
    assert "status: NXDOMAIN" in inside(net, "dig", "no.example")
    sleeper(net, "alone", "--dns", "127.255.255.253")
    failed = net.call("exec", "alone", "dig", "far.example").stdout.decode()
    assert "status: SERVFAIL" in failed


def test_an_internal_network_asks_nobody_else(net: Sandbox) -> None:
    net.ok("network", "create", "--internal", "closed")
    far = far_server(net)
    flags = ("--network", "closed", "--dns", far)
    net.ok("run", "-d", "--name", "one", *flags, *SLEEP)
    assert "status: SERVFAIL" in inside(net, "dig", "far.example")
    assert resolved(net, "one", "one") == address(net, "one", "closed")


def test_containers_of_one_alias_are_answered_in_turn(net: Sandbox) -> None:
    sleeper(net, "one")
    web = {sleeper(net, f"web{number}", "--network-alias", "web") for number in range(3)}
    firsts = [inside(net, "dig", "+short", "web").split() for _ in range(6)]
    assert all(set(rows) == web for rows in firsts)
    assert [rows[0] for rows in firsts[:3]] == [rows[0] for rows in firsts[3:]]
    assert {rows[0] for rows in firsts} == web


def test_a_web_server_follows_a_name(net: Sandbox, tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "nginx"
    folder.mkdir()
    (folder / "nginx.conf").write_text(
        "daemon off; master_process off; pid /tmp/pid; error_log /dev/stderr;\n"
        "events {}\nhttp { access_log off; server { listen 80; location / {\n"
        "resolver 127.0.0.11 valid=1s; set $there http://app:8000; proxy_pass $there; } } }\n"
    )
    script = (
        "import http.server, signal, sys\nsignal.alarm(900)\n"
        "class Handler(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        self.send_response(200); self.end_headers(); self.wfile.write(b'app here')\n"
        "server = http.server.HTTPServer(('', 8000), Handler)\nprint('up', flush=True)\n"
        "server.serve_forever()\n"
    )
    net.ok(
        *("run", "-d", "--name", "one", "--network", "back", "-v", f"{folder}:/conf"),
        *("host", "/usr/sbin/nginx", "-p", "/tmp", "-c", "/conf/nginx.conf"),
    )
    fetch = ("curl", "-s", "--max-time", "20", "http://one/")
    until(lambda: "502" in inside(net, *fetch))
    serve(net, "app", "--network", "back", script=script)
    until(lambda: inside(net, *fetch) == "app here")


# ---- networks that change ----------------------------------------------------------------


def test_a_container_that_joins_a_network_asks_its_server(net: Sandbox) -> None:
    net.ok("run", "-d", "--name", "one", *SLEEP)
    assert "127.0.0.11" not in inside(net, "cat", "/etc/resolv.conf")
    front = net.ok("run", "-d", "--name", "two", "--network", "front", *SLEEP)
    assert resolved(net, "one", "two") == ""
    net.ok("network", "connect", "--alias", "uno", "front", "one")
    assert "nameserver 127.0.0.11\n" in inside(net, "cat", "/etc/resolv.conf")
    assert resolved(net, "one", "two") == address(net, "two", "front")
    assert resolved(net, "two", "uno") == address(net, "one", "front")
    assert resolved(net, "one", front[:12]) == address(net, "two", "front")
    net.ok("network", "disconnect", "front", "one")
    assert resolved(net, "two", "uno") == ""


def test_the_default_and_the_hosts_network_keep_the_machines_resolv_conf(net: Sandbox) -> None:
    machine = pathlib.Path("/etc/resolv.conf").read_text()
    for flags in ((), ("--network", "host"), ("--network", "none")):
        shown = net.ok("run", "--rm", *flags, "host", "cat", "/etc/resolv.conf")
        assert shown.rstrip("\n") == machine.rstrip("\n")


def test_a_container_that_shares_a_network_asks_as_well(net: Sandbox) -> None:
    db = sleeper(net, "db")
    sleeper(net, "owner")
    net.ok("run", "-d", "--name", "one", "--network", "container:owner", *SLEEP)
    assert "nameserver 127.0.0.11\n" in inside(net, "cat", "/etc/resolv.conf")
    assert resolved(net, "one", "db") == db


# ---- the process -------------------------------------------------------------------------


def test_the_server_lives_as_long_as_a_container_needs_it(net: Sandbox) -> None:
    net.ok("run", "-d", "--name", "plain", *SLEEP)
    assert keeping.running(directory(net)) == 0
    sleeper(net, "one")
    pid = keeping.running(directory(net))
    sleeper(net, "two")
    assert keeping.running(directory(net)) == pid != 0
    net.ok("rm", "-f", "one", "two")
    until(lambda: is_gone(pid))
    assert keeping.running(directory(net)) == 0


def test_a_killed_server_is_started_again_at_once(net: Sandbox) -> None:
    sleeper(net, "one")
    db = sleeper(net, "db")
    pid = keeping.running(directory(net))
    os.kill(pid, signal.SIGKILL)
    until(lambda: keeping.running(directory(net)) not in (0, pid))
    assert resolved(net, "one", "db") == db


def test_the_server_ends_when_all_supervisors_were_killed(net: Sandbox) -> None:
    sleeper(net, "one")
    pid = keeping.running(directory(net))
    for member in members.live_members(Layout(net.store)).values():
        os.kill(member.pid, signal.SIGKILL)
    until(lambda: is_gone(pid))


# ---- strangers ---------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["any address", "the address of a container"])
def test_a_program_of_the_machine_gets_no_answer(net: Sandbox, how: str) -> None:
    own = sleeper(net, "one")
    with NetworkTable.reading(directory(net)) as table:
        place = table.name_server()
    assert place is not None
    assert ipaddress.ip_address(place[0]) == ipaddress.ip_address(
        bridge_subnet(os.getuid()).base + 1
    )
    question = bytes(DNSRecord.question("one").pack())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        if how != "any address":
            sock.bind((own, 0))
        sock.sendto(question, place)
        # Questions are answered in order, so a later answer shows that this one was left.
        assert inside(net, "dig", "+short", "one") == f"{own}\n"
        with pytest.raises(BlockingIOError):
            sock.recv(4096, socket.MSG_DONTWAIT)
    with socket.socket() as stream:
        if how != "any address":
            stream.bind((own, 0))
        stream.settimeout(60)
        stream.connect(place)
        assert stream.recv(1) == b""


def test_junk_does_not_stop_the_server(net: Sandbox) -> None:
    own = sleeper(net, "one")
    script = (
        "import os, random, socket\n"
        "sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "for number in range(3000):\n"
        "    data = os.urandom(random.randrange(600))\n"
        "    if number % 2: data = data[:2] + b'\\1\\0\\0\\1' + bytes(6) + data[12:]\n"
        "    sock.sendto(data, ('127.0.0.11', 53))\n"
        "for number in range(60):\n"
        "    with socket.create_connection(('127.0.0.11', 53)) as stream:\n"
        "        stream.sendall(os.urandom(random.randrange(5000)))\n"
    )
    pid = keeping.running(directory(net))
    net.ok("exec", "one", "/usr/bin/python3", "-c", script)
    assert resolved(net, "one", "one") == own
    assert keeping.running(directory(net)) == pid


def test_the_programs_of_these_tests_are_there() -> None:
    for name in ("dig", "host", "nslookup", "busybox", "node", "go", "musl-gcc", "curl"):
        assert shutil.which(name), name
