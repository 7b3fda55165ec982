"""The API of Cumulus, in memory. Prints where it listens, and forgets everything at its end.

    CUMULUS_ENGINES=unix:///run/one.sock,tcp://10.0.0.2:2375 python3 stand_in.py

Each machine is one of these Docker engines, as long as it lasts. Without any, its engine is nowhere.

As clouds are, it is slow and moody: a machine boots while it is looked at, every second order is taken without an answer, and
every 20th request is one too many.
"""

import http.server
import itertools
import json
import os
import platform
import threading
import urllib.parse

TOKEN = "no secret"
LOOKS_TO_BOOT = 3
GIB = 1 << 30
HERE = "linux/arm64" if platform.machine() in ("aarch64", "arm64") else "linux/amd64"
SIZES = {
    "large": {"platform": HERE, "cpus": 4, "memory": 8 * GIB},
    "small": {"platform": HERE, "cpus": 1, "memory": GIB},
    "board": {"platform": "linux/arm/v7", "cpus": 4, "memory": GIB},
}
ENGINES = [engine for engine in os.environ.get("CUMULUS_ENGINES", "").split(",") if engine]

machines = {}
numbers = itertools.count(1)
orders = itertools.count(1)
requests = itertools.count(1)
one_at_a_time = threading.Lock()


class Refused(Exception):
    """The API says no: a status, a word for programs, and a sentence."""

    def __init__(self, status, error, message, **more):
        self.status, self.document = status, {"error": error, "message": message} | more


class Machine:
    def __init__(self, name, size, tags):
        self.id = f"m-{next(numbers)}"
        self.name, self.size, self.tags = name, size, tags
        self.looks = 0
        self.engine = self.free_engine()

    def free_engine(self):
        if not ENGINES:
            return f"unix:///run/cumulus/{self.id}.sock"
        taken = [machine.engine for machine in machines.values()]
        free = [engine for engine in ENGINES if engine not in taken]
        if not free:
            raise Refused(422, "full", "there is no room for another machine")
        return free[0]

    def is_running(self):
        return self.looks >= LOOKS_TO_BOOT

    def document(self):
        document = {"id": self.id, "name": self.name, "size": self.size, "tags": self.tags} | SIZES[self.size]
        if not self.is_running():
            return document | {"status": "booting", "address": None, "engine": None}
        address = urllib.parse.urlsplit(self.engine).hostname or "127.0.0.1"
        return document | {"status": "running", "address": address, "engine": self.engine}

    def look(self):
        self.looks += 1
        return self.document()

    def must_run(self):
        self.looks += 1
        if not self.is_running():
            raise Refused(409, "busy", f"{self.id} still boots")


def check_name(name, machine=None):
    if any(other.name == name for other in machines.values() if other is not machine):
        raise Refused(409, "taken", f"there is a machine with the name {name}", field="name")


def order(body):
    check_name(body["name"])
    if body["size"] not in SIZES:
        raise Refused(422, "unknown", f"there is no size {body['size']}", field="size")
    machine = Machine(body["name"], body["size"], body["tags"])
    machines[machine.id] = machine
    if next(orders) % 2 == 0:
        raise Refused(502, "lost", "the answer is lost")
    return machine.document()


def change(machine, body):
    machine.must_run()
    check_name(body["name"], machine)
    machine.name = body["name"]
    return machine.document()


def remove(machine):
    machine.must_run()
    del machines[machine.id]
    return {}


def answer(method, url, body):
    path, query = url.path.strip("/").split("/"), urllib.parse.parse_qs(url.query)
    match method, path:
        case "GET", ["v1", "sizes"]:
            return {"sizes": [{"name": name} | size for name, size in SIZES.items()]}
        case "GET", ["v1", "machines"]:
            wanted = set(query.get("tag", []))
            return {"machines": [machine.look() for machine in machines.values() if wanted <= set(machine.tags)]}
        case "POST", ["v1", "machines"]:
            return order(body)
        case "GET", ["v1", "machines", id] if id in machines:
            return machines[id].look()
        case "PUT", ["v1", "machines", id] if id in machines:
            return change(machines[id], body)
        case "DELETE", ["v1", "machines", id] if id in machines:
            return remove(machines[id])
    raise Refused(404, "unknown", "there is no such thing")


class Api(http.server.BaseHTTPRequestHandler):
    def handle_request(self):
        length = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(length)) if length else None
        with one_at_a_time:
            try:
                self.check()
                self.tell(200, answer(self.command, urllib.parse.urlsplit(self.path), body))
            except Refused as refused:
                self.tell(refused.status, refused.document)

    do_GET = do_POST = do_PUT = do_DELETE = handle_request

    def check(self):
        if self.headers["authorization"] != f"Bearer {TOKEN}":
            raise Refused(401, "unauthorized", "this token is nobody's")
        if next(requests) % 20 == 0:
            raise Refused(429, "rate", "one request too many")

    def tell(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        if status == 429:
            self.send_header("retry-after", "1")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
