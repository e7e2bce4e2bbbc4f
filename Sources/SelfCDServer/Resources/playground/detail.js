// What each lane would have said at the token that is looked at.

import { element } from "./dom.js";

const names = { guarded: "Guarded", plain: "Plain", combined: "Combined" };
const tones = { guarded: "guarded", plain: "plain", combined: "contrast" };

/** White space that would not be seen is named. */
function visible(text) {
  if (text === "") return "(end)";
  return text.replace(/\n/g, "⏎").replace(/\t/g, "⇥");
}

function list(lane, candidates, taken) {
  const rows = candidates.map((candidate) => {
    const bar = element("div", { className: "bar" });
    bar.style.width = `${Math.max(candidate.probability * 100, 0.5)}%`;
    bar.setAttribute("aria-hidden", "true");
    const row = element(
      "li", { className: candidate.id === taken ? "taken" : "" },
      element("code", { textContent: `“${visible(candidate.text)}”` }),
      element("span", { className: "value", textContent: candidate.probability.toFixed(2) }),
      element("div", {}, bar));
    return row;
  });
  return element(
    "div", { className: tones[lane] }, element("h3", { textContent: names[lane] }), element("ol", {}, ...rows));
}

const narrow = matchMedia("(max-width: 52rem)");

/** Shows a token in the page's detail section, which on narrow screens stands right below the token's answer. */
export function show(answer, index, token) {
  const section = document.getElementById("detail");
  const place = narrow.matches ? answer.view : document.getElementById("answers");
  if (section.previousElementSibling !== place) place.after(section);
  document.getElementById("detail-empty").hidden = true;
  const parts = [`Token ${index + 1} of “${answer.name}”: “${visible(token.text)}”.`];
  if (token.shift !== undefined && Object.keys(token.lanes).length > 1) {
    const times = Math.exp(Math.abs(token.shift));
    const factor = times >= 1000 ? "over 1,000" : times >= 10 ? Math.round(times) : times.toFixed(1);
    parts.push(
      Math.abs(token.shift) < 0.1 ? "The contrast hardly changed it."
        : `The contrast made it ${factor} times ${token.shift > 0 ? "likelier" : "less likely"} than under the guarded prompt.`);
  }
  document.getElementById("detail-text").textContent = parts.join(" ");
  const lanes = Object.keys(names).filter((lane) => lane !== "combined" && token.lanes[lane]?.candidates.length);
  const views = lanes.map((lane) => list(lane, token.lanes[lane].candidates, token.id));
  if (lanes.length > 1) views.push(list("combined", token.combined, token.id));
  document.getElementById("detail-lanes").replaceChildren(...views);
}

export function clear() {
  document.getElementById("detail-empty").hidden = false;
  document.getElementById("detail-text").textContent = "";
  document.getElementById("detail-lanes").replaceChildren();
}
