"""Somebody who sits between agents and the server, and may change or replay what the server says."""

import contextlib
import http.client
import http.server
import json
import threading
from urllib.parse import urlsplit

PULL = "/api/agent/sync/promoted-rules"
PASSED_ON = ("Authorization", "Content-Type", "If-None-Match", "X-Site-ID")


class Said:
    """An answer of the server to a pull."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def with_body(self, body):
        return Said(self.status, self.headers, body if isinstance(body, bytes) else json.dumps(body).encode())


class Between:
    """Passes everything on; what `forge` (of an answer to a pull) gives back is sent in its place."""

    def __init__(self, upstream):
        self.upstream, self.pulled, self.asked, self.forge = urlsplit(upstream), [], [], None
        middle = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                middle.pass_on(self)

            do_POST = do_GET

            def log_message(self, *_arguments):
                pass

        self.listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.listener.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.listener.server_port}"
        self.thread = threading.Thread(target=self.listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def stop(self):
        self.listener.shutdown()
        self.listener.server_close()
        self.thread.join()

    def pass_on(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        said = self.ask(request.command, request.path, body, request.headers)
        if request.path.startswith(PULL):
            self.asked.append((request.path, request.headers.get("If-None-Match")))
            self.pulled.append(said)
            said = self.forge(said) if self.forge else said
        request.send_response(said.status)
        for name in ("Content-Type", "ETag", "Cache-Control"):
            if said.headers.get(name):
                request.send_header(name, said.headers[name])
        if said.status != 304:
            request.send_header("Content-Length", str(len(said.body)))
        request.end_headers()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            request.wfile.write(b"" if said.status == 304 else said.body)

    def ask(self, method, path, body, headers):
        connection = http.client.HTTPConnection(self.upstream.hostname, self.upstream.port, timeout=30)
        sent = {name: headers[name] for name in PASSED_ON if headers.get(name)}
        connection.request(method, path, body=body or None, headers=sent)
        answer = connection.getresponse()
        said = Said(answer.status, dict(answer.headers), answer.read())
        connection.close()
        return said

    def replay(self, said):
        """From now on every pull is answered with this."""
        self.forge = lambda _real: said

    def be_honest(self):
        self.forge = None
