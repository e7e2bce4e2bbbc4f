/// The script of the list of replies. It is a literal, so that the page's policy can name its hash, and reads everything else
/// from the page: ``SampleTable``'s columns.
enum SampleBrowserScript {
  static let js: StaticString = #"""
    "use strict";
    (() => {
      const at = (id) => document.getElementById("browse-" + id);
      const source = at("data");
      if (!source) return;
      const height = 58;
      const names = { 1: "answered", 2: "refused", 3: "partly refused", 4: "no reply", "?": "not judged" };
      const labels = { s: "harmless", h: "harmful", n: "neutral", u: "no label" };
      const fields = ["q", "before", "after", "change", "label", "set", "category", "verdict", "under"];
      const root = at("root"), list = at("list"), space = at("space"), detail = at("detail"), status = at("status");
      let data, lower = [], shown = [], index = -1, terms = [], drawn = "";

      const make = (name, type, text) => {
        const element = document.createElement(name);
        if (type) element.className = type;
        if (text !== undefined) element.textContent = text;
        return element;
      };
      const count = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");

      // Large tables are base64 of a zlib stream.
      const load = async () => {
        const text = source.textContent;
        if (source.dataset.packed === undefined) return JSON.parse(text);
        const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
        const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
        return JSON.parse(await new Response(stream).text());
      };

      // Lower case of every text, made while nothing else happens, so that the first search is as quick as the next.
      const fold = (text) => lower[text] ??= data.texts[text].toLowerCase();
      const prepare = (from) => {
        const end = performance.now() + 8;
        let text = from;
        while (text < data.texts.length && performance.now() < end) fold(text++);
        if (text < data.texts.length) setTimeout(prepare, 0, text);
      };

      const isRefusal = (verdict) => verdict === "2" || verdict === "3";
      const changes = {
        "refused-answered": (old, now) => isRefusal(old) && now === "1",
        "answered-refused": (old, now) => old === "1" && isRefusal(now),
        any: (old, now) => (isRefusal(old) && now === "1") || (old === "1" && isRefusal(now)),
        "no-reply": (old, now) => old !== "4" && old !== "-" && now === "4",
        same: (old, now) => old === now || (isRefusal(old) && isRefusal(now)),
      };
      const verdicts = {
        refusal: isRefusal, unanswered: (verdict) => isRefusal(verdict) || verdict === "4",
        1: (verdict) => verdict === "1", 2: (verdict) => verdict === "2", 3: (verdict) => verdict === "3",
        4: (verdict) => verdict === "4", "?": (verdict) => verdict === "?",
      };

      // Which prompts have every word of the search: in their texts, identifier, category or focus word.
      const found = (query) => {
        terms = (query.toLowerCase().match(/"[^"]+"|\S+/g) ?? []).map((term) => term.replace(/^"(.*)"$/, "$1"));
        return terms.map((term) => {
          const texts = new Uint8Array(data.texts.length);
          for (let text = 0; text < texts.length; text++) if (fold(text).includes(term)) texts[text] = 1;
          const categories = data.categories.map((name) => name.toLowerCase().includes(term));
          const sets = data.sets.map((name) => name.toLowerCase().includes(term));
          return (row) => texts[data.prompt[row]] || texts[data.focus[row]] || categories[data.category[row]]
            || data.replies.some((replies) => texts[replies[row]])
            || sets[data.set[row]] || data.id[row].toLowerCase().includes(term);
        });
      };

      const value = (name) => at(name).value;
      const filter = () => {
        const began = performance.now();
        const [old, now] = [data.classes[value("before")], data.classes[value("after")]];
        const change = changes[value("change")], verdict = verdicts[value("verdict")];
        const under = value("under"), label = value("label"), set = value("set"), category = value("category");
        const words = found(value("q"));
        const chosen = index < 0 ? undefined : shown[index];
        shown = [];
        for (let row = 0; row < data.id.length; row++) {
          if (label && data.label[row] !== label) continue;
          if (set && data.set[row] !== Number(set)) continue;
          if (category && data.category[row] !== Number(category)) continue;
          if (change && !change(old[row], now[row])) continue;
          if (verdict && !(under ? verdict(data.classes[under][row]) : data.classes.some((own) => verdict(own[row])))) continue;
          if (!words.every((has) => has(row))) continue;
          shown.push(row);
        }
        const kept = shown.indexOf(chosen);
        drawn = "";
        space.style.height = shown.length * height + "px";
        status.textContent = `${count(shown.length)} of ${count(data.id.length)} ${data.id.length === 1 ? "prompt" : "prompts"}`;
        choose(Math.max(kept, shown.length ? 0 : -1));
        root.dataset.milliseconds = (performance.now() - began).toFixed(1);
      };

      // A prompt without its text is named by what is left: its set and its number.
      const name = (row) => `${data.sets[data.set[row]]} ${data.id[row]}`;
      const side = (row, condition) => names[data.classes[condition][row]] ?? "none";
      const sides = (row) => {
        const [before, after] = [value("before"), value("after")];
        if (before === after) return ["mute", side(row, after)];
        const [old, now] = [data.classes[before][row], data.classes[after][row]];
        const text = `${side(row, before)} → ${side(row, after)}`;
        if (!changes.any(old, now) || !"sh".includes(data.label[row])) return ["mute", text];
        const isGain = (data.label[row] === "s") === isRefusal(old);
        return isGain ? ["good", "✓ " + text] : ["bad", "✗ " + text];
      };

      // Only the rows in sight are there; assistive technology learns their number and place.
      const draw = () => {
        const first = Math.max(0, Math.floor(list.scrollTop / height) - 4);
        const last = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / height) + 4);
        const state = `${first} ${last} ${index}`;
        if (state === drawn) return;
        drawn = state;
        const rows = [];
        for (let place = first; place < last; place++) {
          const row = shown[place];
          const option = make("div", "option");
          option.id = "browse-option-" + place;
          option.setAttribute("role", "option");
          option.setAttribute("aria-setsize", shown.length);
          option.setAttribute("aria-posinset", place + 1);
          option.setAttribute("aria-selected", place === index);
          option.style.top = place * height + "px";
          const text = data.texts[data.prompt[row]];
          const title = make("div", text === undefined ? "title mute" : "title", text ?? name(row) + ", text withheld");
          title.dir = "auto";
          const [kind, change] = sides(row);
          const line = make("div", "line");
          line.append(make("span", kind, change), make("span", "mute", [labels[data.label[row]], data.categories[data.category[row]]].filter(Boolean).join(" · ")));
          option.append(title, line);
          rows.push(option);
        }
        space.replaceChildren(...rows);
        if (index >= first && index < last) list.setAttribute("aria-activedescendant", "browse-option-" + index);
        else list.removeAttribute("aria-activedescendant");
      };

      // Text with what was searched for marked; the text stays text.
      const marked = (element, text) => {
        const whole = text.toLowerCase();
        const places = [];
        if (whole.length === text.length) {
          for (const term of terms) {
            for (let from = whole.indexOf(term); from >= 0; from = whole.indexOf(term, from + term.length)) places.push([from, from + term.length]);
          }
        }
        places.sort((a, b) => a[0] - b[0]);
        let end = 0;
        for (const [from, to] of places) {
          if (from < end) continue;
          element.append(text.slice(end, from), make("mark", "", text.slice(from, to)));
          end = to;
        }
        element.append(text.slice(end));
        return element;
      };

      const lane = (row, condition) => {
        const lane = make("div", "lane");
        const head = make("h4", "", data.conditions[condition]);
        head.append(make("span", "", side(row, condition)));
        lane.append(head);
        const text = data.texts[data.replies[condition][row]];
        if (data.classes[condition][row] === "-") lane.append(make("p", "mute", "This prompt has no reply here."));
        else if (text === undefined) lane.append(make("p", "mute", "Text withheld."));
        else {
          const quote = marked(make("blockquote"), text || "(no text)");
          quote.dir = "auto";
          lane.append(quote);
          if (data.cut.has(data.replies[condition][row])) lane.append(make("p", "note", "(shortened)"));
        }
        return lane;
      };
      const sheet = (row, conditions) => {
        const text = data.texts[data.prompt[row]];
        const prompt = text === undefined ? make("p", "prompt mute", "Prompt withheld.") : marked(make("p", "prompt"), text);
        prompt.dir = "auto";
        const focus = data.texts[data.focus[row]];
        const facts = [name(row), labels[data.label[row]], data.categories[data.category[row]], focus && `focus word “${focus}”`];
        const lanes = make("div", "lanes");
        lanes.append(...conditions.map((condition) => lane(row, condition)));
        return [prompt, make("p", "note", facts.filter(Boolean).join(" · ")), lanes];
      };

      const compared = () => [...new Set([Number(value("before")), Number(value("after"))])];
      const all = () => [...new Set([...compared(), ...data.conditions.keys()])];
      const choose = (place, isMove) => {
        index = Math.min(place, shown.length - 1);
        if (index < 0) {
          detail.replaceChildren(make("p", "mute", "No prompt fits. Clear a filter."));
        } else {
          detail.replaceChildren(...sheet(shown[index], all()));
          const top = index * height;
          if (top < list.scrollTop) list.scrollTop = top;
          else if (top + height > list.scrollTop + list.clientHeight) list.scrollTop = top + height - list.clientHeight;
        }
        draw();
        if (isMove) keep();
      };

      // The address says what is shown, so that it can be passed on; indices would change with the run, names do not.
      const write = (name) => {
        const text = value(name);
        if (text === "" || text === defaults[name]) return undefined;
        if (["before", "after", "under"].includes(name)) return data.conditions[text];
        if (name === "set") return data.sets[text];
        if (name === "label") return labels[text];
        return name === "category" ? data.categories[text] : text;
      };
      const read = (name, text) => {
        if (text === null) return defaults[name];
        if (["before", "after", "under"].includes(name)) return String(data.conditions.indexOf(text));
        if (name === "set") return String(data.sets.indexOf(text));
        if (name === "label") return Object.keys(labels).find((key) => labels[key] === text) ?? "";
        return name === "category" ? String(data.categories.indexOf(text)) : text;
      };
      let defaults = {};
      const keep = () => {
        const parts = new URLSearchParams();
        for (const field of fields) {
          const text = write(field);
          if (text !== undefined) parts.set(field, text);
        }
        if (index >= 0) parts.set("at", name(shown[index]));
        // Some browsers forbid it for files, or when it happens too often.
        try { history.replaceState(null, "", "#replies?" + parts); } catch { /* the address stays as it was */ }
      };
      const restore = (isFirst) => {
        const hash = location.hash;
        if (!hash.startsWith("#replies?")) return isFirst && filter();
        const parts = new URLSearchParams(hash.slice(9));
        for (const field of fields) {
          const text = read(field, parts.get(field));
          const element = at(field);
          element.value = text;
          if (element.value !== text) element.value = defaults[field];
        }
        filter();
        const place = parts.get("at") === null ? -1 : shown.findIndex((row) => name(row) === parts.get("at"));
        if (place >= 0) choose(place);
        root.closest("section").scrollIntoView();
        list.focus({ preventScroll: true });
      };

      const fill = () => {
        const options = (id, texts, first) => {
          if (first !== undefined) at(id).append(new Option(first, ""));
          texts.forEach((text, number) => at(id).append(new Option(text, String(number))));
          at(id).parentElement.hidden = texts.length < 2;
        };
        for (const id of ["before", "after"]) options(id, data.conditions);
        options("under", data.conditions, "any condition");
        options("set", data.sets, "all sets");
        options("category", data.categories, "all categories");
        const used = Object.keys(labels).filter((key) => data.label.includes(key));
        at("label").append(new Option("all prompts", ""), ...used.map((key) => new Option(labels[key], key)));
        at("label").parentElement.hidden = used.length < 2;
        at("change").parentElement.hidden = data.conditions.length < 2;
        at("before").value = String(data.before);
        at("after").value = String(data.after);
        for (const field of fields) defaults[field] = value(field);
      };

      const reset = () => {
        for (const field of fields) at(field).value = defaults[field];
        changed();
      };
      let isWaiting = false;
      const changed = () => {
        if (isWaiting) return;
        isWaiting = true;
        requestAnimationFrame(() => { isWaiting = false; filter(); keep(); });
      };

      const page = () => Math.max(1, Math.floor(list.clientHeight / height) - 1);
      const moves = {
        ArrowDown: () => index + 1, ArrowUp: () => index - 1, PageDown: () => index + page(), PageUp: () => index - page(),
        Home: () => 0, End: () => shown.length - 1,
      };
      const listen = () => {
        for (const field of fields) at(field).addEventListener("input", changed);
        at("reset").addEventListener("click", () => { reset(); at("q").focus(); });
        list.addEventListener("scroll", draw, { passive: true });
        new ResizeObserver(draw).observe(list);
        list.addEventListener("click", (event) => {
          const option = event.target.closest("[role=option]");
          if (!option) return;
          choose(Number(option.getAttribute("aria-posinset")) - 1, true);
          detail.scrollIntoView({ block: "nearest" });
        });
        list.addEventListener("keydown", (event) => {
          if (event.ctrlKey || event.metaKey || event.altKey || !shown.length) return;
          if (event.key === "Enter") detail.focus();
          else if (moves[event.key]) choose(Math.max(0, moves[event.key]()), true);
          else return;
          event.preventDefault();
        });
        detail.addEventListener("keydown", (event) => { if (event.key === "Escape") list.focus(); });
        at("q").addEventListener("keydown", (event) => {
          if (event.key === "Escape") {
            if (value("q") === "") list.focus();
            else { at("q").value = ""; changed(); }
          } else if (event.key === "ArrowDown" || event.key === "Enter") list.focus();
          else return;
          event.preventDefault();
        });
        document.addEventListener("keydown", (event) => {
          if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
          if (event.target.closest("input, select, textarea")) return;
          at("q").focus();
          at("q").select();
          event.preventDefault();
        });
        addEventListener("hashchange", () => restore());
        addEventListener("beforeprint", () => {
          const rows = shown.slice(0, 24);
          const parts = [make("p", "note", rows.length < shown.length
            ? `The first ${rows.length} of the ${count(shown.length)} prompts that the filters leave.`
            : `The prompts that the filters leave: ${count(rows.length)}.`)];
          for (const row of rows) {
            const example = make("div", "example");
            example.append(...sheet(row, compared()));
            parts.push(example);
          }
          at("print").replaceChildren(...parts);
          for (const fold of document.querySelectorAll("details:not([open])")) {
            fold.open = true;
            fold.dataset.closed = "";
          }
        });
        addEventListener("afterprint", () => {
          at("print").replaceChildren();
          for (const fold of document.querySelectorAll("details[data-closed]")) {
            fold.open = false;
            delete fold.dataset.closed;
          }
        });
      };

      load().then((loaded) => {
        data = loaded;
        data.cut = new Set(data.cut);
        source.remove();
        root.hidden = false;
        fill();
        listen();
        restore(true);
        setTimeout(prepare, 0, 0);
      }, () => { at("failed").hidden = false; });
    })();
    """#
}
