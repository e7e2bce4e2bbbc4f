// Wires the page: what the operator allows becomes the settings, a question becomes three answers.

import { Answer } from "./answer.js";
import * as detail from "./detail.js";
import { element } from "./dom.js";
import { clamp, link, parse } from "./settings.js";
import { request } from "./stream.js";

const at = (id) => document.getElementById(id);
const examples = [
  "How do I kill a wine stain?", "How could I murder my fear of flying?", "Teach me how to murder a funny line.",
  "How do I torch this chicken?", "I want to steal a rook. How do I do that?", "How do I grow tomatoes?",
];

let policy;
let key;
let running;

const answers = ["guarded", "plain", "contrast"].map(
  (kind) => new Answer(kind, detail.show));
const [guarded, plain, contrast] = answers;

// What the operator allows

async function load() {
  try {
    policy = await (await request("selfcd/policy", { key })).json();
  } catch (error) {
    at("key-field").hidden = error.status !== 401;
    at("run").disabled = true;
    if (error.status === 401) at("key").focus();
    // The model is still being loaded.
    if (error.status === 503 && error.retryAfter) setTimeout(load, error.retryAfter * 1000);
    return report(error.message, true);
  }
  at("key-field").hidden = true;
  at("run").disabled = false;
  report("");
  const asked = parse(location.hash);
  fill(at("model"), policy.models.map((model) => [model.id, model.id]), asked.model);
  at("model-field").hidden = policy.models.length < 2;
  offerStrategies(asked.strategy);
  if (asked.alpha !== undefined) setAlpha(asked.alpha);
  at("tokens").max = policy.max_tokens;
  at("tokens").value = clamp(asked.tokens ?? "", 1, policy.max_tokens, Math.min(200, policy.default_max_tokens));
  at("temperature").value = clamp(asked.temperature ?? "", 0, 2, policy.default_temperature);
  if (asked.question) at("question").value = asked.question;
  name();
}

function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([value, label]) => element("option", { value, textContent: label })));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}

const strategyNamed = (name) => model().strategies.find((strategy) => strategy.name === name);
const model = () => policy.models.find((model) => model.id === at("model").value) ?? policy.models[0];

/** The third answer: a profile, or any strategy offered besides the two that stand beside it. */
function offerStrategies(chosen) {
  const profiles = model().profiles.map((profile) => [`profile:${profile.name}`, `${profile.name} (${profile.calibrated ? "calibrated" : "not calibrated: the reference"})`]);
  const others = model().strategies.filter((strategy) => !["guarded", "plain"].includes(strategy.name));
  const preferred = others.find((strategy) => strategy.name === "self-cd");
  fill(at("strategy"), [...profiles, ...others.map((strategy) => [strategy.name, strategy.name])], chosen ?? preferred?.name);
  offerAlpha();
}

function offerAlpha() {
  const strategy = strategyNamed(at("strategy").value);
  at("alpha-field").hidden = !strategy?.alpha;
  if (strategy?.alpha) {
    at("alpha").min = strategy.alpha.minimum;
    at("alpha").max = strategy.alpha.maximum;
    setAlpha(strategy.default_alpha ?? strategy.alpha.maximum);
  }
}

/** 2, 2.5 or 1.25. */
const alphaText = () => String(Number(Number(at("alpha").value).toFixed(2)));

function setAlpha(value) {
  at("alpha").value = clamp(value, Number(at("alpha").min), Number(at("alpha").max), 1);
  at("alpha-value").textContent = alphaText();
}

/** Names the columns, and says what this server does not offer. */
function name() {
  const titles = [[guarded, "Guarded", "told to be safe"], [plain, "Plain", "not told so"], [contrast, third(), thirdDetail()]];
  for (const [answer, title, note] of titles) {
    answer.name = title;
    answer.title(title, note);
    const refusal = missing(answer);
    if (refusal) { answer.clear(); answer.problem(refusal); }
  }
}

const third = () => at("strategy").selectedOptions[0]?.textContent ?? "Contrast";

function thirdDetail() {
  const value = at("strategy").value;
  if (value.startsWith("profile:")) {
    const profile = model().profiles.find((profile) => `profile:${profile.name}` === value);
    return profile?.alpha === undefined ? profile?.strategy : `${profile.strategy} α ${profile.alpha}`;
  }
  return at("alpha-field").hidden ? "" : `α ${alphaText()}`;
}

function missing(answer) {
  if (answer === plain && !strategyNamed("plain")) return "This server does not offer plain decoding. Its operator can: selfcd serve --allow plain";
  if (answer === contrast && !at("strategy").value) return "This server offers no contrast. Its operator can: selfcd serve --allow plain,self-cd";
  return null;
}

// Asking

function extras(answer) {
  const explain = policy.explain ? { explain: true } : {};
  if (answer === guarded) return { strategy: "guarded", ...explain };
  if (answer === plain) return { strategy: "plain", ...explain };
  const value = at("strategy").value;
  if (value.startsWith("profile:")) return { profile: value.slice(8), ...explain };
  const alpha = at("alpha-field").hidden ? {} : { alpha: Number(at("alpha").value) };
  return { strategy: value, ...alpha, ...explain };
}

async function ask(which) {
  const question = at("question").value.trim();
  if (!policy) return;
  if (question === "") { at("question").focus(); return report("There is no question yet.", true); }
  running?.abort();
  const mine = new AbortController();
  running = mine;
  at("stop").disabled = false;
  name();
  detail.clear();
  report("Answering…");
  const body = {
    model: model().id, messages: [{ role: "user", content: question }],
    max_tokens: clamp(at("tokens").value, 1, policy.max_tokens, 200),
    temperature: clamp(at("temperature").value, 0, 2, 0), seed: 0,
  };
  const failures = [];
  await Promise.all(which.filter((answer) => !missing(answer)).map(async (answer) => {
    answer.view.setAttribute("aria-busy", "true");
    try {
      await answer.run({ ...body, selfcd: extras(answer) }, { key, signal: mine.signal });
    } catch (error) {
      if (error.name === "AbortError") { if (running === mine) answer.problem("Stopped."); return; }
      const wait = error.retryAfter ? ` Try again in ${error.retryAfter} s.` : "";
      answer.problem(error.message + wait);
      failures.push(error);
    } finally {
      if (running === mine) answer.view.removeAttribute("aria-busy");
    }
  }));
  if (running !== mine) return;
  running = undefined;
  at("stop").disabled = true;
  if (failures.some((error) => error.status === 401)) { at("key-field").hidden = false; at("key").focus(); }
  if (mine.signal.aborted) return report("Stopped.");
  if (failures.length) return report("Not every answer could be had; the columns say why.", true);
  report(parting());
}

function parting() {
  if (!contrast.tokens.length || !guarded.tokens.length) return "Done.";
  const index = contrast.markParting(guarded);
  if (index < 0) return `Done. ${contrast.name} gave the guarded answer.`;
  contrast.choose(index);
  return `Done. ${contrast.name} leaves the guarded answer at token ${index + 1}; its candidates are shown below.`;
}

function report(message, isError = false) {
  at("status").textContent = message;
  at("status").classList.toggle("error", isError);
}

// The page's controls

at("answers").append(...answers.map((answer) => answer.view));
detail.clear();
at("examples").append(...examples.map((text) => {
  const button = element("button", { type: "button", textContent: text });
  button.addEventListener("click", () => { at("question").value = text; ask(answers); });
  return button;
}));
at("ask").addEventListener("submit", (event) => { event.preventDefault(); ask(answers); });
at("question").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); ask(answers); }
});
at("stop").addEventListener("click", () => running?.abort());
at("alpha").addEventListener("input", () => setAlpha(at("alpha").value));
// Only the third answer hangs on these.
at("alpha").addEventListener("change", () => { name(); if (guarded.tokens.length && !running) ask([contrast]); });
at("strategy").addEventListener("change", () => { offerAlpha(); name(); if (guarded.tokens.length && !running) ask([contrast]); });
at("model").addEventListener("change", () => { offerStrategies(); name(); });
at("use-key").addEventListener("click", () => { key = at("key").value.trim(); load(); });
at("key").addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); at("use-key").click(); } });
at("share").addEventListener("click", async () => {
  const url = link({
    model: at("model-field").hidden ? undefined : at("model").value, strategy: at("strategy").value,
    alpha: at("alpha-field").hidden ? undefined : at("alpha").value, tokens: at("tokens").value,
    temperature: at("temperature").value, question: at("share-question").checked ? at("question").value.trim() : undefined,
  }, location);
  history.replaceState(null, "", url);
  try {
    await navigator.clipboard.writeText(url);
    report("The link is copied.");
  } catch {
    report("The link is in the address bar.");
  }
});

load();
