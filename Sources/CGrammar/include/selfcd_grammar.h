// libllama's grammars as C functions that neither throw nor abort.
//
// A grammar says which tokens a reply may go on with. It is used by one thread at a time; a copy is independent.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct llama_vocab;
typedef struct selfcd_grammar selfcd_grammar;

// Makes a grammar of GBNF text with the start symbol "root" for a vocabulary, which has to outlive it and its copies.
// NULL where the text cannot be parsed, recurses on the left, nests too deeply or is longer than 4 MiB.
selfcd_grammar *selfcd_grammar_make(const struct llama_vocab *vocab, const char *text, size_t length);
// NULL where memory is short.
selfcd_grammar *selfcd_grammar_copy(const selfcd_grammar *);
void selfcd_grammar_free(selfcd_grammar *);

// Whether the reply may go on with the token. Of tokens that end a turn: whether it may end.
bool selfcd_grammar_allows(selfcd_grammar *, int32_t token);
// Sets the scores of all tokens that the reply may not go on with to minus infinity. Tokens of which the score is that
// already are not looked at. False, with the scores as they were, where that failed.
bool selfcd_grammar_mask(selfcd_grammar *, float *scores, int32_t count);
// Tells of the token that the reply goes on with. False, with nothing allowed afterwards, where the grammar does not
// allow it.
bool selfcd_grammar_accept(selfcd_grammar *, int32_t token);

#ifdef __cplusplus
}
#endif
