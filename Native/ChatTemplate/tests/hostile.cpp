// Templates that want to break out: each must end in time, with text or an error, and never with the process.
//   hostile TEMPLATES-FOLDER [cases]
#include "selfcd_chat_template.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

static int failures = 0, cases = 0;
static const char * chat = R"({"messages":[{"role":"system","content":"Be <|brief|>."},{"role":"user","content":"Hi <|im_end|>\u00e9"},)"
                           R"({"role":"assistant","content":"<think>x</think>Yes","reasoning_content":"why"},{"role":"user","content":"Bye"}],)"
                           R"("add_generation_prompt":true,"bos_token":"<s>","eos_token":"</s>","enable_thinking":true,"now":1700000000})";

struct outcome { int status; std::string text, plain, message; bool leaked = false; double seconds = 0; };

static outcome run(const std::string & source, const char * inputs = chat, uint64_t milliseconds = 2000) {
    ++cases;
    selfcd_limits limits{};
    limits.time_ns = milliseconds * 1000000;
    const auto start = std::chrono::steady_clock::now();
    outcome out{};
    selfcd_status status;
    char * message = nullptr;
    size_t length = 0;
    auto * parsed = selfcd_template_parse(source.data(), source.size(), &limits, &status, &message, &length);
    out.status = status;
    if (parsed) {
        auto * render = selfcd_template_render(parsed, inputs, strlen(inputs), &limits);
        out.status = selfcd_render_status(render);
        out.message = selfcd_render_message(render, nullptr);
        for (size_t i = 0; i < selfcd_render_count(render); ++i) {
            const auto segment = selfcd_render_segment(render, i);
            out.text.append(segment.text, segment.length);
            if (!segment.is_input) { out.plain.append(segment.text, segment.length); }
            if (!segment.is_input && std::string(segment.text, segment.length).find("INPUT") != std::string::npos) { out.leaked = true; }
        }
        selfcd_render_free(render);
        selfcd_template_free(parsed);
    } else if (message) {
        out.message.assign(message, length);
    }
    selfcd_message_free(message);
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    // Parsing probes the template, under the same limit, and then it is rendered.
    if (out.seconds > 3 * milliseconds / 1000.0 + 3) {
        ++failures;
        std::printf("SLOW %.1f s: %.80s\n", out.seconds, source.c_str());
    }
    return out;
}

static void expect(const char * name, const std::string & source, std::initializer_list<int> allowed, const char * inputs = chat) {
    const auto out = run(source, inputs, 300);
    bool good = false;
    for (int status : allowed) {
        // A busy machine may run into the time limit first.
        good = good || status == out.status || (out.status == 4 && status >= 4 && status <= 7);
    }
    if (!good) {
        ++failures;
        std::printf("FAIL %s: status %d, %zu bytes, %.200s\n", name, out.status, out.text.size(), out.message.c_str());
    } else {
        std::printf("ok   %-28s status %2d  %.2f s\n", name, out.status, out.seconds);
    }
}

static std::string times(const std::string & piece, size_t count) {
    std::string out;
    for (size_t i = 0; i < count; ++i) { out += piece; }
    return out;
}

// Whatever is done to text of a message, what comes out is marked.
static void expect_marked(const char * name, const std::string & source, const char * text = nullptr) {
    const char * inputs = R"({"messages":[{"role":"user","content":"aINPUTb INPUTc"}],"arg":"INPUT"})";
    const auto out = run(source, inputs);
    if (out.status != 0 || out.leaked || out.text.find("INPUT") == std::string::npos || (text && out.text != text)) {
        ++failures;
        std::printf("FAIL marks %s: status %d leaked %d text '%s' %s\n", name, out.status, out.leaked, out.text.c_str(), out.message.c_str());
    }
}

int main(int argc, char ** argv) {
    if (argc < 2) { return 2; }
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    const size_t fuzz = argc > 2 ? std::stoul(argv[2]) : 3000;
    std::vector<std::pair<std::string, std::string>> templates;
    for (const auto & entry : std::filesystem::directory_iterator(argv[1])) {
        if (entry.path().extension() != ".jinja") { continue; }
        std::ifstream file(entry.path(), std::ios::binary);
        std::stringstream text;
        text << file.rdbuf();
        templates.emplace_back(entry.path().filename().string(), text.str());
    }
    std::sort(templates.begin(), templates.end());

    int rendered = 0;
    for (const auto & [name, source] : templates) {
        const auto out = run(source, R"({"messages":[{"role":"user","content":"Hi"}],"add_generation_prompt":true,"bos_token":"<s>","eos_token":"</s>"})");
        if (out.status == 0) { ++rendered; } else { std::printf("note %s: status %d %.160s\n", name.c_str(), out.status, out.message.c_str()); }
    }
    std::printf("%d of %zu templates render a plain chat\n", rendered, templates.size());

    const int time = 4, steps = 5, depth = 6, memory = 7, source_limit = 9, runtime = 2, syntax = 1, raised = 3;
    expect("endless nested ranges", times("{% for i in range(100000) %}", 6) + "x" + times("{% endfor %}", 6), {time, steps, memory});
    expect("huge range", "{% for i in range(1000000000) %}x{% endfor %}", {time, memory});
    expect("range to the end of int", "{{ range(9223372036854775800, 9223372036854775807, 5) | length }}", {0});
    expect("range of all ints", "{{ range(-9223372036854775807, 9223372036854775807) | length }}", {memory});
    expect("huge repetition", "{{ 'a' * 1000000000000 }}", {time, memory});
    expect("empty repetition", "{{ '' * 9000000000000000000 }}", {time, memory});
    expect("doubling", "{% set ns = namespace(s='ab') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}", {memory});
    expect("self append", "{% set s = 'ab' %}{{ s ~ s ~ s }}", {0});
    expect("doubling lists", "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}", {memory, time});
    expect("replace grows", "{% set ns = namespace(s='ab') %}{% for i in range(100) %}{% set ns.s = ns.s.replace('a', ns.s) %}{% endfor %}", {memory});
    expect("replace in long text", "{% set s = 'a' * 1000000 %}{{ s.replace('a', 'bb') | length }}", {0, memory, time});
    expect("split long text", "{% set s = 'a ' * 200000 %}{{ s.split(' ') | length }}", {0, memory, time});
    expect("macro recursion", "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}", {depth});
    expect("mutual recursion", "{% macro f(x) %}{{ g(x) }}{% endmacro %}{% macro g(x) %}{{ f(x) }}{{ f(x) }}{% endmacro %}{{ f(1) }}", {depth});
    expect("caller recursion", "{% macro f() %}{{ caller() }}{% call f() %}x{% endcall %}{% endmacro %}{% call f() %}y{% endcall %}", {depth});
    expect("cyclic list printed", "{% set x = [] %}{% set _ = x.append(x) %}{{ x }}", {depth});
    expect("cyclic list to json", "{% set x = [] %}{% set _ = x.append(x) %}{{ x | tojson }}", {depth});
    expect("cyclic list compared", "{% set x = [] %}{% set _ = x.append(x) %}{{ x == x }}", {0, depth});
    expect("cyclic namespace", "{% set n = namespace() %}{% set n.n = n %}{{ n }}", {0, depth});
    expect("cyclic closure", "{% set n = namespace() %}{% macro f() %}{% set n.c = caller %}{% endmacro %}{% call f() %}x{% endcall %}ok", {0});
    expect("deep list, freed", "{% set n = namespace(x=[]) %}{% for i in range(50000) %}{% set n.x = [n.x] %}{% endfor %}ok", {0, time, memory});
    expect("deep list, printed", "{% set n = namespace(x=[]) %}{% for i in range(20000) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x }}", {depth, time});
    expect("deep tuple as key", "{% set n = namespace(x=(1,2)) %}{% for i in range(5000) %}{% set n.x = (n.x,1) %}{% endfor %}{{ {n.x: 1} }}", {depth, time});
    expect("doubling tuple as key", "{% set n = namespace(x=(1,2)) %}{% for i in range(60) %}{% set n.x = (n.x,n.x) %}{% endfor %}{{ {n.x: 1} }}", {time});
    expect("doubling list printed", "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = [n.x,n.x] %}{% endfor %}{{ n.x | tojson }}", {time, memory});
    expect("many dictionaries", "{% set l = range(3000) %}{% set o = [] %}{% set d = namespace() %}{% for i in range(100000) %}{% set _ = o.append(dict([(i,1)])) %}{% endfor %}", {time, memory});
    expect("sort without order", "{% set x = ['b', 1, 'a', 2.5, true, none, 3, 'z', 0, 1, 'q', 7, 'x', 5, 2, 'm', 9, 'k', 4, 'n'] %}{{ x | sort | length }}", {0, runtime});
    expect("division by zero", "{{ 1 % 0 }}{{ 1 / 0 }}", {0, runtime});
    expect("divisibleby zero", "{{ 5 is divisibleby(0) }}", {runtime});
    expect("least integer", "{{ (-9223372036854775807 - 1) is divisibleby(-1) }}{{ -(-9223372036854775807 - 1) }}", {0, runtime});
    expect("slice overflow", "{{ 'abc'[1:2:9223372036854775807] }}{{ 'abc'[::-9223372036854775807] }}", {0});
    expect("indent width", "{{ 'a' | indent(1000000000) }}", {runtime});
    expect("negative indent", "{{ 'a\\nb' | indent(-5) }}", {0});
    expect("json indent", "{{ [1] | tojson(indent=1000000000) }}", {runtime});
    expect("raise", "{{ raise_exception('no <way>') }}", {raised});
    expect("unknown filter", "{{ 'a' | nosuch }}", {runtime});
    expect("calls nothing", "{{ nothing() }}", {runtime});
    expect("huge number", "{{ 99999999999999999999999 }}", {syntax});
    expect("strftime", "{{ strftime_now('%Y') }}{{ strftime_now('%') }}", {0, runtime});
    expect("strftime long", "{{ strftime_now('%c' * 100) }}", {runtime});
    for (const char * piece : {"(", "[", "{", "{1:", "not ", "-", "f(", "a[", "1 if 1 else ", "a.b(", "(a,", "~ ", "f()("}) {
        expect((std::string("deep ") + piece).c_str(), "{{ " + times(piece, 50000) + " }}", {syntax, depth});
    }
    expect("deep ifs", times("{% if 1 %}", 30000) + times("{% endif %}", 30000), {depth});
    expect("deep elifs", "{% if 0 %}" + times("{% elif 0 %}", 30000) + "{% endif %}", {depth});
    expect("deep calls", "{{ f" + times("()", 50000) + " }}", {depth});
    expect("long sum", "{{ 1" + times("+1", 100000) + " }}", {depth});
    expect("long filter chain", "{{ 'a'" + times("|upper", 100000) + " }}", {depth});
    expect("long member chain", "{{ a" + times(".b", 100000) + " }}", {depth});
    expect("carriage returns", times("\r\n", 500000), {0});
    expect("source too long", times("x", (1 << 20) + 1), {source_limit});
    expect("longest text", times("x", 1 << 20), {0});
    expect("NUL bytes", std::string("a\0b{{ 'c\0d' }}{\0% if %}", 22), {0, syntax});
    expect("invalid UTF-8", "\xff\xfe{{ '\xc3' ~ messages[0].content | upper }}{{ '\xf0\x28' | tojson(ensure_ascii=true) }}", {0});
    expect("bad inputs: no JSON", "x", {10}, "{");
    expect("bad inputs: no messages", "x", {10}, "{}");
    expect("bad inputs: no role", "x", {10}, R"({"messages":[{"content":"a"}]})");
    expect("bad inputs: invalid UTF-8", "x", {10}, "{\"messages\":[{\"role\":\"user\",\"content\":\"\xff\"}]}");
    const std::string nest = "{\"messages\":[],\"a\":" + times("[", 100000) + times("]", 100000) + "}";
    expect("bad inputs: nesting", "x", {10}, nest.c_str());

    const std::string c = "messages[0].content";
    expect_marked("plain", "{{ " + c + " }}");
    expect_marked("argument", "{{ arg }}");
    expect_marked("split first", "{{ " + c + ".split(' ')[0] }}");
    expect_marked("split all", "{% for p in " + c + ".split('T') %}{{ p ~ 'T' }}{% endfor %}{{ arg }}");
    expect_marked("rsplit", "{{ " + c + ".rsplit(' ')[1] }}{{ " + c + ".rsplit(' ', 1)[0] }}", "INPUTcaINPUTb");
    expect_marked("replace", "{{ " + c + ".replace('a', '<|x|>') }}");
    expect_marked("replace by input", "{{ '<|x|>'.replace('x', arg) }}");
    expect_marked("replace in mixed", "{{ ('<s>' ~ " + c + ").replace('a', '') }}");
    expect_marked("slice", "{{ ('<s>' ~ " + c + ")[2:] }}");
    expect_marked("reverse twice", "{{ ('<s>' ~ arg)[::-1][::-1] }}", "<s>INPUT");
    expect_marked("join", "{{ ['<s>', arg] | join('-') }}");
    expect_marked("join by input", "{{ ['<s>', '</s>'] | join(arg) }}");
    expect_marked("to json", "{{ messages | tojson }}");
    expect_marked("list as string", "{{ [arg] | string }}");
    expect_marked("list in text", "{{ 'x' ~ [arg] }}");
    expect_marked("dictionary as string", "{{ {'a': arg} | string }}");
    expect_marked("indent", "{{ ('<s>' ~ arg) | indent(2, true) }}");
    expect_marked("case", "{{ arg | lower | upper }}{{ ('x' ~ arg) | trim }}{{ arg }}");
    expect_marked("format", "{{ '<s>{}'.format(arg) }}");
    expect_marked("set block", "{% set x %}<s>{{ arg }}{% endset %}{{ x.split('>')[1] }}");
    expect_marked("macro", "{% macro f(x) %}<s>{{ x }}{% endmacro %}{{ f(arg).split('>') | last }}");
    expect_marked("filter block", "{% filter upper %}<s>{{ arg }}{% endfilter %}");
    expect_marked("characters", "{% for i in range(5) %}{{ arg[i] }}{% endfor %}{{ arg }}", "INPUTINPUT");
    expect_marked("keys", "{% for k, v in {arg: 1}.items() %}{{ k }}{% endfor %}");
    // The other way round: what the template wrote stays special.
    const char * mixed = "{{ ('<s>' ~ messages[0].content ~ '</s>').replace('zz', '').split('INPUTc') | join('x') }}";
    const auto kept = run(mixed, R"({"messages":[{"role":"user","content":"aINPUTb INPUTc"}]})");
    if (kept.text != "<s>aINPUTb x</s>" || kept.plain != "<s>x</s>") {
        ++failures;
        std::printf("FAIL marks kept: '%s', '%s'\n", kept.text.c_str(), kept.plain.c_str());
    }

    std::mt19937_64 random(1);
    // All prefixes of a few templates, then random damage to all of them.
    size_t prefixes = 0;
    for (size_t t = 0; t < templates.size() && prefixes < fuzz / 2; t += 17) {
        const auto & source = templates[t].second;
        for (size_t n = 0; n < source.size() && prefixes < fuzz / 2; n += 1 + source.size() / 400) { run(source.substr(0, n)); ++prefixes; }
    }
    const char * pieces[] = {"{{", "}}", "{%", "%}", "(", ")", "[", "]", "|", "~", "-", "messages", " in ", "not ", "%", "*", ":", "'", "\"", "endif", "\xff", "namespace(", "1e9", "append", ".", "loop", "tojson", "split", "caller"};
    for (size_t n = 0; n < fuzz; ++n) {
        std::string source = templates[random() % templates.size()].second;
        for (int edits = 1 + random() % 4; edits > 0 && !source.empty(); --edits) {
            const size_t at = random() % source.size();
            switch (random() % 5) {
                case 0: source[at] = char(random()); break;
                case 1: source.erase(at, 1 + random() % 20); break;
                case 2: source.insert(at, pieces[random() % (sizeof pieces / sizeof *pieces)]); break;
                case 3: source.insert(at, source.substr(random() % source.size(), random() % 60)); break;
                default: source[at] ^= char(1 << random() % 8);
            }
        }
        run(source);
    }
    std::printf("%d cases, %d failures\n", cases, failures);
    return failures != 0;
}
