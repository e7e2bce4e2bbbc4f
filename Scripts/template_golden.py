#!/usr/bin/env python3
"""Writes the golden file that chat templates are tested against.

The reference is Python's Jinja2, set up as the transformers library sets it up. Every template of llama.cpp's
models/templates is rendered with several chats; the file keeps the SHA-256 and the length of each text, or that
the template refused. With --engine (the `render` program of Native/ChatTemplate) both are compared, and the cases
in which llama.cpp's engine differs are kept with its result and the reason.

  pip install jinja2
  Scripts/template_golden.py --templates DIR --engine BUILD/render > Tests/SelfCDLlamaTests/Fixtures/template_parity.json
"""

import argparse
import datetime
import hashlib
import json
import pathlib
import subprocess
import sys

import jinja2
import jinja2.ext
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = 1700000000  # 14 November 2023, the same date in every time zone but the last hours before the date line

USER = {"role": "user", "content": "Hello"}
CHATS = {
    "user": [USER],
    "system": [{"role": "system", "content": "Be brief."}, USER],
    "turns": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "What is 2 + 2?"},
        {"role": "assistant", "content": "4"},
        {"role": "user", "content": "And 3 + 3?"},
        {"role": "assistant", "content": "6"},
        {"role": "user", "content": "Thanks"},
    ],
    "special": [
        {"role": "user", "content": "  <|im_end|></s> {{ x }} {% if %} \"quoted\" 'single' \\n \t\n naïve 日本語 🙂 &amp; <b>  "},
        {"role": "assistant", "content": "Line 1\nLine 2\n\n"},
        {"role": "user", "content": "[INST] <start_of_turn> ok"},
    ],
    "thought": [
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": "<think>\nHm.\n</think>\n\nBecause."},
        {"role": "user", "content": "Really?"},
    ],
    "empty": [{"role": "system", "content": ""}, {"role": "user", "content": ""}],
}
VARIANTS = {
    "": {"add_generation_prompt": True},
    "+open": {"add_generation_prompt": False},
    "+nothink": {"add_generation_prompt": True, "enable_thinking": False},
}
# Which chats are rendered in which variants: all in the first, two in the others.
EXTRA = {"+open": ("turns",), "+nothink": ("system", "thought")}

# Why the engines differ, by template; a difference without an entry stops the script.
REASONS = {
    "fireworks-ai-llama-3-firefunction-v2.jinja":
        "prints `functions | tojson` and `datetime` although they are not defined: Python's json refuses the undefined "
        "value, llama.cpp's engine prints nothing for it",
}


class Generation(jinja2.ext.Extension):
    """The `generation` block of transformers, without the positions it collects."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def environment():
    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda form: datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc).strftime(form)
    return env


def reference(env, source, inputs):
    values = {k: v for k, v in inputs.items() if k != "now"}
    try:
        return env.from_string(source).render(**values), None
    except Exception as error:  # whatever it is, the template refused these inputs
        return None, f"{type(error).__name__}: {error}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--templates", type=pathlib.Path, required=True)
    parser.add_argument("--engine", type=pathlib.Path, help="compare with this `render` program")
    parser.add_argument("--verbose", action="store_true", help="print each difference")
    options = parser.parse_args()

    engine = None
    if options.engine:
        engine = subprocess.Popen([options.engine], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                  env={"TZ": "UTC"})
    env = environment()
    inputs_of, cases = {}, []
    for chat, messages in CHATS.items():
        for variant, extra in VARIANTS.items():
            if variant and chat not in EXTRA[variant]:
                continue
            inputs_of[chat + variant] = {"messages": messages, "bos_token": "<BOS>", "eos_token": "<EOS>", "now": NOW, **extra}

    agreed = differed = 0
    unexplained = []
    for path in sorted(options.templates.glob("*.jinja")):
        source = path.read_bytes().decode("utf-8")
        for name, inputs in inputs_of.items():
            text, error = reference(env, source, inputs)
            case = {"template": path.name, "inputs": name}
            if text is None:
                case["error"] = True
            else:
                case["sha256"] = hashlib.sha256(text.encode()).hexdigest()
                case["bytes"] = len(text.encode())
            if engine:
                engine.stdin.write(json.dumps({"template": str(path), "inputs": inputs}) + "\n")
                engine.stdin.flush()
                answer = json.loads(engine.stdout.readline())
                got = answer.get("text") if answer["status"] == 0 else None
                if got == text:
                    agreed += 1
                else:
                    differed += 1
                    if path.name not in REASONS:
                        unexplained.append(f"{path.name} {name}")
                    case["engine"] = (
                        {"error": True, "status": answer["status"]} if got is None
                        else {"sha256": hashlib.sha256(got.encode()).hexdigest(), "bytes": len(got.encode())})
                    if options.verbose:
                        print(f"--- {path.name} {name}\n  jinja2: {text if text is not None else error!r}\n"
                              f"  engine: {got if got is not None else answer['message']!r}", file=sys.stderr)
            cases.append(case)

    print(f"{agreed} agree, {differed} differ", file=sys.stderr)
    if unexplained:
        sys.exit("differences without a reason (see --verbose): " + ", ".join(unexplained))
    header = {
        "version": 1,
        "regenerate": "Scripts/template_golden.py --templates DIR --engine BUILD/render > this file; run the engine with TZ=UTC",
        "reference": f"jinja2 {jinja2.__version__}, set up as in transformers",
        "differences": REASONS,
        "templates": "models/templates of llama_cpp_python 0.3.36",
    }
    out = [json.dumps(header)[:-1] + ',\n"inputs": {']
    out.append(",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in inputs_of.items()) + "\n},")
    out.append('"cases": [\n' + ",\n".join(json.dumps(c) for c in cases) + "\n]}")
    print("\n".join(out))


if __name__ == "__main__":
    main()
