"""The networks: what each was made from, how long it was trained, how sure it is."""

import streamlit as st

from ui import figures, words
from ui.resources import cards

st.markdown("#### What the networks are, and what they are not")
found = cards()
if not found:
    st.info(words.NO_MODELS)
for name, card in found.items():
    training = card["training"]
    st.subheader(name.capitalize(), anchor=False)
    st.markdown(card["limits"])
    facts = st.columns(4)
    facts[0].metric("Parameters", f"{card['parameters'] / 1e6:.2f} M")
    facts[1].metric("On disk", f"{card['bytes'] / 1e6:.1f} MB")
    facts[2].metric("Trained for", f"{training['hours']:g} h")
    facts[3].metric("Pictures seen", f"{training['pictures_seen']:,}")
    left, right = st.columns(2)
    with left:
        st.markdown("**Loss while training**")
        st.plotly_chart(figures.loss_curve(card), key=f"curve-{name}", config={"displayModeBar": False})
        st.caption(figures.summary_loss_curve(card))
    with right:
        st.markdown("**Loss by noise level**", help=words.LOSS_BY_NOISE)
        st.plotly_chart(figures.loss_by_noise(card), key=f"noise-{name}", config={"displayModeBar": False})
        st.caption(figures.summary_loss_by_noise(card))
    data = card["data"]
    st.caption(
        f"Data: {data['name']} ({data['source']}), {training['pictures_in_set']:,} pictures. "
        f"Licence: {card['licence']}. Trained on {card['machine']}."
    )
