"""A model hub for the tests, with repositories that misbehave. Prints its port, ends when standard input does.

Every repository is named after what it does; `/_log` lists the requests so far. Downloads may be served by a second
port, as the real hub's content network does.
"""

import hashlib
import http.server
import json
import random
import re
import sys
import threading
import time
import urllib.parse
import zlib

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LOG, COUNTS, LOCK = [], {}, threading.Lock()


def content(name, size):
    return random.Random(name).randbytes(size)


def entry(path, size, large=True, announced=None):
    data = content(path, size)
    blob = hashlib.sha1(b"blob %d\0" % size + data).hexdigest()
    result = {"type": "file", "path": path, "oid": blob, "size": announced or size}
    if large:
        result["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": announced or size, "pointerSize": 130}
    return result


def one(size=300_000):
    return [entry("README.md", 100, large=False), entry("m-Q4_K_M.gguf", size)]


REPOSITORIES = {
    "tiny": [
        entry("README.md", 100, large=False),
        entry("mmproj-Q4_K_M.gguf", 1000),
        entry("tiny-F16.gguf", 5000),
        entry("sub folder/tiny é-Q5_K_M.gguf", 4000),
        entry("tiny-Q4_K_M.gguf", 300_000),
        entry("tiny-Q8_0.gguf", 3000, large=False),
        {"type": "directory", "path": "sub folder", "oid": "0" * 40, "size": 0},
    ],
    "split": [entry(f"big/s-Q4_K_M-0000{i}-of-00003.gguf", 70_000 + i) for i in (1, 2, 3)],
    "halfsplit": [entry(f"s-Q4_K_M-0000{i}-of-00003.gguf", 1000) for i in (1, 3)],
    "evil": [entry("../../../evil-Q4_K_M.gguf", 10), entry("/evil-Q4_K_M.gguf", 10)] + one(1000),
    "huge": [entry("h-Q4_K_M.gguf", 1000, announced=1 << 60)],
    "nomodel": [entry("model.safetensors", 1000)],
    "paged": one(1000),
}


# A model inside an archive: compressed after a header, as in a zip file, with other things behind it.
MODEL = content("model", 100_000) * 3
_compressor = zlib.compressobj(6, zlib.DEFLATED, -15)
PACKED = _compressor.compress(MODEL) + _compressor.flush()
ARCHIVE = b"PK" + bytes(71) + PACKED + b"directory"


def archive_facts():
    return {
        "archiveSize": len(ARCHIVE),
        "archiveSHA256": hashlib.sha256(ARCHIVE).hexdigest(),
        "memberStart": 73,
        "memberEnd": 73 + len(PACKED),
        "size": len(MODEL),
        "sha256": hashlib.sha256(MODEL).hexdigest(),
    }


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body=b"", headers={}, length=None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def json(self, value, status=200, headers={}):
        self.reply(status, json.dumps(value).encode(), headers | {"Content-Type": "application/json"})

    def refuse(self, status, code, message):
        self.json({"error": message}, status, {"X-Error-Code": code, "X-Error-Message": message})

    def count(self, key):
        with LOCK:
            COUNTS[key] = COUNTS.get(key, 0) + 1
            return COUNTS[key]

    def do_GET(self):
        try:
            self.route()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def route(self):
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        if path == "/_log":
            return self.json(LOG)
        if path == "/_archive":
            return self.json(archive_facts())
        with LOCK:
            LOG.append(
                {
                    "path": path,
                    "authorization": self.headers.get("Authorization"),
                    "range": self.headers.get("Range"),
                    "encoding": self.headers.get("Accept-Encoding"),
                    "isContent": self.server is CONTENT,
                }
            )
        self.token = self.headers.get("Authorization")
        if found := re.fullmatch(r"/api/models/acme/([a-z]+)/revision/(.+)", path):
            return self.revision(*found.groups())
        if found := re.fullmatch(r"/api/models/acme/([a-z]+)/tree/([0-9a-f]{40})", path):
            return self.tree(found[1])
        if found := re.fullmatch(r"/acme/([a-z]+)/resolve/([0-9a-f]{40})/(.+)", path):
            return self.resolve(found[1], found[3])
        self.refuse(404, "RepoNotFound", "Repository not found")

    def revision(self, name, revision):
        if name == "private":
            return self.refuse(401, "RepoNotFound", "Invalid username or password.")
        if name == "noise":
            return self.reply(200, b"<html>Please log in to the airport's network</html>")
        if name == "limited":
            return self.json({"error": "rate limit"}, 429)
        if name == "busy" and self.count("busy") <= 2:
            return self.json({"error": "overloaded"}, 503)
        if revision not in ("main", "v2/x", COMMIT):
            return self.refuse(404, "RevisionNotFound", "Invalid rev id")
        self.json({"sha": COMMIT})

    def tree(self, name):
        entries = REPOSITORIES.get(name, one())
        if name == "paged":
            page = int(dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query)).get("cursor", 0))
            rest = page + 1 < len(entries)
            link = {"Link": f'<{self.path.split("?")[0]}?recursive=true&cursor={page + 1}>; rel="next"'}
            return self.json(entries[page : page + 1], headers=link if rest else {})
        self.json(entries)

    def resolve(self, name, path):
        if name == "gated" and self.token != "Bearer hf_good":
            return self.refuse(403 if self.token else 401, "GatedRepo", "Access to model acme/gated is restricted.")
        if name == "away" and self.server is not CONTENT:
            place = f"http://127.0.0.1:{CONTENT.server_port}{self.path}"
            return self.reply(302, b"elsewhere", {"Location": place})
        if name == "circle":
            return self.reply(302, b"", {"Location": self.path})
        if path == "archive.whl":
            data = ARCHIVE
        else:
            data = content(path, next(e["size"] for e in REPOSITORIES.get(name, one()) if e["path"] == path))
        if name.startswith("short"):
            data = data[: len(data) * 2 // 3]
        size = len(data)
        times = self.count(name)
        if name == "damaged" and times == 1:
            data = data[:500] + b"\0" * 10 + data[510:]
        start, end = 0, size - 1
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")
        if wanted and (name == "alwaysbad" or int(wanted[1]) >= size):
            return self.reply(416, headers={"Content-Range": f"bytes */{size}"})
        if wanted and name not in ("norange", "cutnorange"):
            start, end = int(wanted[1]), min(int(wanted[2]), size - 1)
            if name == "liar" and start:
                start -= 1
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{end}/{'*' if name == 'shortuntold' else size}")
        else:
            self.send_response(200)
        body = data[start : end + 1]
        self.send_header("Content-Length", str(len(body) + (10 if name == "chatty" else 0)))
        self.end_headers()
        if name == "dead":
            body = b""
        if name in ("cut", "cutnorange", "dead") and times <= 3 or name == "dead":
            self.wfile.write(body[:40_000])
            self.wfile.flush()
            self.close_connection = True
            return
        if name == "slow":
            for position in range(0, len(body), 10_000):
                self.wfile.write(body[position : position + 10_000])
                self.wfile.flush()
                time.sleep(0.05 if times == 1 else 0)
            return
        if name == "halting" and times == 1:
            # Stops in the middle until the client goes away, however long a busy machine takes for that.
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self.connection.settimeout(600)
            self.rfile.read(1)
            return
        self.wfile.write(body + (b"0123456789" if name == "chatty" else b""))


HUB = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
CONTENT = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
for server in (HUB, CONTENT):
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
print(HUB.server_port, flush=True)
sys.stdin.read()
