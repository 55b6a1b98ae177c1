"""The public events, asked as programs ask them: over HTTP and with gradio_client."""

import json

import cv2
import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file

from pneumo.imaging.phantom import phantom
from pneumo.models.checkpoint import available_models
from pneumo.reading.reader import Reader
from pneumo.ui.layout import build_demo, launch


@pytest.fixture(scope="module")
def uploads(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("uploads")
    patch.setenv("GRADIO_TEMP_DIR", str(folder))
    yield folder
    patch.undo()


@pytest.fixture(scope="module")
def client(networks, uploads, tmp_path_factory):
    demo = build_demo(tmp_path_factory.mktemp("no-examples"))
    patch = pytest.MonkeyPatch()
    patch.setenv("NO_PROXY", "127.0.0.1,localhost")
    launch(demo, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    with httpx.Client(base_url=demo.local_url, timeout=60, trust_env=False) as client:
        client.demo = demo
        yield client
    demo.close()
    patch.undo()


@pytest.fixture(scope="module")
def image() -> bytes:
    return cv2.imencode(".png", phantom(1, 256, "right")[0])[1].tobytes()


@pytest.fixture
def model(networks) -> str:
    return available_models()[0]


def ask(client, name: str, *values):
    reply = client.post(f"/gradio_api/run/{name}", json={"data": list(values)})
    return reply.status_code, reply.json()


def upload(client, content: bytes) -> dict:
    reply = client.post("/gradio_api/upload", files={"files": ("image.png", content)})
    return {"path": reply.json()[0], "meta": {"_type": "gradio.FileData"}}


def test_predict_gives_the_record_of_the_reader(client, image, uploads, model):
    status, reply = ask(client, "predict", upload(client, image), model, None, False, False)
    assert status == 200
    record = reply["data"][0]
    expected = Reader(model, input_check=False).predict(image).record()
    assert record.keys() == expected.keys()
    for name in ("status", "label", "operating_point", "weights_sha256", "model"):
        assert record[name] == expected[name]
    for name in ("probability", "threshold", "rule_out", "rule_in", "prevalence"):
        assert record[name] == pytest.approx(expected[name], abs=1e-5)
    assert [path for path in uploads.rglob("*") if path.is_file() and path.stat().st_size] == []


def test_evidence_and_a_threshold_on_demand(client, image, model):
    _, reply = ask(client, "predict", upload(client, image), model, 0.0, False, True)
    record = reply["data"][0]
    assert record["label"] == "PNEUMONIA" and record["operating_point"] == "custom"
    expected = Reader(model, input_check=False).predict(image).evidence
    assert np.allclose(record["evidence"], expected, rtol=1e-4, atol=1e-4)
    assert record["heat"] == record["evidence"]
    json.dumps(record)


def test_policy_and_prevalence_are_optional_arguments(client, image, model):
    def asked(*more) -> dict:
        values = (upload(client, image), model, None, False, False, *more)
        status, reply = ask(client, "predict", *values)
        assert status == 200, reply
        return reply["data"][0]

    assert asked("decisive")["uncertain"] is None
    assert asked("cautious", 0.2)["prevalence"] == 0.2
    custom = asked([0.1, 0.9], 0.5)
    assert (custom["rule_out"], custom["rule_in"]) == (0.1, 0.9)


def test_a_bad_image_is_a_record_that_says_why(client, model):
    _, reply = ask(client, "predict", upload(client, b"no image"), model, None, True, False)
    record = reply["data"][0]
    assert record["status"] == "error" and record["reason"].endswith(".")
    assert record["probability"] is None


@pytest.mark.parametrize(
    "changes",
    [{0: None}, {0: "gone"}, {1: "nobody"}, {1: None}, {1: "\ud800"}, {2: 7.0}, {2: "half"},
     {5: "nobody"}, {5: [0.9, 0.1]}, {5: [0.1]}, {6: 0}, {6: 1}, {6: "x"}, {6: 50}],
)  # fmt: skip
def test_wrong_use_is_422_and_a_sentence(client, image, model, changes):
    values = [upload(client, image), model, None, False, False, "balanced", None]
    for place, value in changes.items():
        values[place] = value
    body = json.dumps({"data": values})
    reply = client.post(
        "/gradio_api/run/predict", content=body, headers={"content-type": "application/json"}
    )
    assert reply.status_code == 422 and reply.json()["error"].endswith(".")


def test_models_are_listed(client):
    _, reply = ask(client, "models")
    assert [model["name"] for model in reply["data"][0]] == list(available_models())
    assert set(reply["data"][0][0]["policies"]) == {"cautious", "balanced", "decisive"}


def test_every_public_event_is_named_typed_and_described(client):
    info = client.get("/gradio_api/info").json()["named_endpoints"]
    assert set(info) == {"/predict", "/models"}
    for event in info.values():
        assert event["description"]
        assert all(p["label"] and p["python_type"] for p in event["parameters"])
        assert all(r["label"] for r in event["returns"])
    example = info["/predict"]["parameters"][0]["example_input"]
    assert "radiograph" in json.dumps(example)


def test_gradio_client_and_the_queue_answer_too(client, image, tmp_path, model):
    path = tmp_path / "image.png"
    path.write_bytes(image)
    program = Client(client.demo.local_url, verbose=False, analytics_enabled=False)
    record = program.predict(handle_file(path), model, None, False, False, api_name="/predict")
    assert record["status"] == "ok"
    program.close()
    values = [upload(client, image), model, None, False, False]
    event = client.post("/gradio_api/call/predict", json={"data": values}).json()["event_id"]
    said = client.get(f"/gradio_api/call/predict/{event}").text
    assert said.startswith("event: complete") and '"status": "ok"' in said


def test_health_says_whether_the_networks_are_loaded(client):
    client.demo.store.ready.clear()
    reply = client.get("/health")
    assert (reply.status_code, reply.json()) == (503, {"status": "loading"})
    client.demo.store.warm_up()
    reply = client.get("/health")
    assert (reply.status_code, reply.json()) == (200, {"status": "ready"})
