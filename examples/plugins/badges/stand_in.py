"""What stands for the API while the provider is tried. Prints where it listens, and forgets everything at its end."""

import http.server
import json

items = {}


class Api(http.server.BaseHTTPRequestHandler):
    def answer(self, status, document=None):
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        return json.loads(self.rfile.read(int(self.headers["content-length"])))

    def do_GET(self):
        path, _, tag = self.path.partition("?tag=")
        if path == "/items":
            self.answer(200, [item for item in items.values() if item["tag"] == tag])
        elif path in items:
            self.answer(200, items[path])
        else:
            self.answer(404)

    def do_POST(self):
        number = str(len(items) + 1)
        item = items[f"/items/{number}"] = self.body() | {"id": number}
        self.answer(200, item)

    def do_PUT(self):
        if self.path not in items:
            return self.answer(404)
        items[self.path] |= self.body()
        self.answer(200, items[self.path])

    def do_DELETE(self):
        self.answer(200 if items.pop(self.path, None) else 404)

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
