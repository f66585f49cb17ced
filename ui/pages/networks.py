"""The networks: what each was made from, how long it was trained, how sure it is."""

import streamlit as st

from ui import figures, words
from ui.language import _
from ui.resources import cards

st.markdown(f"#### {_('What the networks are, and what they are not')}")
found = cards()
if not found:
    st.info(_(words.NO_MODELS))
for name, card in found.items():
    training = card["training"]
    st.subheader(_(name.capitalize()), anchor=False)
    st.markdown(_(card["limits"]))
    facts = st.columns(4)
    facts[0].metric(_("Parameters"), _("{count:.2f} M").format(count=card["parameters"] / 1e6))
    facts[1].metric(_("On disk"), _("{size:.1f} MB").format(size=card["bytes"] / 1e6))
    facts[2].metric(_("Trained for"), _("{hours:g} h").format(hours=training["hours"]))
    facts[3].metric(_("Pictures seen"), f"{training['pictures_seen']:,}")
    left, right = st.columns(2)
    with left:
        st.markdown(f"**{_('Loss while training')}**")
        st.plotly_chart(figures.loss_curve(card), key=f"curve-{name}", config={"displayModeBar": False})
        st.caption(figures.summary_loss_curve(card))
    with right:
        st.markdown(f"**{_('Loss by noise level')}**", help=_(words.LOSS_BY_NOISE))
        st.plotly_chart(figures.loss_by_noise(card), key=f"noise-{name}", config={"displayModeBar": False})
        st.caption(figures.summary_loss_by_noise(card))
    data = card["data"]
    st.caption(
        _("Data: {name} ({source}), {count:,} pictures. Licence: {licence}. Trained on {machine}.").format(
            name=data["name"],
            source=_(data["source"]),
            count=training["pictures_in_set"],
            licence=_(card["licence"]),
            machine=_(card["machine"]),
        )
    )
