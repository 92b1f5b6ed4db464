"""Values for Hypothesis out of the document's schemas: such as fit, and such as almost fit."""

import string
from datetime import datetime

from hypothesis import strategies as st

# Text that nothing trims or refuses: no control characters, no white space, no halves of pairs.
LETTERS = st.characters(blacklist_categories=("Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Cn", "Co"), max_codepoint=0x1FFFF)
ANY_TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=40)
SCALARS = st.none() | st.booleans() | st.integers(-2**70, 2**70) | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT
WILD = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
                    max_leaves=12)

ADDRESSES = st.text(string.ascii_lowercase, min_size=1, max_size=30).map(lambda name: name + "@example.com")
MOMENTS = st.datetimes().map(lambda moment: moment.isoformat() + "Z")
CREDIBLE_MOMENTS = st.tuples(st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)), st.sampled_from(["Z", "+00:00", "-07:00"])).map(
    lambda drawn: drawn[0].isoformat() + drawn[1])


class Schemas:
    def __init__(self, contract):
        self.contract = contract

    def fitting(self, schema):
        schema = self.contract.resolve(schema)
        if "const" in schema:
            return st.just(schema["const"])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        for word in ("oneOf", "anyOf"):
            if word in schema and "properties" not in schema:
                return st.one_of([self.fitting(choice) for choice in schema[word]])
        types = schema.get("type", [])
        types = types if isinstance(types, list) else [types]
        return st.one_of([self.of_type(kind, schema) for kind in types]) if types else WILD

    def of_type(self, kind, schema):
        if kind == "null":
            return st.none()
        if kind == "boolean":
            return st.booleans()
        if kind == "integer":
            return st.integers(schema.get("minimum", -2**31), schema.get("maximum", 2**31))
        if kind == "number":
            return st.floats(schema.get("minimum", -1e9), schema.get("maximum", 1e9), allow_nan=False)
        if kind == "string":
            return self.text(schema)
        if kind == "array":
            return st.lists(self.fitting(schema.get("items", {})), min_size=schema.get("minItems", 0),
                            max_size=min(schema.get("maxItems", 4), 4), unique_by=repr)
        return self.members(schema)

    @staticmethod
    def text(schema):
        if "pattern" in schema:
            return st.from_regex(schema["pattern"], fullmatch=True)
        if schema.get("format") == "uuid":
            return st.uuids().map(str)
        if schema.get("format") == "date-time":
            return CREDIBLE_MOMENTS
        longest = min(schema.get("maxLength", 60), 300)
        return st.text(LETTERS, min_size=schema.get("minLength", 0), max_size=max(longest, schema.get("minLength", 0)))

    def member(self, name, schema):
        """Some texts have a form that their schema does not tell: one in two is of it."""
        known = {"email": ADDRESSES, "last_seen": MOMENTS, "completed_at": MOMENTS, "started_at": MOMENTS}
        return self.fitting(schema) | known[name] if name in known else self.fitting(schema)

    def members(self, schema):
        children = {name: self.member(name, child) for name, child in schema.get("properties", {}).items()}
        needed = {name: children[name] for name in schema.get("required", [])}
        others = {name: child for name, child in children.items() if name not in needed}
        whole = st.fixed_dictionaries(needed, optional=others)
        if "oneOf" in schema:  # one of some members
            groups = [choice["required"] for choice in schema["oneOf"]]
            every = {name for group in groups for name in group}
            return st.tuples(whole, st.sampled_from(groups)).flatmap(lambda drawn: st.fixed_dictionaries(
                {**{name: st.just(value) for name, value in drawn[0].items() if name not in every},
                 **{name: self.fitting(schema["properties"][name]) for name in drawn[1]}}))
        return whole

    def almost(self, schema):
        """A fitting value with one thing wrong with it, or something else altogether."""
        schema = self.contract.resolve(schema)
        if schema.get("type") != "object":
            return WILD
        return st.one_of(self.members(schema).flatmap(lambda value: self.spoil(schema, value)), WILD)

    def spoil(self, schema, value):
        ways = [st.tuples(ANY_TEXT, WILD).map(lambda extra: {**value, extra[0]: extra[1]})]
        for name in value:
            ways.append(st.just({key: kept for key, kept in value.items() if key != name}))
            ways.append(WILD.map(lambda other, name=name: {**value, name: other}))
            if isinstance(value[name], str):
                longest = self.contract.resolve(schema["properties"][name]).get("maxLength", 2000)
                ways.append(st.sampled_from(["", " ", "\u3000", "\x00", "a\nb", "x" * (longest + 1), "\u202e"]).map(
                    lambda text, name=name: {**value, name: text}))
        return st.one_of(ways)


def around(schema):
    """Texts at and beyond the bounds of a parameter, whatever its type."""
    bounds = [schema[word] + step for word in ("minimum", "maximum") if word in schema for step in (-1, 0, 1)]
    texts = ["", " ", "0", "-0", "00", "1e2", "true", "TRUE", "null", "\u0663", string.ascii_letters * 8]
    return st.sampled_from([str(bound) for bound in bounds] + texts) | ANY_TEXT
