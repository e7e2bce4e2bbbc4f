#include "selfcd_schema.h"

#include "json-schema-to-grammar.h"

#include <pthread.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string>

namespace {

constexpr size_t most_bytes   = size_t(64) << 10;
constexpr size_t most_grammar = size_t(4) << 20;
constexpr int    most_depth   = 64;
// The standard library's regular expressions recurse with each character that they match.
constexpr size_t stack_bytes = size_t(256) << 20;

struct job {
    std::string   schema;
    std::string   grammar, message;
    selfcd_status status = SELFCD_INTERNAL;
};

// How deep the text nests; what stands in strings does not count.
int depth_of(const std::string & text) {
    int  depth = 0, most = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') { ++i; }
            else if (c == '"') { in_string = false; }
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            most = std::max(most, ++depth);
        } else if (c == '}' || c == ']') {
            --depth;
        }
    }
    return most;
}

void convert(job & job) {
    if (job.schema.size() > most_bytes) {
        job.status  = SELFCD_LIMIT_SOURCE;
        job.message = "the schema is longer than 64 KiB";
        return;
    }
    if (depth_of(job.schema) > most_depth) {
        job.status  = SELFCD_LIMIT_DEPTH;
        job.message = "the schema nests more than 64 levels deep";
        return;
    }
    job.grammar = json_schema_to_grammar(common_json::parse(job.schema), true);
    if (job.grammar.size() > most_grammar) {
        job.grammar.clear();
        job.status  = SELFCD_LIMIT_OUTPUT;
        job.message = "the schema's grammar is longer than 4 MiB";
        return;
    }
    job.status = SELFCD_OK;
}

void * run(void * argument) {
    job & job = *static_cast<struct job *>(argument);
    try {
        convert(job);
    } catch (const std::bad_alloc &) {
        job.message = "out of memory";
    } catch (const std::exception & error) {
        job.status  = SELFCD_SYNTAX;
        job.message = error.what();
    } catch (...) {
        job.message = "unexpected state in the schema converter";
    }
    return nullptr;
}

char * copied(const std::string & text, size_t * length) {
    char * copy = static_cast<char *>(std::malloc(text.size() + 1));
    if (!copy) { return nullptr; }
    std::memcpy(copy, text.data(), text.size());
    copy[text.size()] = 0;
    if (length) { *length = text.size(); }
    return copy;
}

}  // namespace

selfcd_status selfcd_schema_to_grammar(const char * schema, size_t length, char ** grammar, size_t * grammar_length,
                                       char ** message, size_t * message_length) {
    *grammar = nullptr;
    *message = nullptr;
    job * job = new (std::nothrow) struct job;
    if (!job) { return SELFCD_INTERNAL; }
    selfcd_status status = SELFCD_INTERNAL;
    try {
        // What is beyond the limit is refused without being copied.
        job->schema.assign(schema, std::min(length, most_bytes + 1));
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, stack_bytes);
        pthread_t thread;
        if (pthread_create(&thread, &attributes, run, job) == 0) {
            pthread_join(thread, nullptr);
        } else {
            job->message = "no thread could be started";
        }
        pthread_attr_destroy(&attributes);
        status = job->status;
        if (status == SELFCD_OK) {
            *grammar = copied(job->grammar, grammar_length);
            if (!*grammar) { status = SELFCD_INTERNAL; }
        } else {
            *message = copied(job->message, message_length);
        }
    } catch (...) {
        status = SELFCD_INTERNAL;
    }
    delete job;
    return status;
}
