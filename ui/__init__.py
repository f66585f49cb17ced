"""The Streamlit side: pages, controls, figures and the browser-side components."""
