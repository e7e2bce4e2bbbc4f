// Settings, and the links that carry them. A link holds the question only when its maker says so: it ends up in
// histories and logs.

const keys = { model: "m", strategy: "s", alpha: "a", tokens: "n", temperature: "t", question: "q" };

/** The page's address with the settings in its fragment, which browsers do not send to servers. */
export function link(settings, location) {
  const fragment = new URLSearchParams();
  for (const [name, short] of Object.entries(keys)) {
    if (settings[name] !== undefined && settings[name] !== null && settings[name] !== "") fragment.set(short, settings[name]);
  }
  const url = new URL(location.href);
  url.hash = fragment.toString();
  return url.toString();
}

/** What a fragment says; names that it does not have are absent. */
export function parse(hash) {
  const fragment = new URLSearchParams(hash.replace(/^#/, ""));
  const settings = {};
  for (const [name, short] of Object.entries(keys)) {
    const value = fragment.get(short);
    if (value === null) continue;
    if (["alpha", "tokens", "temperature"].includes(name)) {
      const number = Number(value);
      if (value.trim() !== "" && Number.isFinite(number)) settings[name] = number;
    } else {
      settings[name] = value.slice(0, 4000);
    }
  }
  return settings;
}

/** `value` within the limits of an input; `fallback` for what is no number. */
export function clamp(value, minimum, maximum, fallback) {
  const number = Number(value);
  return value !== "" && Number.isFinite(number) ? Math.min(Math.max(number, minimum), maximum) : fallback;
}
