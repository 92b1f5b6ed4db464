"""A FastCGI client that can also misbehave (FastCGI specification 1.0, section 3.3)."""
import socket
import struct

BEGIN, END, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6


def record(kind, content=b""):
    return struct.pack(">BBHHBx", 1, kind, 1, len(content), 0) + content


def records(kind, content):
    """The content in as many records as it takes, and the empty one that ends it."""
    pieces = [content[i:i + 60000] for i in range(0, len(content), 60000)]
    return b"".join(record(kind, piece) for piece in pieces) + record(kind)


def pair(name, value):
    def length(n):
        return bytes([n]) if n < 128 else struct.pack(">I", n | 0x80000000)
    name, value = name.encode(), value.encode()
    return length(len(name)) + length(len(value)) + name + value


def request(method, path, body=b"", keep=True, **params):
    """All bytes of one request."""
    params = {"REQUEST_METHOD": method, "DOCUMENT_URI": path, "QUERY_STRING": "",
              "CONTENT_LENGTH": str(len(body)) if body else "", **params}
    begin = record(BEGIN, struct.pack(">HB5x", 1, 1 if keep else 0))
    return begin + records(PARAMS, b"".join(pair(*p) for p in params.items())) + records(STDIN, body)


class Connection:
    def __init__(self, path, timeout=20):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))

    def send(self, data):
        self.socket.sendall(data)

    def read(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise EOFError("the server closed the connection")
            data += piece
        return data

    def answer(self):
        """Status, headers and body of the next answer."""
        out = b""
        while True:
            _, kind, _, length, padding = struct.unpack(">BBHHBx", self.read(8))
            content = self.read(length + padding)[:length]
            if kind == STDOUT:
                out += content
            elif kind == END:
                break
        head, _, body = out.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        return int(headers["Status"].split()[0]), headers, body

    def ask(self, *args, **kwargs):
        self.send(request(*args, **kwargs))
        return self.answer()

    def is_closed(self):
        """Waits until the server says or closes something; true when it closed."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.socket.close()
