"""The sidebar: picture, network, the way there, the way back. Returns plain settings."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from typing import Any

import streamlit as st
from PIL import Image
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from diffusion import GRIDS, PROCESSES, SAMPLERS, PictureError
from diffusion.pictures import open_picture
from ui import locks, words
from ui.crop import crop_box, still
from ui.language import _, joined, named, tell
from ui.locks import locked
from ui.resources import NETWORK, any_size, cards, samples
from ui.secure import camera_blocked
from ui.settings import (
    BACK_STEPS_RANGE,
    INDEX_RANGE,
    PHOTO_SIZES,
    PRESETS,
    SEED_RANGE,
    SIGMA_Q_RANGE,
    STEPS_RANGE,
    Back,
    There,
)
from ui.state import Picture, session

DEFAULT_SAMPLE = "cat"
#: Widgets whose values outlive a visit to another page.
KEPT = {
    "sample", "model", "size", "preset", "process", "sigma_q", "steps", "grid", "seed",
    "start", "sampler", "back_steps", "back_grid", "index", "view", "language",
    "gallery_model", "gallery_seed", "network_shown",
    "endings", "endings_sampler", "differ", "quiz-name", "lesson",
}  # fmt: skip


def picture() -> None:
    """Upload, camera or a sample, and which square of it."""
    here = session()
    locks.explain("unlock")
    st.subheader(locks.named("sample"), anchor=False)
    st.file_uploader(
        _("Upload a picture"),
        key=f"upload-{here.uploads}",
        on_change=_uploaded,
        args=(f"upload-{here.uploads}",),
        help=joined(
            _(words.UPLOAD_HELP).format(most=st.get_option("server.maxUploadSize")),
            _(words.KEPT_SHARED if os.environ.get(NETWORK) else words.KEPT_HERE),
        ),
        disabled=locked("sample"),
    )
    if here.upload_error:
        st.error(tell(here.upload_error), icon=":material/broken_image:")
    if st.toggle(_("Take a photo instead"), key="camera_on", disabled=locked("sample")):
        key = f"camera-{here.uploads}"
        if camera_blocked(st.context.url):
            st.info(_(words.NO_CAMERA), icon=":material/no_photography:")
        else:
            st.camera_input(_("Take a photo"), key=key, on_change=_uploaded, args=(key,))
    offered = {sample.name: sample for sample in samples()}
    if here.picture is None:
        crop, wanted = here.crop, st.session_state.get("sample") or DEFAULT_SAMPLE
        _take_sample(wanted if wanted in offered else next(iter(offered)))
        here.crop = crop  # a link's, if there was one
    st.pills(
        _("Or take one of these"),
        list(offered),
        format_func=lambda name: _(offered[name].title),
        key="sample",
        on_change=_picked,
        disabled=locked("sample"),
        required=True,
    )
    if here.picture is not None:
        shown = here.picture
        if locked("sample"):
            st.html(still(shown.image, here.crop, _(shown.title)))
        else:
            here.crop = crop_box(
                shown.jpeg, _(shown.alt), shown.image.size, here.crop, key=f"crop-{shown.id}"
            )
        if here.picture.source:
            st.caption(_(here.picture.source))


def network() -> tuple[str | None, int]:
    """Which network, and the side of the stage in pixels."""
    st.subheader(_("The network"), anchor=False)
    offered = cards()
    if not offered:
        st.warning(_(words.NO_MODELS))
        return None, 64
    name = st.radio(
        locks.named("model"), list(offered), format_func=lambda name: _(name.capitalize()),
        key="model", horizontal=True, disabled=locked("model"),
    )  # fmt: skip
    st.caption(_(words.MODELS.get(name) or offered[name]["title"]))
    size = int(offered[name]["size"])
    if any_size(offered[name]):
        st.session_state.setdefault("size", PHOTO_SIZES[1])
        chosen = st.segmented_control(
            locks.named("size"), PHOTO_SIZES, key="size", required=True, disabled=locked("size"),
            format_func=lambda side: f"{side}×{side}",
            help=_("Larger pictures get fewer stops on the timeline: a journey sends at most 3 MB."),
        )  # fmt: skip
        size = chosen or size
    return name, size


def way_there() -> There:
    """Settings of the way there."""
    st.subheader(_("The way there"), anchor=False)
    _defaults(_widgets(There(), Back()))
    _unlight_preset()
    st.pills(
        _("Preset"), list(PRESETS), format_func=named(words.PRESETS), key="preset", on_change=_preset,
        disabled=locked(*_of_preset("watch")),
    )  # fmt: skip
    if st.session_state.get("preset"):
        st.caption(_(words.PRESET_NOTES[st.session_state["preset"]]))
    process = st.selectbox(
        locks.named("process"), list(PROCESSES), format_func=named(words.PROCESSES), key="process",
        disabled=locked("process"),
    )  # fmt: skip
    left, right = st.columns(2)
    low, high = SIGMA_Q_RANGE
    sigma_q = left.number_input(
        locks.named("sigma_q"), low, high, step=0.5, key="sigma_q",
        disabled=process != "brownian" or locked("sigma_q"),
        help=_(
            "Spread (standard deviation) of all the noise together, {low:g} to {high:g}. The "
            "picture itself spans -1 to 1."
        ).format(low=low, high=high),
    )  # fmt: skip
    low, high = STEPS_RANGE
    steps = right.number_input(
        locks.named("steps"), low, high, key="steps", disabled=locked("steps"),
        help=_(
            "{low} to {high}. More steps cut the same amount of noise into smaller pieces. They draw it "
            "anew: another T is another path."
        ).format(low=low, high=high),
    )  # fmt: skip
    grid = st.selectbox(
        locks.named("grid"),
        GRIDS,
        format_func=named(words.GRIDS),
        key="grid",
        disabled=locked("grid"),
        help=_(words.GRID_HELP),
    )
    low, high = SEED_RANGE
    seed = st.number_input(
        locks.named("seed"), low, high, key="seed", disabled=locked("seed"),
        help=_(
            "{low} to {high}. The same seed makes the same noise, bit for bit, on the same machine."
        ).format(low=low, high=high),
    )  # fmt: skip
    return There(process, float(sigma_q), int(steps), grid, int(seed))


def way_back(model: str | None, sampler: str = "sampler") -> Back:
    """Settings of the way back with the network `model`; `sampler` is the key of that choice."""
    st.subheader(_("The way back"), anchor=False)
    label = None
    if classes := cards().get(model or "", {}).get("classes"):
        label = st.selectbox(
            locks.named("label"), classes, index=None, placeholder=_("anything"), key=f"label-{model}",
            disabled=locked("label"),
            format_func=lambda name: _(name.replace("_", " ")),
            help=_("The network learnt these classes by name; it can be asked for one."),
        )  # fmt: skip
    st.session_state.setdefault(sampler, Back().sampler)
    chosen = st.selectbox(
        locks.named("sampler"), list(SAMPLERS), format_func=named(words.SAMPLERS), key=sampler,
        disabled=locked("sampler"),
    )  # fmt: skip
    st.caption(_(words.SAMPLER_NOTES[chosen]))
    low, high = BACK_STEPS_RANGE
    steps = st.number_input(
        locks.named("back_steps"), low, high, key="back_steps", disabled=locked("back_steps"),
        help=_("{low} to {high}, whatever T is.").format(low=low, high=high),
    )  # fmt: skip
    grid = st.selectbox(
        locks.named("back_grid"), GRIDS, format_func=named(words.GRIDS), key="back_grid",
        disabled=locked("back_grid"), help=_(words.GRID_HELP),
    )  # fmt: skip
    low, high = INDEX_RANGE
    index = st.number_input(
        locks.named("index"), low, high, key="index", disabled=locked("index"),
        help=_(
            "{low} to {high}: which of the seed's noises a start in pure noise takes, as in its gallery."
        ).format(low=low, high=high),
    )  # fmt: skip
    return Back(st.session_state["start"], chosen, int(steps), grid, label, int(index))


def set_from_nothing(model: str, seed: int, index: int, label: str | None, steps: int) -> None:
    """Set everything as picture number `index` of a gallery was made."""
    there, back = PRESETS["from_nothing"].there, PRESETS["from_nothing"].back
    values = _widgets(replace(there, seed=seed), replace(back, steps=steps, index=index))
    st.session_state.update(values | {"model": model, f"label-{model}": label, "preset": None})


def from_nothing_locked() -> bool:
    """Whether a teacher's link holds any of what :func:`set_from_nothing` sets."""
    return locked("model", "label", "seed", "index", *_of_preset("from_nothing"))


def _uploaded(key: str) -> None:
    here, file = session(), st.session_state[key]
    if file is None:
        return
    here.uploads += 1  # empties the uploader: the small decoded picture is kept, the file is not
    data = file.getvalue()
    _let_go(file.file_id)
    try:
        image = open_picture(data)
    except PictureError as error:
        here.upload_error = error.sentence
        return
    here.upload_error = None
    st.session_state["sample"] = None
    st.session_state["camera_on"] = False
    _show(Picture(hashlib.sha256(data).hexdigest()[:16], file.name, "", image))


def _let_go(file_id: str) -> None:
    """Drop an uploaded file; Streamlit would hold it until the session ends."""
    context = get_script_run_ctx(suppress_warning=True)
    if context and isinstance(files := context.uploaded_file_mgr, MemoryUploadedFileManager):
        files.remove_file(context.session_id, file_id)


def _picked() -> None:
    if st.session_state["sample"] in {sample.name for sample in samples()}:
        session().upload_error = None
        _take_sample(st.session_state["sample"])


def _take_sample(name: str) -> None:
    sample = next(s for s in samples() if s.name == name)
    with Image.open(sample.path) as opened:
        _show(Picture(name, sample.title, sample.source, opened.convert("RGB"), sample.alt))
    st.session_state["sample"] = name


def _show(new: Picture) -> None:
    here = session()
    here.picture, here.crop = new, type(here.crop)()


def _widgets(there: There, back: Back) -> dict[str, Any]:
    """Settings as widget values."""
    return {
        "process": there.process, "sigma_q": there.sigma_q, "steps": there.steps, "grid": there.grid,
        "sampler": back.sampler, "back_steps": back.steps, "back_grid": back.grid, "start": back.start,
        "seed": there.seed, "index": back.index,
    }  # fmt: skip


def _defaults(values: dict[str, Any]) -> None:
    for key, value in values.items():
        st.session_state.setdefault(key, value)


def _of_preset(name: str) -> dict[str, Any]:
    """What a preset sets; seed and noise number stay a person's own choice."""
    values = _widgets(PRESETS[name].there, PRESETS[name].back)
    return {key: value for key, value in values.items() if key not in ("seed", "index")}


def _preset() -> None:
    if (chosen := st.session_state["preset"]) in PRESETS:
        st.session_state.update(_of_preset(chosen))


def preset_left() -> bool:
    """Whether a preset is lit though not everything stands as it says."""
    chosen = st.session_state.get("preset")
    return bool(chosen) and any(
        st.session_state.get(key, value) != value for key, value in _of_preset(chosen).items()
    )


def _unlight_preset() -> None:
    if preset_left():
        st.session_state["preset"] = None


def keep() -> None:
    """Keep what was set while another page is shown; Streamlit forgets what is not drawn."""
    for key in [k for k in st.session_state if isinstance(k, str)]:
        if key in KEPT or key.startswith(("label-", "gallery_label-", "b_")):
            st.session_state[key] = st.session_state[key]
