/// The labelling page's script. It is a literal, so that the page's policy can name its hash, and reads everything else
/// from the page.
enum AuditScript {
  static let js: StaticString = #"""
    "use strict";
    (() => {
      const at = (id) => document.getElementById(id);
      const list = at("rows");
      const rows = [...list.children].map((row) => ({
        id: row.dataset.id, prompt: row.children[0].textContent, reply: row.children[1].textContent,
      }));
      const buttons = [...document.querySelectorAll("[data-label]")];
      const names = buttons.map((button) => button.dataset.label);
      const place = "selfcd-audit-" + list.dataset.audit;
      let labels = {};
      let index = 0;
      let isKept = true;

      // What is kept may be missing, damaged or forbidden: none of that may stop a reader.
      const load = () => {
        try {
          const kept = JSON.parse(localStorage.getItem(place) || "{}");
          for (const row of rows) if (names.includes(kept[row.id])) labels[row.id] = kept[row.id];
        } catch { isKept = false; }
      };
      const keep = () => {
        try { localStorage.setItem(place, JSON.stringify(labels)); isKept = true; } catch { isKept = false; }
      };
      const count = () => Object.keys(labels).length;

      const show = () => {
        const row = rows[index];
        at("prompt").textContent = row.prompt;
        at("reply").textContent = row.reply.trim() === "" ? "(an empty reply)" : row.reply;
        at("reply").classList.toggle("empty", row.reply.trim() === "");
        for (const button of buttons) {
          button.setAttribute("aria-pressed", String(labels[row.id] === button.dataset.label));
        }
        const left = rows.length - count();
        at("place").textContent = `${index + 1} of ${rows.length} · `
          + (left > 0 ? `${count()} labelled, ${left} left` : "all labelled: save them")
          + (isKept ? "" : " · this browser keeps nothing: save before you close the page");
        at("progress").value = count();
        at("back").disabled = index === 0;
        at("forth").disabled = index === rows.length - 1;
        at("open").disabled = left === 0;
        at("save").classList.toggle("done", left === 0);
      };
      const go = (to) => {
        const next = Math.min(rows.length - 1, Math.max(0, to));
        if (next !== index) { index = next; window.scrollTo(0, 0); }
        show();
      };
      const label = (name) => {
        if (name === undefined) delete labels[rows[index].id]; else labels[rows[index].id] = name;
        keep();
        go(name === undefined ? index : index + 1);
      };
      // The next one behind this place, else from the start.
      const open = () => {
        const isOpen = (row) => !(row.id in labels);
        const behind = rows.findIndex((row, number) => number > index && isOpen(row));
        const found = behind >= 0 ? behind : rows.findIndex(isOpen);
        if (found >= 0) go(found);
      };
      const save = () => {
        const lines = ["id,label", ...rows.map((row) => `${row.id},${labels[row.id] || ""}`)];
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob([lines.join("\r\n") + "\r\n"], { type: "text/csv" }));
        link.download = list.dataset.file;
        document.body.append(link);
        link.click();
        link.remove();
        setTimeout(() => URL.revokeObjectURL(link.href), 10000);
      };

      for (const button of buttons) button.addEventListener("click", () => label(button.dataset.label));
      at("back").addEventListener("click", () => go(index - 1));
      at("forth").addEventListener("click", () => go(index + 1));
      at("open").addEventListener("click", open);
      at("save").addEventListener("click", save);
      document.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
        const number = ["1", "2", "3", "4"].indexOf(event.key);
        if (number >= 0) label(names[number]);
        else if (event.key === "0") label(undefined);
        else if (event.key === "ArrowLeft") go(index - 1);
        else if (event.key === "ArrowRight") go(index + 1);
        else return;
        event.preventDefault();
      });
      load();
      if (rows.length > 0) { show(); if (rows[0].id in labels) open(); }
    })();
    """#
}
