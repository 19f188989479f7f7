"""An OpenAPI document as people read it: chapters of operations, each with its fields, its answer and its refusals."""

from dataclasses import dataclass, field

from django.utils.text import slugify

from partyline.documentation import calls, examples

# No shape nests deeper; a shape that held itself would end here.
DEEPEST = 8
# A choice among more is told by the first few.
CHOICES, FEW = 12, 3
SENT_ONCE = "idempotency_key"
TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "yes or no",
    "object": "object",
}
FORMATS = {"uuid": "id", "date-time": "moment", "date": "date", "uri": "address", "binary": "bytes"}
# How the limits of a number are told.
LIMITS = {
    "minimum": "from {}",
    "maximum": "to {}",
}


def told_in_short(choices):
    if len(choices) <= CHOICES:
        return ", ".join(choices)
    return f"{', '.join(choices[:FEW])} and {len(choices) - FEW} more"


@dataclass(frozen=True)
class Value:
    """A parameter, or a field of a body: `kind` is what it is, `words` what it is for and what holds."""

    name: str
    kind: str
    words: str
    is_required: bool


@dataclass
class Operation:
    id: str
    method: str
    path: str
    title: str
    words: list
    scope: str
    is_deprecated: bool
    parameters: list = field(default_factory=list)
    body: list = field(default_factory=list)
    answer: list = field(default_factory=list)
    # Of success: its status, and JSON of an answer ("" where there is none).
    status: str = ""
    answered: str = ""
    refusals: list = field(default_factory=list)
    samples: list = field(default_factory=list)

    @property
    def anchor(self):
        return self.id.replace("_", "-")


@dataclass
class Chapter:
    title: str
    operations: list = field(default_factory=list)

    @property
    def slug(self):
        return slugify(self.title)


def chapters(document, *, base, scopes=None):
    """Those of the tags of the document, in its order. `scopes` is what a key needs, by the operation's id."""
    found, shapes = {}, Shapes(document)
    for path, operations in document["paths"].items():
        for method, told in operations.items():
            title = (told.get("tags") or ["Other"])[0]
            chapter = found.setdefault(title, Chapter(title))
            chapter.operations.append(operation(shapes, base, scopes or {}, path, method, told))
    return list(found.values())


def operation(shapes, base, scopes, path, method, told):
    body = shapes.of_content(told.get("requestBody"))
    status, success = next(
        ((str(status), answer) for status, answer in told["responses"].items() if str(status) < "300"),
        ("", None),
    )
    answer = shapes.of_content(success)
    parameters = told.get("parameters", [])
    read = Operation(
        id=told["operationId"],
        method=method.upper(),
        path=path,
        title=told.get("summary", told["operationId"]).capitalize(),
        words=told.get("description", "").split("\n\n"),
        scope=scopes.get(told["operationId"], ""),
        is_deprecated=told.get("deprecated", False),
        parameters=[parameter(shapes, one) for one in parameters],
        body=list(shapes.values(body)),
        answer=list(shapes.values(answer)),
        status=status,
        answered=examples.as_json(shapes.example(answer)) if answer else "",
        refusals=[str(status) for status in told["responses"] if str(status) >= "400"],
    )
    names = [one["name"] for one in parameters if one["in"] == "path"]
    query = {
        one["name"]: shapes.example(one["schema"], one["name"])
        for one in parameters
        if one["in"] == "query" and one.get("required")
    }
    said = shapes.example(body, is_asked=True) if body else None
    read.samples = calls.samples(base, read, names, query, said)
    return read


def parameter(shapes, told):
    schema = told["schema"]
    words = " ".join(
        filter(None, [told.get("description") or schema.get("description"), shapes.limits(schema)])
    )
    where = {"path": "in the path", "query": "in the query", "header": "header"}[told["in"]]
    return Value(told["name"], f"{shapes.kind(schema)}, {where}", words, told.get("required", False))


def told_of(schema):
    """The limits of one schema, each in a few words."""
    for least, most, things in (("minLength", "maxLength", " letters"), ("minItems", "maxItems", "")):
        low, high = schema.get(least), schema.get(most)
        if low and low == high:
            yield f"exactly {low}{things}"
            continue
        if low:
            yield "not empty" if low == 1 else f"at least {low}{things}"
        if high:
            yield f"at most {high}{things}"
    yield from (words.format(schema[name]) for name, words in LIMITS.items() if name in schema)


class Shapes:
    """The schemas of a document, with their references followed."""

    def __init__(self, document):
        self.named = document.get("components", {}).get("schemas", {})

    def of_content(self, told):
        """The schema of the JSON of a request body or an answer; None where there is none."""
        content = (told or {}).get("content", {})
        return next((kind.get("schema") for kind in content.values()), None)

    def follow(self, schema):
        while "$ref" in (schema or {}):
            schema = self.named[schema["$ref"].rpartition("/")[2]] | {
                k: v for k, v in schema.items() if k != "$ref"
            }
        if len(schema.get("allOf", [])) == 1:
            return self.follow(schema["allOf"][0] | {k: v for k, v in schema.items() if k != "allOf"})
        return schema

    def choices(self, schema):
        """What a value may be one of, but null; the schema itself where there is no choice."""
        schema = self.follow(schema)
        either = schema.get("anyOf") or schema.get("oneOf")
        if not either:
            return [schema]
        return [choice for one in either if one.get("type") != "null" for choice in self.choices(one)]

    def may_be_null(self, schema):
        schema = self.follow(schema)
        return any(one.get("type") == "null" for one in schema.get("anyOf") or schema.get("oneOf") or [])

    def kind(self, schema):
        kinds = list(dict.fromkeys(self.kind_of_one(one) for one in self.choices(schema)))
        return " or ".join(kinds + (["null"] if self.may_be_null(schema) else []))

    def kind_of_one(self, schema):
        if "const" in schema:
            return f"“{schema['const']}”"
        if "enum" in schema:
            return told_in_short([str(one) for one in schema["enum"]])
        if schema.get("type") == "array":
            return f"list of {self.kind(schema['items'])}" if schema.get("items") else "list"
        if schema.get("type") == "object" and schema.get("properties"):
            return schema.get("title", "object")
        return FORMATS.get(schema.get("format")) or TYPES.get(schema.get("type"), "anything")

    def limits(self, schema):
        """What holds for a value, in words."""
        said = []
        for one in (self.follow(schema), *self.choices(schema)):
            said += told_of(one)
            if "pattern" in one:
                said.append(f"like {one['pattern']}")
            if one.get("default") not in (None, "", [], {}):
                said.append(f"{one['default']} where it is left out")
        said = list(dict.fromkeys(said))
        return ", ".join(said)[:1].upper() + ", ".join(said)[1:] + ("." if said else "")

    def values(self, schema, prefix="", deep=0):
        """A Value for each field, those of the fields in it behind it."""
        if schema is None or deep > DEEPEST:
            return
        for one in self.choices(schema):
            required = one.get("required", [])
            for name, inner in one.get("properties", {}).items():
                words = self.follow(inner).get("description", "")
                yield Value(
                    f"{prefix}{name}",
                    self.kind(inner),
                    " ".join(filter(None, [words, self.limits(inner)])),
                    name in required,
                )
                yield from self.inside(inner, f"{prefix}{name}", deep + 1)

    def inside(self, schema, name, deep):
        seen = set()
        for one in self.choices(schema):
            if one.get("type") == "array" and one.get("items"):
                yield from self.once(seen, self.values(one["items"], f"{name}[].", deep))
            elif one.get("properties"):
                yield from self.once(seen, self.values(one, f"{name}.", deep))

    def once(self, seen, values):
        """Without what several choices have alike."""
        for value in values:
            if value not in seen:
                seen.add(value)
                yield value

    def asked(self, schema):
        """The fields that a request says: those that it has to, or the first, and the key by which it is sent once."""
        fields = schema["properties"]
        names = [name for name in fields if name in schema.get("required", ())] or list(fields)[:1]
        return [*names, *(name for name in fields if name == SENT_ONCE and name not in names)]

    def example(self, schema, name="", *, is_asked=False, deep=0):
        """A value as it may be; with `is_asked` as short as it may be asked for."""
        one = self.choices(schema)[0]
        if deep >= DEEPEST:
            return examples.value(one, name)
        if fields := one.get("properties"):
            names = self.asked(one) if is_asked else fields
            return {n: self.example(fields[n], n, is_asked=is_asked, deep=deep + 1) for n in names}
        if one.get("type") == "array" and one.get("items"):
            inner = self.example(one["items"], name, is_asked=is_asked, deep=deep + 1)
            return [examples.another(inner, number) for number in range(one.get("minItems") or 1)]
        return examples.value(one, name)
