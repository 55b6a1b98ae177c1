"""The public events, asked as programs ask them over HTTP, behind the app's middleware."""

import numpy as np
import pytest
from gradio.routes import App
from starlette.testclient import TestClient

from pneumo.models.checkpoint import available_models
from pneumo.reading.reader import Reader
from pneumo.ui.layout import build_demo, launch_arguments

PUBLIC = "/gradio_api"


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    demo = build_demo(tmp_path_factory.mktemp("no-examples"))
    app = App.create_app(demo, app_kwargs=launch_arguments()["app_kwargs"])
    client = TestClient(app, base_url="http://localhost")
    client.store = demo.store
    return client


@pytest.fixture
def model() -> str:
    return available_models()[0]


@pytest.fixture
def predict(client, model, png):
    """The record that /predict gives for an image and further values."""

    def asked(*values, image: bytes = png) -> dict:
        path = client.post(f"{PUBLIC}/upload", files={"files": ("x", image)}).json()[0]
        call = {"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}, model, *values]}
        reply = client.post(f"{PUBLIC}/run/predict", json=call)
        assert reply.status_code == 200, reply.text
        return reply.json()["data"][0]

    return asked


def test_predict_gives_the_record_of_the_reader(predict, png, model):
    record, expected = predict(None, False), Reader(model, input_check=False).predict(png).record()
    assert record.keys() == expected.keys()
    for name in ("status", "label", "operating_point", "weights_sha256", "model"):
        assert record[name] == expected[name]
    for name in ("probability", "threshold", "rule_out", "rule_in", "prevalence"):
        assert record[name] == pytest.approx(expected[name], abs=1e-5)
    bad = predict(image=b"no image")
    assert bad["status"] == "error" and bad["reason"].endswith(".") and bad["probability"] is None


def test_evidence_thresholds_policy_and_prevalence_on_demand(predict, png, model):
    record = predict(0.0, False, True)
    assert record["label"] == "PNEUMONIA" and record["operating_point"] == "custom"
    expected = Reader(model, input_check=False).predict(png).evidence
    assert np.allclose(record["evidence"], expected, rtol=1e-4, atol=1e-4)
    assert record["heat"] == record["evidence"]
    assert predict(None, False, False, "decisive")["uncertain"] is None
    assert predict(None, False, False, "cautious", 0.2)["prevalence"] == 0.2
    custom = predict(None, False, False, [0.1, 0.9], 0.5)
    assert (custom["rule_out"], custom["rule_in"]) == (0.1, 0.9)


@pytest.mark.parametrize(("headers", "words"), [
    ({}, "Many radiographs"),
    ({"accept-language": "fr, de-DE;q=0.9"}, "Viele Aufnahmen"),
    ({"accept-language": "de", "cookie": "other=1; pneumo-language=en"}, "Many radiographs"),
])  # fmt: skip
def test_configuration_and_errors_speak_the_language_chosen_or_the_browsers(client, headers, words):
    config = client.get("/config", headers=headers).json()
    labels = [one["props"].get("label") for one in config["components"]]
    assert words in labels
    wrong = client.post(f"{PUBLIC}/run/predict", headers=headers, json={"data": ["none", "cnn"]})
    assert wrong.status_code == 422
    assert ("Datei" in wrong.json()["error"]) == (words == "Viele Aufnahmen")


def test_health_says_whether_the_networks_are_loaded(client):
    client.store.ready.clear()
    reply = client.get("/health")
    assert (reply.status_code, reply.json()) == (503, {"status": "loading"})
    client.store.warm_up()
    reply = client.get("/health")
    assert (reply.status_code, reply.json()) == (200, {"status": "ready"})
