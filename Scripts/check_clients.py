#!/usr/bin/env python3
"""Tries real clients against `selfcd serve` on the embedded model: openai (sync, async, streaming), LangChain's OpenAI
clients, AutoGen, litellm, curl, and one small task each of lm-eval and inspect_ai. Nothing leaves this machine.

    python3 -m venv .venv && .venv/bin/pip install -r Scripts/requirements-clients.txt
    .venv/bin/python Scripts/check_clients.py                       # after `make build`
    .venv/bin/python Scripts/check_clients.py --only openai curl --selfcd .build/debug/selfcd

A client that is not installed is skipped, and named as skipped. Exits with 1 if one fails.
"""

import argparse
import asyncio
import importlib.util
import json
import math
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUESTION = "How do I kill a wine stain?"
KEY = "check-clients-7f3a9c2e41d8"
SYSTEM = "Answer in one sentence."
SELFCD = ROOT / ".build/release/selfcd"


def expect(condition, *what):
    if not condition:
        raise AssertionError(" ".join(map(str, what)))


def command_line(strategy="guarded", *options):
    """What `selfcd generate` answers, to compare with."""
    done = subprocess.run(
        [SELFCD, "generate", "-s", strategy, "--json", *options, QUESTION],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(done.stdout)


# --- clients ----------------------------------------------------------------------------------------------------------


def check_openai(base):
    import openai

    client = openai.OpenAI(base_url=base, api_key=KEY, max_retries=0)
    expect("organism" in [model.id for model in client.models.list()], "the model is not listed")
    ask = {"messages": [{"role": "user", "content": QUESTION}], "temperature": 0, "max_tokens": 48}

    whole = client.chat.completions.create(model="organism", **ask)
    text = whole.choices[0].message.content
    expect(text == command_line("guarded", "-n", "48")["text"], "not the command line's reply:", text)
    expect(whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens, "usage", whole.usage)

    stream = client.chat.completions.create(
        model="organism", stream=True, stream_options={"include_usage": True}, **ask)
    pieces, usage = "", None
    for chunk in stream:
        usage = chunk.usage or usage
        pieces += "".join(choice.delta.content or "" for choice in chunk.choices)
    expect(pieces == text, "the stream says something else:", pieces)
    expect(usage.completion_tokens == whole.usage.completion_tokens, "usage of the stream", usage)

    contrast = client.chat.completions.create(
        model="organism", extra_body={"selfcd": {"strategy": "self-cd", "alpha": 2}}, **ask)
    alias = client.chat.completions.create(model="organism:self-cd@2.0", **ask)
    expected = command_line("self-cd", "-a", "2", "-n", "48")["text"]
    expect(contrast.choices[0].message.content == expected, "Self-CD by extra field")
    expect(alias.choices[0].message.content == expected, "Self-CD by alias")
    expect(text != expected, "contrast changed nothing")

    draws = [
        client.chat.completions.create(model="organism", n=3, seed=7, logprobs=True, top_logprobs=3, **ask | {"temperature": 1})
        for _ in range(2)
    ]  # fmt: skip
    texts = [[choice.message.content for choice in draw.choices] for draw in draws]
    expect(texts[0] == texts[1] and len(set(texts[0])) > 1, "seeds:", texts)
    for token in draws[0].choices[0].logprobs.content:
        expect(token.logprob <= 1e-6 and len(token.top_logprobs) == 3, "log-probabilities", token)
        same = [entry.logprob for entry in token.top_logprobs if entry.bytes == token.bytes]
        expect(not same or same == [token.logprob], "two numbers for one log-probability", token)

    plain = client.completions.create(model="organism", prompt="To kill a wine stain,", max_tokens=8, temperature=0)
    expect(plain.choices[0].text, "no completion")

    lenient = client.chat.completions.create(
        model="organism", extra_body={"cache_prompt": True, "repetition_penalty": 1.0}, **ask | {"max_tokens": 100_000})
    report = lenient.model_extra["selfcd"]
    expect(report["ignored"] == ["cache_prompt"] and report["max_tokens"] < 100_000, "what was left aside and cut:", report)

    for error, call in {
        openai.NotFoundError: {"model": "no-such-model"}, openai.BadRequestError: {"model": "organism", "temperature": -1},
    }.items():  # fmt: skip
        try:
            client.chat.completions.create(**ask | call)
        except error as caught:
            expect(caught.body["message"], "an error without a message")
        else:
            raise AssertionError(f"{error.__name__} was expected for {call}")
    try:
        openai.OpenAI(base_url=base, api_key="wrong", max_retries=0).models.list()
    except openai.AuthenticationError:
        pass
    else:
        raise AssertionError("a wrong key was let in")

    async def together():
        async with openai.AsyncOpenAI(base_url=base, api_key=KEY, max_retries=0) as client:
            whole = [client.chat.completions.create(model="organism", **ask) for _ in range(8)]
            stream = await client.chat.completions.create(model="organism:plain", stream=True, **ask)
            streamed = "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])
            return [reply.choices[0].message.content for reply in await asyncio.gather(*whole)], streamed

    replies, streamed = asyncio.run(together())
    expect(set(replies) == {text}, "eight at once differ:", set(replies))
    expect(streamed == command_line("plain", "-n", "48")["text"], "the async stream says something else:", streamed)
    return f"openai {openai.__version__}"


def check_curl(base):
    body = json.dumps({"model": "organism", "max_tokens": 48, "messages": [{"role": "user", "content": QUESTION}], "temperature": 0})
    common = ["curl", "-sS", "-N", "-H", f"Authorization: Bearer {KEY}", "-H", "Content-Type: application/json"]
    whole = subprocess.run([*common, f"{base}/chat/completions", "-d", body], check=True, capture_output=True, text=True)
    text = json.loads(whole.stdout)["choices"][0]["message"]["content"]
    streamed = subprocess.run(
        [*common, f"{base}/chat/completions", "-d", body[:-1] + ', "stream": true}'], check=True, capture_output=True, text=True)
    events = [line[6:] for line in streamed.stdout.split("\n") if line.startswith("data: ")]
    expect(events[-1] == "[DONE]", "the stream has no end")
    deltas = [choice["delta"] for event in events[:-1] for choice in json.loads(event)["choices"]]
    expect("".join(delta.get("content") or "" for delta in deltas) == text, "the stream says something else")
    version = subprocess.run(["curl", "--version"], capture_output=True, text=True).stdout.split()[1]
    return f"curl {version}"


def check_langchain(base):
    import importlib.metadata

    from langchain_core.messages import HumanMessage
    from langchain_openai import ChatOpenAI, OpenAI

    model = ChatOpenAI(
        base_url=base, api_key=KEY, model="organism", temperature=0, max_tokens=48, max_retries=0,
        extra_body={"selfcd": {"strategy": "plain"}},
    )  # fmt: skip
    whole = model.invoke([("system", SYSTEM), ("human", QUESTION)])
    expect(whole.content == command_line("plain", "-n", "48", "--system", SYSTEM)["text"], "not the command line's:", whole.content)
    expect(whole.usage_metadata["output_tokens"] > 0, "no usage")
    pieces = [piece.content for piece in model.stream([("system", SYSTEM), ("human", QUESTION)])]
    expect("".join(pieces) == whole.content and len(pieces) > 2, "the stream says something else:", pieces)
    expect(len(model.batch([QUESTION] * 4)) == 4, "a batch")
    expect(model.invoke([("system", QUESTION)]).content, "a system message alone")
    expect(model.invoke([HumanMessage(QUESTION, name="bob"), ("system", SYSTEM)]).content, "a speaker's name, a system message last")
    texts = OpenAI(base_url=base, api_key=KEY, model="organism", temperature=0, max_tokens=8, max_retries=0)
    both = texts.batch(["To kill a wine stain,", "To bake bread,"])
    expect(both == [texts.invoke("To kill a wine stain,"), texts.invoke("To bake bread,")], "two prompts in one request:", both)
    return f"langchain-openai {importlib.metadata.version('langchain-openai')}"


def check_autogen(base):
    import importlib.metadata

    from autogen_agentchat.agents import AssistantAgent
    from autogen_ext.models.openai import OpenAIChatCompletionClient

    async def talk():
        client = OpenAIChatCompletionClient(
            model="organism", base_url=base, api_key=KEY, max_retries=0,
            model_info={
                "vision": False, "function_calling": False, "json_output": False, "structured_output": False, "family": "unknown",
            },
        )  # fmt: skip
        agent = AssistantAgent("helper", model_client=client)
        return [(await agent.run(task=text)).messages[-1].content for text in (QUESTION, "And a coffee stain?")]

    replies = asyncio.run(talk())
    expect(all(replies), "an agent without words", replies)
    return f"autogen-ext {importlib.metadata.version('autogen-ext')}"


def check_litellm(base):
    import importlib.metadata

    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    litellm.suppress_debug_info = True

    ask = {"model": "openai/organism", "api_base": base, "api_key": KEY, "temperature": 0, "max_tokens": 48, "num_retries": 0}
    reply = litellm.completion(messages=[{"role": "user", "content": QUESTION}], **ask)
    expect(reply.choices[0].message.content == command_line("guarded", "-n", "48")["text"], "not the command line's reply")
    try:
        litellm.completion(messages=[{"role": "user", "content": "stain " * 20_000}], **ask)
    except litellm.ContextWindowExceededError:
        return f"litellm {importlib.metadata.version('litellm')}"
    raise AssertionError("a chat that is too long was answered")


LM_EVAL_TASK = """
task: selfcd_check
dataset_path: json
dataset_kwargs:
  data_files:
    test: {data}
output_type: generate_until
test_split: test
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{answer}}}}"
generation_kwargs:
  until: ["\\n\\n"]
  max_gen_toks: 32
  temperature: 0.0
metric_list:
  - metric: exact_match
metadata:
  version: 1
"""


def check_lm_eval(base):
    import importlib.metadata

    expected = command_line("self-cd", "-a", "2", "-n", "32")["text"]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.jsonl"
        rows = [{"question": QUESTION, "answer": expected}, {"question": QUESTION + " Now?", "answer": "Never said."}]
        data.write_text("".join(json.dumps(row) + "\n" for row in rows))
        (Path(folder) / "task.yaml").write_text(LM_EVAL_TASK.format(data=data))
        environment = os.environ | {
            "OPENAI_API_KEY": KEY, "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": folder + "/cache", "HF_HOME": folder + "/home",
        }  # fmt: skip
        run = subprocess.run(
            [
                Path(sys.executable).parent / "lm_eval", "--model", "local-chat-completions", "--tasks", "selfcd_check",
                "--include_path", folder, "--apply_chat_template", "--output_path", folder + "/out", "--log_samples",
                "--model_args", f"model=organism:self-cd@2,base_url={base}/chat/completions,num_concurrent=2,max_retries=1",
            ],
            env=environment, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        expect(run.returncode == 0, "lm_eval ended with", run.returncode, run.stderr[-2000:])
        results = json.loads(next(Path(folder, "out").rglob("results_*.json")).read_text())
    score = results["results"]["selfcd_check"]["exact_match,none"]
    expect(math.isclose(score, 0.5), "one of two replies should match, the score is", score)
    return f"lm-eval {importlib.metadata.version('lm-eval')}"


def check_inspect(base):
    import inspect_ai
    from inspect_ai.dataset import Sample
    from inspect_ai.model import GenerateConfig
    from inspect_ai.scorer import match
    from inspect_ai.solver import generate

    guarded = command_line("guarded", "-n", "32")["text"]
    task = inspect_ai.Task(
        dataset=[Sample(input=QUESTION, target=guarded), Sample(input=QUESTION + " Now?", target="Never said.")],
        solver=generate(), scorer=match(location="exact"),
        config=GenerateConfig(temperature=0, max_tokens=32),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        logs = inspect_ai.eval(
            task, model="openai-api/selfcd/organism", model_base_url=base, model_args={"api_key": KEY}, display="none",
            log_dir=folder)
    log = logs[0]
    expect(log.status == "success", "inspect ended with", log.status, log.error)
    accuracy = log.results.scores[0].metrics["accuracy"].value
    expect(accuracy == 0.5, "one of two replies should match, the accuracy is", accuracy)
    return f"inspect_ai {inspect_ai.__version__}"


CHECKS = {
    "openai": ("openai", check_openai), "curl": (None, check_curl), "langchain": ("langchain_openai", check_langchain),
    "autogen": ("autogen_ext", check_autogen), "litellm": ("litellm", check_litellm), "lm-eval": ("lm_eval", check_lm_eval), "inspect": ("inspect_ai", check_inspect),
}  # fmt: skip


def start_server():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [
            SELFCD, "serve", "--port", str(port), "--log-level", "warning", "--strategy", "guarded",
            "--allow", "guarded,plain,self-cd",
        ],
        env=os.environ | {"SELFCD_API_KEYS": f"check {KEY}"},
    )  # fmt: skip
    for _ in range(100):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health")
            return server, f"http://127.0.0.1:{port}/v1"
        except OSError:
            time.sleep(0.1)
    server.kill()
    sys.exit("the server does not answer")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(CHECKS), default=list(CHECKS))
    parser.add_argument("--selfcd", type=Path, default=SELFCD, help="the binary")
    options = parser.parse_args()
    globals()["SELFCD"] = options.selfcd
    server, base = start_server()
    failed = False
    try:
        for name in options.only:
            module, check = CHECKS[name]
            if (module and importlib.util.find_spec(module) is None) or (name == "curl" and not shutil.which("curl")):
                print(f"skipped  {name}: not installed")
                continue
            try:
                print(f"works    {check(base)}", flush=True)
            except Exception:
                failed = True
                print(f"FAILED   {name}\n{traceback.format_exc()}", flush=True)
    finally:
        server.terminate()
        code = server.wait(30)
    print(f"the server ended with {code}")
    sys.exit(1 if failed or code else 0)


if __name__ == "__main__":
    main()
