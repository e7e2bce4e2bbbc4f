#!/usr/bin/env python3
"""Writes the man page from what the binary says about itself, so that the two cannot differ.

    Packaging/make_man.py .build/release/selfcd selfcd.1
    man -l selfcd.1
"""

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path


def escape(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    # A line that begins with a dot or a quote would be a request.
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def prose(text):
    """A line for each sentence, and none longer than 80 bytes, as mdoc wants it."""
    sentences = re.sub(r"(?<=[\w)'\"][.?!]) +(?=\S)", "\n", " ".join(text.split())).split("\n")
    return escape("\n".join("\n".join(textwrap.wrap(s, 64, break_long_words=False, break_on_hyphens=False)) for s in sentences))


def names(argument):
    return [("-" if name["kind"] == "short" else "--") + name["name"] for name in argument.get("names", [])]


def item(argument):
    value = argument.get("valueName") or ""
    if argument["kind"] == "positional":
        head = ".Ar " + escape(value)
    else:
        flags = " , ".join(("Fl " + escape(name[1:])) for name in names(argument))
        head = "." + flags + (f" Ar {escape(value)}" if argument["kind"] == "option" else "")
    lines = [f".It Xo\n{head}\n.Xc"]
    text = " ".join(part for part in (argument.get("abstract"), argument.get("discussion")) if part)
    if argument.get("allValueStrings") or argument.get("allValues"):
        text += " One of: " + ", ".join(argument.get("allValueStrings") or argument["allValues"]) + "."
    if argument.get("defaultValue") not in (None, "", "false"):
        text += f" Default: {argument['defaultValue']}."
    if text.strip():
        lines.append(prose(text))
    return "\n".join(lines)


def shown(command):
    return [a for a in command.get("arguments", []) if a.get("shouldDisplay", True) and names(a) != ["-h", "--help"]]


def discussion(text):
    """Paragraphs, and what stands indented as it is."""
    out = []
    for paragraph in text.strip().split("\n\n"):
        lines = paragraph.split("\n")
        if lines[0].isupper() and len(lines) > 1:
            out.append(f".Pp\n{escape(lines[0].capitalize())}:")
            lines = lines[1:]
        literal = all(line.startswith(" ") or not line for line in lines)
        body = "\n".join(lines)
        out.append(f".Bd -literal\n{escape(body)}\n.Ed" if literal else f".Pp\n{prose(body)}")
    # The first paragraph follows its heading without a break.
    return "\n".join(out).removeprefix(".Pp\n")


def section(command):
    lines = [f".Ss selfcd {escape(command['commandName'])}", prose(command.get("abstract", ""))]
    if command.get("discussion"):
        lines += [".Pp", discussion(command["discussion"])]
    arguments = shown(command)
    if arguments:
        lines += [".Bl -tag -width Ds", *(item(argument) for argument in arguments), ".El"]
    for child in command.get("subcommands", []):
        if child.get("shouldDisplay", True) and child["commandName"] != "help":
            child = child | {"commandName": f"{command['commandName']} {child['commandName']}"}
            lines.append(section(child))
    return "\n".join(lines)


def page(root):
    commands = [c for c in root["subcommands"] if c.get("shouldDisplay", True) and c["commandName"] != "help"]
    lines = [
        # The date of the page is not the day of the build: the same binary gives the same page.
        ".Dd $Mdocdate$", ".Dt SELFCD 1", ".Os", ".Sh NAME", ".Nm selfcd", f".Nd {escape(root['abstract'].rstrip('.'))}",
        ".Sh SYNOPSIS", ".Nm", ".Ar command", ".Op Ar options", ".Sh DESCRIPTION", discussion(root.get("discussion") or root["abstract"]),
        ".Pp", prose("Contrast can cost safety: on some models it also loses refusals of harmful requests."), ".Sh COMMANDS",
        *(section(command) for command in commands),
        ".Sh FILES", ".Bl -tag -width Ds",
        ".It Pa ~/.cache/selfcd", "What was fetched and built.", "The environment variable", ".Ev SELFCD_CACHE", "moves it.", ".El",
        ".Sh EXIT STATUS", ".Ex -std",
    ]  # fmt: skip
    return "\n".join(line for line in lines if line) + "\n"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    done = subprocess.run([sys.argv[1], "--experimental-dump-help"], check=True, capture_output=True, text=True)
    Path(sys.argv[2]).write_text(page(json.loads(done.stdout)["command"]))


if __name__ == "__main__":
    main()
