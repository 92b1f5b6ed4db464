"""A kept connection for a load: plain, or with TLS to where FLYWHEEL_CONNECT says (ADDRESS:PORT), trusting FLYWHEEL_CA."""
import http.client
import os
import socket
import ssl
import urllib.parse


class Tls(http.client.HTTPConnection):
    """Connects to an address, but speaks to a name."""

    def connect(self):
        address, _, port = os.environ["FLYWHEEL_CONNECT"].rpartition(":")
        context = ssl.create_default_context(cafile=os.environ["FLYWHEEL_CA"])
        plain = socket.create_connection((address, int(port)), timeout=self.timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = context.wrap_socket(plain, server_hostname=self.host)


def to(url):
    """(connection, path) for a URL."""
    parts = urllib.parse.urlsplit(url)
    made = Tls if parts.scheme == "https" else http.client.HTTPConnection
    return made(parts.hostname, parts.port, timeout=20), parts.path
