"""A provider in Python: badges that an API keeps, and a function.

`build.py` makes the component. All that it needs of the host is in `wit_world.imports`.
"""

import json
from typing import Optional

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports import http
from wit_world.imports.types import (
    Deletion_Done,
    Deletion_Failed,
    Diagnostic,
    Failure,
    Object,
    Outcome_Done,
    Outcome_Failed,
    Planned,
    Refusal_Failed,
    Severity,
    Step_Attribute,
)

COLORS = ["blue", "gray", "green", "red"]


def attribute(description: str, **more) -> dict:
    return {"type": "string", "description": description} | more


SCHEMA = {
    "provider": {"attributes": {"url": attribute("Where the API is", required=True)}},
    "managed": {
        "badges_badge": {
            "attributes": {
                "text": attribute("What it says; another text makes another badge", required=True, **{"force-new": True}),
                "color": attribute("One of " + ", ".join(COLORS) + "; gray unless said"),
                "id": attribute("", computed=True, **{"read-only": True, "never-null": True}),
            }
        }
    },
    "functions": {
        "initials": {
            "parameters": [{"name": "words", "type": "string", "description": "Any"}],
            "returns": "string",
        }
    },
}


def error(summary: str, attribute: Optional[str] = None, detail: str = "") -> Diagnostic:
    path = [Step_Attribute(attribute)] if attribute else []
    return Diagnostic(Severity.ERROR, summary, detail, path)


def is_known(value) -> bool:
    return not (isinstance(value, dict) and "$unknown" in value)


def wrong(config: dict) -> list[Diagnostic]:
    said = []
    if config["text"] == "":
        said.append(error("a badge says something", "text"))
    color = config["color"]
    if color is not None and is_known(color) and color not in COLORS:
        said.append(error(f"`{color}` is no color of badges", "color", "there are " + ", ".join(COLORS)))
    return said


class Describe(exports.Describe):
    def schema(self) -> str:
        return json.dumps(SCHEMA)


class Predict(exports.Predict):
    """Pure: nothing is reached from here."""

    def validate(self, requests):
        return [wrong(json.loads(request.config)) for request in requests]

    def plan(self, requests):
        return [Ok(self.planned(request)) for request in requests]

    def planned(self, request) -> Planned:
        value, replace = json.loads(request.proposed), []
        prior = json.loads(request.prior.value) if request.prior else None
        if prior is None or value["text"] != prior["text"]:
            value["id"] = {"$unknown": {}}
            replace = [[Step_Attribute("text")]] if prior else []
        return Planned(json.dumps(value), replace, b"")

    def upgrade(self, type_name, version, stored):
        return stored

    def adopt(self, type_name, source):
        raise Err([error("nothing else can become a badge")])

    def call(self, function, arguments):
        words = json.loads(arguments)["words"].split()
        if not words:
            raise Err([error("there is no word in it", "words")])
        return json.dumps("".join(word[0].upper() for word in words))


class Api:
    """The API, as the provider block says."""

    url = ""

    def send(self, method: str, path: str, body: Optional[dict] = None):
        content = None if body is None else json.dumps(body).encode()
        request = http.Request(method, self.url + path, [("content-type", "application/json")], content, None)
        # What the host refuses is raised as an `Err` of a fault.
        response = http.send(request)
        if response.status == 404:
            return None
        if response.status >= 300:
            raise Refused(f"the API answered {response.status}")
        return json.loads(response.body) if response.body else {}


class Refused(Exception):
    """The API said no."""


API = Api()


def asked(question):
    """What `question` comes to, or why it comes to nothing."""
    try:
        return question(), None
    except Refused as refused:
        return None, [error(str(refused))]
    except Err as fault:
        return None, [error(fault.value.message)]


def seen(config: dict, item: dict) -> Object:
    """As asked for, with what the API adds. A color that nobody asked for is no difference."""
    color = config["color"] if config["color"] is None and item["color"] == "gray" else item["color"]
    return Object(json.dumps({"text": item["text"], "color": color, "id": item["id"]}), b"")


def with_tag(intent: str, config: dict) -> Optional[Object]:
    found = API.send("GET", f"/items?tag={intent}")
    return seen(config, found[0]) if found else None


class Look(exports.Look):
    """Changes nothing."""

    def configure(self, config):
        API.url = json.loads(config)["url"]
        return []

    def discover(self, type_name, config):
        raise Err([error("there are no machines here")])

    def read(self, type_name, objects):
        answers = [asked(lambda object=object: self.look(json.loads(object.value))) for object in objects]
        return [Err(Refusal_Failed(said)) if said else Ok(answer) for answer, said in answers]

    def look(self, value: dict) -> Optional[Object]:
        item = API.send("GET", "/items/" + value["id"])
        return seen(value, item) if item else None

    def probe(self, type_name, intents):
        answers = [asked(lambda intent=intent: with_tag(intent.id, json.loads(intent.config))) for intent in intents]
        return [Err(said) if said else Ok(answer) for answer, said in answers]

    def read_data(self, type_name, config):
        raise Err(Refusal_Failed([error("there are no data sources here")]))

    def import_(self, type_name, id, config):
        answer, said = asked(lambda: self.look(json.loads(config) | {"id": id}))
        if said or answer is None:
            raise Err(said or [error(f"there is no badge `{id}`")])
        return answer


class Lend(exports.Lend):
    """Nothing here is ephemeral."""

    def open(self, type_name, config):
        raise Err(Refusal_Failed([error("nothing here is ephemeral")]))

    def renew(self, type_name, private):
        raise Err([error("nothing here is ephemeral")])

    def close(self, type_name, private):
        return []


class Operate(exports.Operate):
    """Changes the world."""

    def create(self, type_name, requests):
        return [self.made(request) for request in requests]

    def made(self, request):
        config = json.loads(request.config)

        def make() -> Object:
            there = with_tag(request.intent, config)
            if there:
                return there
            body = {"text": config["text"], "color": config["color"] or "gray", "tag": request.intent}
            return seen(config, API.send("POST", "/items", body))

        answer, said = asked(make)
        return Outcome_Failed(Failure(said, None)) if said else Outcome_Done(answer)

    def update(self, type_name, request):
        config, id = json.loads(request.config), json.loads(request.prior.value)["id"]
        answer, said = asked(lambda: API.send("PUT", f"/items/{id}", {"color": config["color"] or "gray"}))
        return Outcome_Failed(Failure(said, None)) if said else Outcome_Done(seen(config, answer))

    def delete(self, type_name, object):
        id = json.loads(object.value)["id"]
        _, said = asked(lambda: API.send("DELETE", f"/items/{id}"))
        return Deletion_Failed(said) if said else Deletion_Done()
