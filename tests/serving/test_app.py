from __future__ import annotations

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from mercer.serving import Settings, build_app
from mercer.serving.middleware.authentication import ASSETS, PUBLIC
from mercer.serving.state import SCOPES
from serving.conftest import NOW


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return build_app(settings)


def calls(app: FastAPI) -> list[tuple[str, str]]:
    """Every (method, path) that the OpenAPI schema names."""
    named = app.openapi()["paths"]
    return [(method.upper(), path) for path, entry in named.items() for method in entry]


def test_whatever_is_not_public_needs_a_key(app: FastAPI) -> None:
    client = TestClient(app)
    closed = [(m, p) for m, p in calls(app) if p not in PUBLIC]
    assert len(closed) >= 12
    for method, path in closed:
        assert client.request(method, path).status_code == 401, path
    assert client.get("/v1/anything-new").status_code == 401


def test_what_is_public_is_what_the_list_says(app: FastAPI) -> None:
    client = TestClient(app)
    for path in PUBLIC:
        assert client.get(path).status_code == 200, path
    for name in ("style.css", "console.js", "search.js", "reference.js", "door.js", "dom.js"):
        assert client.get(f"{ASSETS}{name}").status_code == 200
    assert client.get(f"{ASSETS}../app.py").status_code in (401, 404)


@pytest.mark.parametrize("scope", sorted(SCOPES))
def test_a_key_opens_its_scope_alone(settings: Settings, app: FastAPI, scope: str) -> None:
    key = settings.state.keys.create("one", [scope], time=NOW)
    client = TestClient(app, headers={"X-API-Key": key})
    groups = {
        "answer": ("POST", "/v1/recommend"),
        "events": ("POST", "/v1/events"),
        "items": ("DELETE", "/v1/items/i-01"),
        "consents": ("POST", "/v1/consents"),
        "cases": ("GET", "/v1/cases"),
        "metrics": ("GET", "/metrics"),
    }
    assert groups.keys() == SCOPES.keys()
    for needed, (method, path) in groups.items():
        status = client.request(method, path).status_code
        assert (status == 403) is (needed != scope), path


def test_every_operation_has_a_summary_an_example_and_the_error_body(app: FastAPI) -> None:
    schema = app.openapi()
    for path, entry in schema["paths"].items():
        for method, operation in entry.items():
            assert operation["summary"], path
            assert operation["description"], path
            assert "/Problem" in str(operation["responses"]["422"]), path
            if method in ("post", "put"):
                assert "examples" in str(_bodies(schema, operation)), path
    assert schema["security"] == [{"key": []}]


def _bodies(schema: dict, operation: dict) -> list[dict]:
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    references = [body, *body.get("oneOf", [])]
    return [schema["components"]["schemas"][r["$ref"].split("/")[-1]] for r in references if "$ref" in r]


def test_the_examples_of_the_schema_are_valid(app: FastAPI) -> None:
    from mercer.serving import calls as bodies

    examined = 0
    for name in (
        "RecommendCall",
        "SearchCall",
        "PredictCall",
        "EventIn",
        "ItemIn",
        "ConsentIn",
        "CaseIn",
        "CloseCall",
    ):
        model = getattr(bodies, name)
        for example in model.model_config["json_schema_extra"]["examples"]:
            model.model_validate(example)
            examined += 1
    assert examined >= 8


def test_health_and_readiness(app: FastAPI, settings: Settings) -> None:
    client = TestClient(app)
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready", "release": settings.release.hash}


def test_a_state_that_does_not_answer_makes_it_unready(
    app: FastAPI, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise OSError

    monkeypatch.setattr(settings.state.catalogue, "overlay", broken)
    reply = TestClient(app).get("/readyz")
    assert (reply.status_code, reply.json()["type"]) == (503, "not-ready")
    assert TestClient(app).get("/healthz").status_code == 200


def test_metrics_count_by_route_and_hold_no_ids(client: TestClient) -> None:
    client.post("/v1/recommend", json={"target": "again", "user": "customer-001"})
    client.delete("/v1/items/i-07")
    client.get("/nowhere/customer-001")
    text = client.get("/metrics").text
    assert 'mercer_answers_total{basis="stranger",target="again"} 1.0' in text
    assert 'route="/v1/items/{item}",status="200"' in text
    assert 'route="unmatched",status="404"' in text
    assert "customer-001" not in text
    assert "i-07" not in text


def test_two_apps_live_in_one_process(settings: Settings) -> None:
    assert build_app(settings) is not build_app(settings)


def test_the_release_tells_what_answers_and_why(client: TestClient, settings: Settings) -> None:
    told = client.get("/v1/release").json()
    assert told["release"] == settings.release.hash
    assert [target["target"] for target in told["targets"]] == [
        "next-item",
        "again",
        "find",
        "repurchase",
        "spend",
    ]
    assert [bool(target["parameters"]) for target in told["targets"]] == [True, True, True, False, False]
    assert len(told["samples"]) == 8


def test_pages_load_nothing_from_elsewhere(client: TestClient) -> None:
    scripts = [f"{ASSETS}{name}.js" for name in ("console", "search", "reference", "door", "dom")]
    for path in ("/", "/search", "/docs", "/assets/style.css", *scripts):
        reply = client.get(path)
        assert "https://" not in reply.text
        assert "//cdn" not in reply.text
        assert "default-src 'none'" in reply.headers["content-security-policy"]
