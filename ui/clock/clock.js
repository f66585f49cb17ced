// A clock. data = {every: seconds, drawn: a number that differs each time}

const LATE = 5; // an answer that has not come after so many ticks is asked for again
const clocks = new WeakMap(); // one for each place on the page, however often it is drawn

export default function ({ data, parentElement, setStateValue }) {
  const clock = clocks.get(parentElement) ?? started(parentElement);
  const every = 1000 * data.every;
  clock.late = LATE * every;
  clock.ask = () => setStateValue("asked", data.drawn + performance.now());
  wind(clock, every);
  // Streamlit may clean up after an earlier run when a later one has begun: only the last may stop it.
  const run = (clock.run = {});
  return () => clock.run === run && stop(clock);
}

function started(parent) {
  const clock = { parent };
  // Whoever presses anything may be leaving this page: to ask for it now could bring it back.
  clock.pressed = () => wind(clock, clock.late);
  window.addEventListener("click", clock.pressed, true);
  window.addEventListener("popstate", clock.pressed);
  clocks.set(parent, clock);
  return clock;
}

function wind(clock, after) {
  clearTimeout(clock.timer);
  clock.timer = setTimeout(() => {
    if (!clock.parent.isConnected) return stop(clock);
    wind(clock, clock.late);
    clock.ask();
  }, after);
}

function stop(clock) {
  clearTimeout(clock.timer);
  window.removeEventListener("click", clock.pressed, true);
  window.removeEventListener("popstate", clock.pressed);
  clocks.delete(clock.parent);
}
