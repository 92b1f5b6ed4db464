"""A request as data: drawn by Hypothesis, sent, checked against the document, and kept as an example when it finds fault."""

import base64
import dataclasses
import hashlib
import json
import os
from pathlib import Path
from urllib.parse import quote

from hypothesis import strategies as st

from house.client import Caller
from house.operations import own_names
from schemas import ANY_TEXT, Schemas, around

REGRESSIONS = Path(__file__).parent / "regressions"
JSON_TYPES = ["application/json", "application/json; charset=utf-8", "Application/JSON"]
OTHER_TYPES = [None, "text/plain", "application/jsonx", "application/json/", "json", "application/xml", ",", "a" * 300]
HEADER_TEXT = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=80)


@dataclasses.dataclass
class Request:
    operation: str
    caller: str = "admin"
    own: int = -1          # which of the caller's own names the {id} is; -1: `name`
    name: str = "x"
    query: list = dataclasses.field(default_factory=list)
    headers: dict = dataclasses.field(default_factory=dict)
    body: str = None       # base64
    fits: bool = False     # the document allows it, so that its form must not be refused

    def save(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=True) + "\n"
        path = folder / f"{self.operation}-{hashlib.sha256(text.encode()).hexdigest()[:8]}.json"
        path.write_text(text, encoding="utf-8")
        return path


def load(path):
    return Request(**json.loads(path.read_text(encoding="utf-8")))


def encoded(value):
    return base64.b64encode(json.dumps(value, ensure_ascii=False).encode()).decode()


def query_of(parameters, values):
    return st.fixed_dictionaries({}, optional={parameter["name"]: values(parameter) for parameter in parameters}).map(
        lambda chosen: [[name, str(value)] for name, value in chosen.items()])


def fitting_requests(contract, operation):
    """What the document allows. A cursor is made by the server only."""
    schemas, schema = Schemas(contract), operation.body_schema()
    parameters = [parameter for parameter in operation.parameters_in("query") if parameter["name"] != "cursor"]
    body = st.none() if schema is None else schemas.fitting(schema).map(encoded)
    return st.builds(
        Request, operation=st.just(operation.name), own=st.just(0), fits=st.just(True), body=body,
        query=query_of(parameters, lambda parameter: schemas.fitting(parameter["schema"]).filter(lambda value: value != "")),
        headers=st.fixed_dictionaries({"Content-Type": st.sampled_from(JSON_TYPES)} if schema is not None else {}))


def bodies(schemas, schema):
    drawn = schemas.almost(schema).map(encoded) | schemas.fitting(schema).map(encoded)
    cut = st.tuples(schemas.fitting(schema).map(encoded), st.integers(0, 200)).map(
        lambda pair: base64.b64encode(base64.b64decode(pair[0])[:pair[1]]).decode())
    return drawn | cut | st.binary(max_size=60).map(lambda data: base64.b64encode(data).decode()) | st.none()


def almost_requests(contract, operation):
    """What the document may or may not allow."""
    schemas, schema = Schemas(contract), operation.body_schema()
    values = lambda parameter: around(contract.resolve(parameter["schema"])) | schemas.fitting(parameter["schema"])  # noqa: E731
    strays = st.integers(0, 9).flatmap(
        lambda number: st.tuples(ANY_TEXT, ANY_TEXT).map(lambda pair: [list(pair)]) if number == 9 else st.just([]))
    headers = {"X-Request-Id": HEADER_TEXT, "If-None-Match": HEADER_TEXT, "Idempotency-Key": HEADER_TEXT, "Accept": HEADER_TEXT}
    media_type = {"Content-Type": st.sampled_from(JSON_TYPES * 20 + OTHER_TYPES)}
    return st.builds(
        Request, operation=st.just(operation.name), caller=st.sampled_from(["admin", "admin", "browser", "appliance", "nobody"]),
        own=st.sampled_from([0, 0, 1, -1]), name=ANY_TEXT.filter(lambda text: text.strip(".") != ""),
        query=st.tuples(query_of(operation.parameters_in("query"), values), strays).map(lambda parts: parts[0] + parts[1]),
        headers=st.fixed_dictionaries(media_type if schema is not None else {}, optional=headers), body=st.none() if schema is None else bodies(schemas, schema))


class Client:
    """Sends requests as one partner."""

    def __init__(self, server, partner, operations):
        self.server, self.operations = server, {operation.name: operation for operation in operations}
        self.callers = {"admin": partner.new_key("read,decide,admin"), "browser": partner.sign_in("admin"),
                        "appliance": partner.main.appliances[0].caller, "nobody": Caller(server)}
        self.spare = [partner.new_key("read"), partner.new_user("viewer")]  # the newest of their lists
        self.names = {operation.name: own_names(server.contract, self.callers["admin"], operation)
                      for operation in operations if "{id}" in operation.path}

    def address(self, operation, request):
        name = request.name
        names = self.names.get(operation.name, [])
        if 0 <= request.own < len(names):
            name = names[request.own]
        path = operation.path.replace("{id}", quote(name, safe=""))
        query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in request.query)
        return path + ("?" + query if query else "")

    def send(self, request):
        """The answer; fails when it is not one that the document and common sense allow."""
        operation = self.operations[request.operation]
        caller = self.callers[who_may(operation) if request.fits else request.caller]
        body = None if request.body is None else base64.b64decode(request.body)
        answer = caller.call(operation.method, self.address(operation, request), raw=body, unchecked=True,
                             headers={"Content-Type": None, **request.headers})
        answer.sent = as_json(body) if answer.status < 300 else None
        caller.check(answer, undocumented=False)
        assert answer.status < 500, answer
        if request.fits:
            refused = answer.status in (400, 415) and not answer["type"].endswith((":contradiction", ":bad-cursor"))
            assert not refused, f"the document allows what is refused: {answer!r}"
        return answer


def who_may(operation):
    if operation.is_for_appliances:
        return "appliance"
    ways = operation.node.get("security", [])
    return "browser" if ways and "session" in ways[0] else "admin"


def as_json(body):
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None


def found_folder():
    """Where requests that found fault are kept until somebody has looked."""
    return Path(os.environ.get("FLYWHEEL_BUILD") or ".") / "properties-found"
