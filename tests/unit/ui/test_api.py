"""The public events, asked as programs ask them: over HTTP and with gradio_client."""

import json

import cv2
import httpx
import numpy as np
import pytest

from pneumo.imaging.phantom import phantom
from pneumo.models.checkpoint import available_models
from pneumo.reading.reader import Reader
from pneumo.ui.layout import build_demo, launch_arguments


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
    arguments = launch_arguments() | {"server_name": "127.0.0.1"}
    patch = pytest.MonkeyPatch()
    patch.setenv("NO_PROXY", "127.0.0.1,localhost")
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, **arguments)
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        yield client
    demo.close()
    patch.undo()


@pytest.fixture(scope="module")
def film() -> bytes:
    return cv2.imencode(".png", phantom(1, 256, "right")[0])[1].tobytes()


def ask(client, name: str, *values):
    reply = client.post(f"/gradio_api/run/{name}", json={"data": list(values)})
    return reply.status_code, reply.json()


def upload(client, content: bytes) -> dict:
    reply = client.post("/gradio_api/upload", files={"files": ("film.png", content)})
    return {"path": reply.json()[0], "meta": {"_type": "gradio.FileData"}}


def test_predict_gives_the_record_of_the_reader(client, film, uploads):
    model = available_models()[0]
    status, reply = ask(client, "predict", upload(client, film), model, None, False, False)
    assert status == 200
    record = reply["data"][0]
    expected = Reader(model, guard=False).read(film).record()
    for name in ("status", "label", "threshold", "operating_point", "weights_sha256", "model",
                 "uncertain"):
        assert record[name] == expected[name]
    assert record["probability"] == pytest.approx(expected["probability"], abs=1e-6)
    assert "heat" not in record
    assert [path for path in uploads.rglob("*") if path.is_file() and path.stat().st_size] == []


def test_heat_and_threshold_on_demand(client, film):
    model = available_models()[0]
    _, reply = ask(client, "predict", upload(client, film), model, 0.0, False, True)
    record = reply["data"][0]
    expected = Reader(model, threshold=0.0, guard=False).read(film)
    assert record["label"] == expected.label != "NORMAL" and record["operating_point"] == "own"
    heat = expected.heat
    assert np.shape(record["heat"]) == heat.shape
    assert np.allclose(record["heat"], heat, rtol=1e-4, atol=1e-4)
    json.dumps(record)


def test_a_bad_film_is_a_record_that_says_why(client):
    model = available_models()[0]
    _, reply = ask(client, "predict", upload(client, b"no film"), model, None, True, False)
    record = reply["data"][0]
    assert record["status"] == "error" and record["reason"].endswith(".")
    assert record["probability"] is None


@pytest.mark.parametrize(("model", "threshold"), [("nobody", None), (None, 7.0)])
def test_wrong_use_is_a_sentence(client, film, model, threshold):
    model = model or available_models()[0]
    status, reply = ask(client, "predict", upload(client, film), model, threshold, False, False)
    assert status == 500 and reply["error"].endswith(".")


def test_models_are_listed(client):
    _, reply = ask(client, "models")
    assert [model["name"] for model in reply["data"][0]] == list(available_models())


def test_every_public_event_is_named_typed_and_described(client):
    info = client.get("/gradio_api/info").json()["named_endpoints"]
    assert set(info) == {"/predict", "/models"}
    for event in info.values():
        assert event["description"]
        assert all(p["label"] and p["python_type"] for p in event["parameters"])
        assert all(r["label"] for r in event["returns"])
