// A clock. data = {every: seconds, drawn: a number that differs each time}

const LATE = 5; // an answer that has not come after so many ticks is asked for again

export default function ({ data, parentElement, setStateValue }) {
  const every = 1000 * data.every;
  let timer = setTimeout(ask, every);
  function ask() {
    if (!parentElement.isConnected) return; // taken away before it was told so
    timer = setTimeout(ask, LATE * every);
    setStateValue("asked", data.drawn + performance.now());
  }
  return () => clearTimeout(timer);
}
