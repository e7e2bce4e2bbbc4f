#include "selfcd_chat_template.h"

#include "limiter.h"

#include "jinja/caps.h"
#include "jinja/lexer.h"
#include "jinja/parser.h"
#include "jinja/runtime.h"
#include "jinja/value.h"

#include <nlohmann/json.hpp>

#include <pthread.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

using json = nlohmann::ordered_json;

namespace {

// Holds the deepest nesting the limits allow, with a sanitizer's larger frames too. Only touched pages cost.
constexpr size_t stack_bytes = size_t(256) << 20;
constexpr int    max_json_depth = 64;

struct outcome {
    selfcd_status status = SELFCD_OK;
    std::string   message;
};

struct bad_input {
    std::string message;
};

selfcd_limits effective(const selfcd_limits * given) {
    selfcd_limits l = given ? *given : selfcd_limits{};
    auto fill = [](auto & field, auto value) { if (field == 0) { field = value; } };
    fill(l.time_ns, uint64_t(2000000000));
    fill(l.steps, uint64_t(20000000));
    fill(l.depth, 400u);
    fill(l.source_depth, 200u);
    fill(l.memory_bytes, size_t(256) << 20);
    fill(l.output_bytes, size_t(16) << 20);
    fill(l.source_bytes, size_t(1) << 20);
    l.depth        = std::min(l.depth, 2000u);
    l.source_depth = std::min(l.source_depth, 1000u);
    l.time_ns      = std::min(l.time_ns, uint64_t(3600) * 1000000000);
    return l;
}

void set_up(selfcd::limiter & limiter, const selfcd_limits & limits) {
    limiter.deadline         = std::chrono::steady_clock::now() + std::chrono::nanoseconds(limits.time_ns);
    limiter.max_steps        = limits.steps;
    limiter.max_depth        = limits.depth;
    limiter.max_source_depth = limits.source_depth;
    limiter.max_memory       = limits.memory_bytes;
}

outcome limit_outcome(selfcd::limit kind) {
    switch (kind) {
        case selfcd::limit::time:   return {SELFCD_LIMIT_TIME, "the template ran too long"};
        case selfcd::limit::steps:  return {SELFCD_LIMIT_STEPS, "the template took too many steps"};
        case selfcd::limit::depth:  return {SELFCD_LIMIT_DEPTH, "the template nests too deeply"};
        case selfcd::limit::memory: return {SELFCD_LIMIT_MEMORY, "the template builds too much text or too many values"};
        case selfcd::limit::none:   break;
    }
    return {SELFCD_INTERNAL, "unexpected state in the template engine"};
}

// Reference counting does not free values that refer to each other; a template can make such.
void break_cycles(selfcd::limiter & limiter) {
    std::vector<jinja::value>        values;
    std::vector<jinja::func_handler> funcs;
    while (limiter.head.next != &limiter.head) {
        auto * value = static_cast<jinja::value_t *>(limiter.head.next);
        value->unlink();
        value->strip_references(values, funcs);
    }
}

// Runs on a thread with a large stack, under the limits, and turns whatever is thrown into an outcome.
outcome guarded(const selfcd_limits & limits, selfcd_status otherwise, const std::function<void()> & body) {
    struct job {
        const selfcd_limits *         limits;
        selfcd_status                 otherwise;
        const std::function<void()> * body;
        outcome                       result;

        void run() noexcept {
            try {
                selfcd::limiter limiter;
                set_up(limiter, *limits);
                selfcd::current = &limiter;
                try {
                    (*body)();
                } catch (const selfcd::limit_exceeded & e) {
                    result = limit_outcome(e.kind);
                } catch (const bad_input & e) {
                    result = {SELFCD_BAD_INPUT, e.message};
                } catch (const std::bad_alloc &) {
                    result = {SELFCD_INTERNAL, "out of memory"};
                } catch (const std::exception & e) {
                    result = {otherwise, e.what()};
                } catch (...) {
                    result = {otherwise, "the template failed"};
                }
                if (limiter.tripped != selfcd::limit::none) {
                    result = limit_outcome(limiter.tripped);
                } else if (result.status == SELFCD_RUNTIME && limiter.has_raised) {
                    result = {SELFCD_RAISED, limiter.raised};
                }
                break_cycles(limiter);
                selfcd::current = nullptr;
            } catch (...) {
                selfcd::current = nullptr;
                result.status = SELFCD_INTERNAL;
            }
        }
    } job{&limits, otherwise, &body, {}};

    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) {
        return {SELFCD_INTERNAL, "cannot start a thread"};
    }
    pthread_t thread;
    const bool started =
        pthread_attr_setstacksize(&attributes, stack_bytes) == 0 &&
        pthread_create(&thread, &attributes, [](void * argument) -> void * {
            static_cast<struct job *>(argument)->run();
            return nullptr;
        }, &job) == 0;
    pthread_attr_destroy(&attributes);
    if (!started) {
        return {SELFCD_INTERNAL, "cannot start a thread with a stack of 256 MiB of address space"};
    }
    pthread_join(thread, nullptr);
    return std::move(job.result);
}

// --- inputs -------------------------------------------------------------------------------------------

void check_depth(const json & value, int depth) {
    if (depth > max_json_depth) {
        throw bad_input{"the inputs nest more than " + std::to_string(max_json_depth) + " levels deep"};
    }
    if (value.is_structured()) {
        for (const auto & item : value) {
            check_depth(item, depth + 1);
        }
    }
}

jinja::value text_value(const std::string & text, bool input) {
    return jinja::mk_val<jinja::value_string>(jinja::string(text, input));
}

jinja::value to_value(const json & value) {
    switch (value.type()) {
        case json::value_t::null:    return jinja::mk_val<jinja::value_none>();
        case json::value_t::boolean: return jinja::mk_val<jinja::value_bool>(value.get<bool>());
        case json::value_t::number_unsigned:
            if (value.get<uint64_t>() > uint64_t(INT64_MAX)) {
                return jinja::mk_val<jinja::value_float>(value.get<double>());
            }
            [[fallthrough]];
        case json::value_t::number_integer: return jinja::mk_val<jinja::value_int>(value.get<int64_t>());
        case json::value_t::number_float:   return jinja::mk_val<jinja::value_float>(value.get<double>());
        case json::value_t::string:         return text_value(value.get_ref<const std::string &>(), true);
        case json::value_t::array: {
            auto array = jinja::mk_val<jinja::value_array>();
            for (const auto & item : value) {
                array->push_back(to_value(item));
            }
            return array;
        }
        case json::value_t::object: {
            auto object = jinja::mk_val<jinja::value_object>();
            for (const auto & item : value.items()) {
                // Keys can be printed, too.
                object->insert(text_value(item.key(), true), to_value(item.value()));
            }
            return object;
        }
        default: throw bad_input{"unexpected kind of JSON value"};
    }
}

// An object whose strings are input but for one: the role of a message, the type of a content part.
jinja::value_object object_with_plain(const json & value, const char * plain) {
    auto object = jinja::mk_val<jinja::value_object>();
    for (const auto & item : value.items()) {
        if (item.key() == plain && item.value().is_string()) {
            object->insert(item.key(), text_value(item.value().get_ref<const std::string &>(), false));
        } else {
            object->insert(text_value(item.key(), true), to_value(item.value()));
        }
    }
    return object;
}

jinja::value message_value(const json & message, const selfcd_caps & caps, bool rename_developer) {
    if (!message.is_object() || !message.contains("role") || !message.at("role").is_string()) {
        throw bad_input{"a message is not an object with a role"};
    }
    auto object = object_with_plain(message, "role");
    if (rename_developer && message.at("role") == "developer") {
        object->insert("role", text_value("system", false));
    }
    if (!message.contains("content")) {
        return object;
    }
    const json & content = message.at("content");
    const bool only_string = caps.string_content && !caps.typed_content;
    const bool only_typed  = !caps.string_content && caps.typed_content;
    if (content.is_string() && only_typed) {
        auto part = jinja::mk_val<jinja::value_object>();
        part->insert("type", text_value("text", false));
        part->insert("text", to_value(content));
        auto parts = jinja::mk_val<jinja::value_array>();
        parts->push_back(part);
        object->insert("content", parts);
    } else if (content.is_array()) {
        std::string text;
        auto parts = jinja::mk_val<jinja::value_array>();
        for (const auto & part : content) {
            if (!part.is_object()) {
                throw bad_input{"a content part is not an object"};
            }
            if (part.value("type", json()) == "text" && part.contains("text") && part.at("text").is_string()) {
                text += (text.empty() ? "" : "\n") + part.at("text").get_ref<const std::string &>();
            }
            parts->push_back(object_with_plain(part, "type"));
        }
        object->insert("content", only_string ? text_value(text, true) : jinja::value(parts));
    }
    return object;
}

void fill_context(jinja::context & context, const json & inputs, const selfcd_caps & caps, bool rename_developer) {
    if (!inputs.is_object() || !inputs.contains("messages") || !inputs.at("messages").is_array()) {
        throw bad_input{"the inputs are not an object with a list of messages"};
    }
    check_depth(inputs, 0);
    for (const auto & item : inputs.items()) {
        const auto & key   = item.key();
        const auto & value = item.value();
        if (key == "messages") {
            auto messages = jinja::mk_val<jinja::value_array>();
            for (const auto & message : value) {
                messages->push_back(message_value(message, caps, rename_developer));
            }
            context.set_val(key, messages);
        } else if (key == "bos_token" || key == "eos_token") {
            if (value.is_null()) { continue; }
            if (!value.is_string()) { throw bad_input{key + " is not a string"}; }
            context.set_val(key, text_value(value.get_ref<const std::string &>(), false));
        } else if (key == "add_generation_prompt") {
            if (!value.is_boolean()) { throw bad_input{"add_generation_prompt is not a boolean"}; }
            context.set_val(key, to_value(value));
        } else if (key == "now") {
            if (!value.is_number()) { throw bad_input{"now is not a number"}; }
            const double seconds = value.get<double>();
            // Four-digit years, the range every strftime can format.
            if (!(seconds > -62000000000.0 && seconds < 250000000000.0)) { throw bad_input{"now is out of range"}; }
            context.current_time = std::time_t(seconds);
        } else {
            context.set_val(key, to_value(value));
        }
    }
}

// The engine does this itself, in time that grows with the square of the number of lines.
std::string with_plain_newlines(const char * source, size_t length) {
    std::string out;
    out.reserve(length);
    for (size_t i = 0; i < length; ++i) {
        if (source[i] == '\r') {
            out += '\n';
            if (i + 1 < length && source[i + 1] == '\n') { ++i; }
        } else {
            out += source[i];
        }
    }
    return out;
}

}  // namespace

struct selfcd_template {
    std::string                     source;
    std::unique_ptr<jinja::program> program;
    selfcd_caps                     caps{};
};

struct selfcd_render {
    outcome                         result;
    std::vector<jinja::string_part> parts;
};

// What is returned when there is no memory for a result.
static selfcd_render no_memory{{SELFCD_INTERNAL, "out of memory"}, {}};

extern "C" {

selfcd_template * selfcd_template_parse(const char * source, size_t length, const selfcd_limits * given,
                                        selfcd_status * status, char ** message, size_t * message_length) {
    outcome           result;
    selfcd_template * parsed = nullptr;
    try {
        const auto limits = effective(given);
        if (length > limits.source_bytes) {
            result = {SELFCD_LIMIT_SOURCE, "the template has " + std::to_string(length) + " bytes, more than " +
                                               std::to_string(limits.source_bytes)};
        } else {
            auto made = std::make_unique<selfcd_template>();
            made->source = with_plain_newlines(source, length);
            result = guarded(limits, SELFCD_SYNTAX, [&] {
                jinja::lexer lexer;
                made->program = std::make_unique<jinja::program>(jinja::parse_from_tokens(lexer.tokenize(made->source)));
            });
            if (result.status == SELFCD_OK) {
                // A template that fails its probes may still render what it was made for.
                selfcd_caps caps{};
                caps.string_content = true;
                const auto probed = guarded(limits, SELFCD_RUNTIME, [&] {
                    const auto found = jinja::caps_get(*made->program);
                    caps = {found.supports_system_role, found.supports_string_content, found.supports_typed_content,
                            found.supports_tools, found.supports_tool_calls, found.supports_preserve_reasoning,
                            found.supports_reasoning_effort};
                });
                made->caps = caps;
                (void) probed;
                parsed = made.release();
            } else if (made->program) {
                guarded(limits, SELFCD_INTERNAL, [&] { made->program.reset(); });
            }
        }
    } catch (...) {
        result.status = SELFCD_INTERNAL;
    }
    if (status) { *status = result.status; }
    if (message_length) { *message_length = result.message.size(); }
    if (message) {
        *message = nullptr;
        if (result.status != SELFCD_OK && (*message = static_cast<char *>(std::malloc(result.message.size() + 1)))) {
            std::memcpy(*message, result.message.c_str(), result.message.size() + 1);
        }
    }
    return parsed;
}

void selfcd_template_free(selfcd_template * parsed) { delete parsed; }
void selfcd_message_free(char * message) { std::free(message); }
selfcd_caps selfcd_template_caps(const selfcd_template * parsed) { return parsed->caps; }

selfcd_render * selfcd_template_render(const selfcd_template * parsed, const char * inputs, size_t length,
                                       const selfcd_limits * given) {
    try {
        auto render = std::make_unique<selfcd_render>();
        const auto limits = effective(given);
        json parsed_inputs;
        try {
            parsed_inputs = json::parse(inputs, inputs + length);
        } catch (const std::exception & e) {
            render->result = {SELFCD_BAD_INPUT, std::string("the inputs are not JSON: ") + e.what()};
            return render.release();
        }
        const bool rename_developer = parsed->source.find("<|channel|>") == std::string::npos;
        render->result = guarded(limits, SELFCD_RUNTIME, [&] {
            jinja::context context(parsed->source);
            fill_context(context, parsed_inputs, parsed->caps, rename_developer);
            jinja::runtime runtime(context);
            const jinja::value results = runtime.execute(*parsed->program);
            render->parts = std::move(jinja::runtime::gather_string_parts(results)->val_str.parts);
        });
        size_t total = 0;
        for (const auto & part : render->parts) { total += part.val.size(); }
        if (render->result.status == SELFCD_OK && total > limits.output_bytes) {
            render->result = {SELFCD_LIMIT_OUTPUT, "the template printed more than " +
                                                       std::to_string(limits.output_bytes) + " bytes"};
        }
        if (render->result.status != SELFCD_OK) { render->parts.clear(); }
        auto & parts = render->parts;
        parts.erase(std::remove_if(parts.begin(), parts.end(), [](const auto & part) { return part.val.empty(); }),
                    parts.end());
        return render.release();
    } catch (...) {
        return &no_memory;
    }
}

selfcd_status selfcd_render_status(const selfcd_render * render) { return render->result.status; }
const char * selfcd_render_message(const selfcd_render * render, size_t * length) {
    if (length) { *length = render->result.message.size(); }
    return render->result.message.c_str();
}
size_t selfcd_render_count(const selfcd_render * render) { return render->parts.size(); }
selfcd_segment selfcd_render_segment(const selfcd_render * render, size_t index) {
    if (index >= render->parts.size()) { return {"", 0, true}; }
    const auto & part = render->parts[index];
    return {part.val.data(), part.val.size(), part.is_input};
}
void selfcd_render_free(selfcd_render * render) {
    if (render != &no_memory) { delete render; }
}

}  // extern "C"
