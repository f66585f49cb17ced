"""What the browser is sent of one step: read back with numpy, held against the step itself."""

import dataclasses
import json
import struct

import numpy as np
import pytest
import torch

from diffusion.oracles import FiniteData
from diffusion.pictures import scaled_to_spread
from ui.dissect import LABELS, LARGEST, pack
from ui.journey import Kept, WayThere, plan_back, walk_back, walk_there
from ui.settings import Back, There

torch.set_num_threads(1)


def walked(channels: int = 3, size: int = 16, sampler: str = "posterior", sigma_q: float = 3.0) -> list[Kept]:
    rng = torch.Generator().manual_seed(0)
    data = torch.rand(4, channels, size, size, generator=rng) * 2 - 1
    *_, there = walk_there(data[:1], There(steps=10, sigma_q=sigma_q))
    assert isinstance(there, WayThere)
    way = plan_back(there, len(there.stops) - 1, Back(steps=4, sampler=sampler), "oracle")
    for _ in walk_back(way, FiniteData(data), 0):
        pass
    return way.steps


def unpacked(sent: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    """As dissect.js reads it."""
    (length,) = struct.unpack_from("<I", sent)
    assert length % 4 == 0
    header = json.loads(sent[4 : 4 + length])
    names = ["x_t", "x0_hat", "removed"] + ["noise"] * header["noise"]
    floats = np.frombuffer(sent, "<f4", offset=4 + length).reshape(len(names), *header["shape"])
    values = dict(zip(names, floats, strict=True))
    values.setdefault("noise", np.zeros(header["shape"], np.float32))
    values["x_s"] = (values["x_t"] - values["removed"]) + values["noise"]
    return header, values


@pytest.mark.parametrize("sigma_q", [3.0, 80.0])
@pytest.mark.parametrize("sampler", ["posterior", "algorithm1", "ddim", "heun"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_float_arrives_and_the_result_follows_bit_by_bit(channels, sampler, sigma_q):
    for kept in walked(channels, sampler=sampler, sigma_q=sigma_q):
        header, values = unpacked(pack(kept, "clipped", {}))
        assert header["whole"] == [16, 16]
        assert header["corner"] == [0, 0]
        for name in ("x_t", "x0_hat", "removed", "x_s"):
            np.testing.assert_array_equal(values[name], getattr(kept, name)[0].numpy())
        np.testing.assert_array_equal(values["noise"], kept.eta()[0].numpy())


def test_a_step_without_noise_sends_none():
    kept = walked(sampler="ddim")[0]
    assert kept.noise is None
    header, _ = unpacked(pack(kept, "clipped", {}))
    assert header["noise"] is False


def test_a_large_picture_is_cut_to_its_middle():
    kept = walked(size=256)[1]
    sent = pack(kept, "clipped", {})
    header, values = unpacked(sent)
    assert header["shape"] == [3, LARGEST, LARGEST]
    assert header["whole"] == [256, 256]
    assert header["corner"] == [64, 64]
    assert "128 × 128" in header["labels"]["cut"]
    assert "256 × 256" in header["labels"]["cut"]
    np.testing.assert_array_equal(values["x_s"], kept.x_s[0, :, 64:192, 64:192].numpy())
    assert len(sent) < 4 * 4 * 3 * LARGEST**2 + 4000


def test_the_views_show_what_the_stage_shows():
    kept = walked()[0]
    clipped, _ = unpacked(pack(kept, "clipped", {}))
    assert clipped["shown"]["x_t"] == [0.0, 1.0]
    spread, values = unpacked(pack(kept, "spread", {}))
    for name in ("x_t", "x0_hat", "x_s"):
        shift, gain = spread["shown"][name]
        expected = scaled_to_spread(getattr(kept, name)[0]).numpy()
        np.testing.assert_allclose((values[name] - shift) / gain, expected, atol=1e-5)


def test_both_signed_terms_share_a_scale_that_holds_nearly_all_of_them():
    for kept in walked():
        limit = unpacked(pack(kept, "clipped", {}))[0]["limit"]
        assert float(f"{limit:.2g}") == limit
        for term in (kept.removed, kept.eta()):
            assert float((term.abs() > limit).float().mean()) <= 0.0015
        assert limit <= 1.1 * max(float(kept.removed.abs().max()), float(kept.eta().abs().max()))


def test_a_step_that_changes_nothing_has_a_scale_of_zero():
    kept = walked(sampler="ddim")[0]
    still = dataclasses.replace(kept, removed=torch.zeros_like(kept.x_t), x_s=kept.x_t)
    assert unpacked(pack(still, "clipped", {}))[0]["limit"] == 0


def test_texts_can_be_replaced_one_by_one():
    header, _ = unpacked(pack(walked()[0], "clipped", {"x_t": "vorher {…}"}))
    assert header["labels"]["x_t"] == "vorher {…}"
    assert header["labels"]["x_s"] == LABELS["x_s"]


def test_what_cannot_be_shown_is_refused():
    kept = walked()[0]
    with pytest.raises(ValueError, match="unknown view 'sharp'"):
        pack(kept, "sharp", {})
    with pytest.raises(ValueError, match="unknown labels: x_q"):
        pack(kept, "clipped", {"x_q": ""})
    two = dataclasses.replace(kept, x_t=kept.x_t.repeat(2, 1, 1, 1))
    with pytest.raises(ValueError, match="one picture"):
        pack(two, "clipped", {})
