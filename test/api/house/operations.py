"""The operations of docs/openapi.yaml as something to call: generated, so that a new operation is attacked and tried
out as soon as it is described."""

from .client import expect

WRITES = ("post", "patch", "put", "delete")


class Operation:
    def __init__(self, contract, method, path, node):
        self.contract, self.method, self.path, self.node = contract, method.upper(), path, node
        self.name = node["operationId"]
        self.parameters = [contract.resolve(parameter) for parameter in node.get("parameters", [])]

    def __repr__(self):
        return self.name

    def parameters_in(self, place):
        return [parameter for parameter in self.parameters if parameter["in"] == place]

    def takes(self, name):
        """Whether it has a header or parameter of that name."""
        return any(parameter["name"] == name for parameter in self.parameters)

    @property
    def is_write(self):
        return self.method.lower() in WRITES

    @property
    def is_for_appliances(self):
        return self.path.startswith("/api/agent/")

    @property
    def needs_sign_in(self):
        security = self.node.get("security", self.contract.document.get("security", []))
        return bool(security) and {} not in security

    @property
    def takes_session(self):
        return any("session" in way for way in self.node.get("security", []))

    def body_schema(self):
        body = self.contract.resolve(self.node.get("requestBody", {}))
        return body.get("content", {}).get("application/json", {}).get("schema")

    def body_example(self):
        """A body that the document itself gives; None for operations without one."""
        media = self.contract.resolve(self.node.get("requestBody", {})).get("content", {}).get("application/json")
        if media is None:
            return None
        if "examples" in media:
            return next(iter(media["examples"].values()))["value"]
        return media.get("example", {})

    def address(self, name="00000000-0000-4000-8000-000000000000"):
        return self.path.replace("{id}", name)


def all_operations(contract):
    return [Operation(contract, method, path, node) for (method, path), (_, node) in contract.operations.items()]


def own_names(contract, caller, operation):
    """What the caller owns that the {id} of `operation` could be: ids, and other names that stand for them."""
    collection = operation.path[:operation.path.index("/{id}")]
    assert ("get", collection) in contract.operations, f"{operation} names something that no list shows"
    page = expect(200, caller.get(collection)).json()
    rows = next(value for value in page.values() if isinstance(value, list))
    assert rows, f"{collection} is empty: the test lacks something to name"
    return [rows[0][member] for member in ("id", "rule_id") if member in rows[0]]
