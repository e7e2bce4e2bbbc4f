#include "selfcd_grammar.h"

#include <llama.h>
#include <pthread.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <string>
#include <vector>

struct selfcd_grammar {
    llama_sampler * sampler;
    // Something went wrong, so that nothing is allowed any more.
    bool is_spent = false;
};

namespace {

constexpr size_t most_bytes = size_t(4) << 20;
// The parser recurses with each bracket, and the search for left recursion with each rule.
constexpr int    most_depth  = 1000;
constexpr size_t stack_bytes = size_t(256) << 20;

struct job {
    const llama_vocab * vocab;
    std::string         text;
    llama_sampler *     sampler = nullptr;
};

// Brackets in literals count as well, so that this errs on the safe side.
int depth_of(const std::string & text) {
    int depth = 0, most = 0;
    for (const char c : text) {
        if (c == '(') { most = std::max(most, ++depth); }
        else if (c == ')') { depth = std::max(0, depth - 1); }
    }
    return most;
}

void * parse(void * argument) {
    job & job = *static_cast<struct job *>(argument);
    try {
        job.sampler = llama_sampler_init_grammar(job.vocab, job.text.c_str(), "root");
    } catch (...) {
        job.sampler = nullptr;
    }
    return nullptr;
}

// On a thread of its own, whose stack holds what the limits allow.
llama_sampler * parsed(const llama_vocab * vocab, const char * text, size_t length) {
    job job{vocab, std::string(text, length)};
    if (job.text.empty() || job.text.find('\0') != std::string::npos || depth_of(job.text) > most_depth) {
        return nullptr;
    }
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_bytes);
    pthread_t thread;
    if (pthread_create(&thread, &attributes, parse, &job) == 0) { pthread_join(thread, nullptr); }
    pthread_attr_destroy(&attributes);
    return job.sampler;
}

// Of the given tokens, those that are not allowed get a score of minus infinity. Throws.
void apply(selfcd_grammar & grammar, std::vector<llama_token_data> & tokens) {
    llama_token_data_array array = {tokens.data(), tokens.size(), -1, false};
    llama_sampler_apply(grammar.sampler, &array);
}

}  // namespace

selfcd_grammar * selfcd_grammar_make(const llama_vocab * vocab, const char * text, size_t length) {
    if (!vocab || length > most_bytes) { return nullptr; }
    llama_sampler * sampler = nullptr;
    try {
        sampler = parsed(vocab, text, length);
        if (!sampler) { return nullptr; }
        return new selfcd_grammar{sampler};
    } catch (...) {
        if (sampler) { llama_sampler_free(sampler); }
        return nullptr;
    }
}

selfcd_grammar * selfcd_grammar_copy(const selfcd_grammar * grammar) {
    llama_sampler * sampler = nullptr;
    try {
        sampler = llama_sampler_clone(grammar->sampler);
        return new selfcd_grammar{sampler, grammar->is_spent};
    } catch (...) {
        if (sampler) { llama_sampler_free(sampler); }
        return nullptr;
    }
}

void selfcd_grammar_free(selfcd_grammar * grammar) {
    if (!grammar) { return; }
    llama_sampler_free(grammar->sampler);
    delete grammar;
}

bool selfcd_grammar_allows(selfcd_grammar * grammar, int32_t token) {
    if (grammar->is_spent) { return false; }
    try {
        std::vector<llama_token_data> tokens = {{token, 0, 0}};
        apply(*grammar, tokens);
        return !std::isinf(tokens[0].logit);
    } catch (...) {
        return false;
    }
}

bool selfcd_grammar_mask(selfcd_grammar * grammar, float * scores, int32_t count) {
    if (grammar->is_spent) {
        std::fill(scores, scores + count, -INFINITY);
        return true;
    }
    try {
        std::vector<llama_token_data> tokens;
        tokens.reserve(count);
        for (int32_t token = 0; token < count; ++token) {
            if (scores[token] > -INFINITY) { tokens.push_back({token, 0, 0}); }
        }
        apply(*grammar, tokens);
        for (const auto & token : tokens) {
            if (std::isinf(token.logit)) { scores[token.id] = -INFINITY; }
        }
        return true;
    } catch (...) {
        return false;
    }
}

bool selfcd_grammar_accept(selfcd_grammar * grammar, int32_t token) {
    // libllama ends the process at an end of turn that is not allowed.
    if (!selfcd_grammar_allows(grammar, token)) {
        grammar->is_spent = true;
        return false;
    }
    try {
        llama_sampler_accept(grammar->sampler, token);
        return true;
    } catch (...) {
        grammar->is_spent = true;
        return false;
    }
}
