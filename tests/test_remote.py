"""A network asked over HTTP says what its own would, and its own answers when nobody is there."""

import http.server
import json
import math
import struct
import threading

import pytest
import torch

import diffusion
from diffusion import remote
from diffusion.denoiser import NetworkDenoiser
from diffusion.guidance import NO_GUIDANCE, Guidance
from diffusion.noise import picture_rng, standard_normal
from diffusion.remote import Networks, RemoteDenoiser, pack, unpack
from ui import resources


class Fake:
    """What the cluster is to the app, in one thread."""

    def __init__(self, folder):
        self.networks, self.asked, self.status = Networks(folder), 0, 200
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                fake.asked += 1
                message = self.rfile.read(int(self.headers["Content-Length"]))
                ((status, body),) = fake.networks.answer([message])
                self.send_response(fake.status if fake.status != 200 else status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def fake(small_models):
    fake = Fake(small_models)
    yield fake
    fake.close()


def both(folder, address, name="dogs"):
    own = diffusion.load_denoiser(name, folder)
    return own, RemoteDenoiser(own, diffusion.read_card(name, folder)["sha256"], address)


def noise(count=1, channels=3, size=16, seed=0):
    return standard_normal(torch.empty(count, channels, size, size), picture_rng(seed))


def test_says_what_its_own_would(fake, small_models):
    own, net = both(small_models, fake.address)
    weak, ranged = Guidance(2.0), Guidance(3.0, 0.2, 6.0)
    for asked in (net, net.asked_for("pug"), *(net.asked_for("pug", guidance=g) for g in (weak, ranged))):
        plain = own.with_labels(asked.labels, asked.guidance)
        assert torch.equal(asked(noise(2), 0.7), plain(noise(2), 0.7))
    assert fake.asked == 4
    alone = net.without_guide().asked_for("pug", guidance=weak)
    assert torch.equal(
        alone(noise(2), 0.7), own.without_guide().asked_for("pug", guidance=weak)(noise(2), 0.7)
    )
    assert not torch.equal(alone(noise(2), 0.7), net.asked_for("pug", guidance=weak)(noise(2), 0.7))
    assert fake.asked == 7


def test_a_walk_is_the_same_walk(fake, small_models):
    own, net = both(small_models, fake.address)
    process = diffusion.Brownian(3.0)
    ends = []
    for one in (own, net):
        *_, last = diffusion.reverse(one, 3 * noise(), process, steps=10, sampler="ddim", grid="rho7")
        ends.append(last.x_s)
    assert torch.equal(*ends)
    assert fake.asked == 10


def test_a_shared_batch_stays_within_the_tolerance(small_models, monkeypatch):
    looks, look = [], NetworkDenoiser._denoise

    def counted(net, x, sigma):
        looks.append(len(x))
        return look(net, x, sigma)

    networks = Networks(small_models)
    own = diffusion.load_denoiser("dogs", small_models)
    sha = diffusion.read_card("dogs", small_models)["sha256"]
    labels = ([], [], [1], [0], [])
    counts, sigmas = (1, 3, 1, 2, 1), (0.1, 1.0, 0.5, 2.0, 40.0)
    xs = [s * noise(n, seed=k) for k, (n, s) in enumerate(zip(counts, sigmas, strict=True))]
    questions = [
        pack({"network": "dogs", "sha256": sha, "shape": list(x.shape), "labels": label, "guidance": 1.0},
             x, torch.full((len(x),), s))
        for x, s, label in zip(xs, sigmas, labels, strict=True)
    ]  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(NetworkDenoiser, "_denoise", counted)
        answers = networks.answer(questions)
    assert looks == [1 + 3 + 1, 1 + 2]  # asked for no class, and for one each
    for (status, body), x, s, label in zip(answers, xs, sigmas, labels, strict=True):
        assert status == 200
        got = torch.frombuffer(bytearray(body), dtype=torch.float32).reshape(x.shape)
        assert (got - own.with_labels(tuple(label), NO_GUIDANCE)(x, s)).abs().max() <= remote.TOLERANCE


def test_while_it_is_away_its_own_answers(fake, small_models, monkeypatch):
    own, net = both(small_models, fake.address)
    x, expected = noise(), own(noise(), 0.5)
    fake.status = 503
    assert torch.equal(net(x, 0.5), expected)
    assert torch.equal(net(x, 0.5), expected)
    assert fake.asked == 1  # not asked again at once
    fake.status = 200
    monkeypatch.setattr(net._line, "away", 0.0)
    assert torch.equal(net(x, 0.5), expected)
    assert fake.asked == 2
    fake.close()
    net._line._mine.connection.close()
    monkeypatch.setattr(net._line, "away", 0.0)
    assert torch.equal(net(x, 0.5), expected)
    assert net.away


def test_other_weights_are_not_used(fake, small_models):
    own, _ = both(small_models, fake.address)
    net = RemoteDenoiser(own, "0" * 64, fake.address)
    assert torch.equal(net(noise(), 0.5), own(noise(), 0.5))
    assert fake.asked == 1
    assert net.away
    header = {"network": "dogs", "sha256": "0" * 64, "shape": [1, 3, 16, 16], "labels": [], "guidance": 1.0}
    assert fake.networks.answer([pack(header, noise(), torch.ones(1))]) == [
        (400, b"ValueError: other weights of dogs here")
    ]


@pytest.mark.usefixtures("shipped", "fresh_caches")
def test_the_app_asks_the_network_it_is_told_of(fake, monkeypatch):
    monkeypatch.setenv(resources.NETWORK, fake.address)
    net = resources.network("dogs")
    assert isinstance(net, RemoteDenoiser)
    before = fake.asked
    assert torch.equal(net(noise(), 0.5), diffusion.load_denoiser("dogs")(noise(), 0.5))
    assert fake.asked == before + 1
    assert not net.away


@pytest.mark.parametrize(
    "message",
    [
        b"", b"\x00", b"\xff\xff\xff\xff{}", struct.pack("<I", 2) + b"[]", struct.pack("<I", 2) + b"{}",
        pack({"shape": [1, 3, 2, 2]}, torch.zeros(11)),
        pack({"shape": [1, 3, 2, 2]}, torch.zeros(12), torch.zeros(1)),
        pack({"shape": [1, 3, 2, 2]}, torch.zeros(12), torch.tensor([float("nan")])),
        pack({"shape": [2**40, 3, 2, 2]}, torch.zeros(1)), pack({"shape": [True, 3, 2, 2]}, torch.zeros(13)),
        pack({"shape": [-1, 3, 2, -2]}, torch.zeros(13)),
    ],
)  # fmt: skip
def test_an_unsound_question_is_refused(message):
    with pytest.raises((ValueError, json.JSONDecodeError)):
        unpack(message)


@pytest.mark.parametrize("labels", [[2], [-1], [0, 1, 0], [math.inf], "x", None])
def test_unknown_labels_are_refused(labels, small_models):
    header = {
        "network": "dogs", "sha256": diffusion.read_card("dogs", small_models)["sha256"],
        "shape": [2, 3, 16, 16], "labels": labels, "guidance": 1.0,
    }  # fmt: skip
    assert Networks(small_models).answer([pack(header, noise(2), torch.ones(2))])[0][0] == 400


def test_a_question_of_another_shape_leaves_its_neighbours_alone(small_models):
    header = {
        "network": "dogs", "sha256": diffusion.read_card("dogs", small_models)["sha256"],
        "shape": [1, 3, 16, 16], "labels": [], "guidance": 1.0,
    }  # fmt: skip
    grey = header | {"shape": [1, 1, 16, 16]}
    asked = [pack(grey, noise(1)[:, :1], torch.ones(1)), pack(header, noise(1), torch.ones(1))]
    assert [status for status, _ in Networks(small_models).answer(asked)] == [400, 200]


@pytest.mark.parametrize("address", ["localhost:8000", "https://x", "file:///etc/passwd", ""])
def test_an_address_is_http(address):
    with pytest.raises(ValueError, match="http://127"):
        remote._Line(address)
