"""A chat-completions endpoint for the tests. The model's name says how it misbehaves; `/_log` lists the requests.

Prints its port, ends when standard input does.
"""

import http.server
import json
import sys
import threading
import time

LOG, COUNTS, LOCK = [], {}, threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body, headers={}):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def json(self, value, status=200, headers={}):
        self.reply(status, json.dumps(value).encode(), headers)

    def answer(self, text):
        self.json(
            {
                "choices": [{"index": 0, "message": {"role": "assistant", "content": text}}],
                "usage": {"prompt_tokens": 40, "completion_tokens": 2, "total_tokens": 42},
            }
        )

    def do_GET(self):
        self.json(LOG)

    def do_POST(self):
        try:
            self.route()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def route(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model = body["model"]
        with LOCK:
            times = COUNTS[model] = COUNTS.get(model, 0) + 1
            LOG.append({"path": self.path, "authorization": self.headers.get("Authorization"), "body": body})
        if model == "limited" and times <= 2:
            return self.json({"error": {"message": "slow down"}}, 429, {"Retry-After": "3"})
        if model == "flaky" and times == 1:
            return self.reply(502, b"<html>Bad\n gateway</html>")
        if model == "down":
            return self.json({"message": "out of memory"}, 500)
        if model == "locked":
            return self.json({"error": {"message": f"Bad key {self.headers['Authorization']}"}}, 401)
        if model == "broken":
            return self.reply(200, b'{"choices": [{"mess')
        if model == "hollow":
            return self.json({"choices": []})
        if model == "unsure" and "exam" in body["messages"][-1]["content"]:
            return self.answer("hm")
        if model == "mute":
            return self.answer(None)
        if model == "moved":
            return self.reply(308, b"", {"Location": "https://elsewhere.example/v1"})
        if model == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"choices"')
            self.close_connection = True
            return
        if model == "endless":
            self.send_response(200)
            self.end_headers()
            for _ in range(60000):
                self.wfile.write(b" " * 10)
                self.wfile.flush()
                time.sleep(0.01)
            self.close_connection = True
            return
        if model == "vast":
            return self.reply(200, b" " * (9 << 20))
        if model == "silent":
            return time.sleep(600)
        self.answer("2_full_refusal")


SERVER = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
SERVER.daemon_threads = True
threading.Thread(target=SERVER.serve_forever, daemon=True).start()
print(SERVER.server_port, flush=True)
sys.stdin.read()
