// JSON schemas as grammars: llama.cpp's own converter behind a C function.
#pragma once

#include "selfcd_chat_template.h"

#ifdef __cplusplus
extern "C" {
#endif

// The grammar (GBNF) of the JSON texts that a schema describes. `schema` is UTF-8, at most 64 KiB, nested at most 64
// levels. On success the text of *grammar, else that of *message says why; free either with selfcd_message_free. A
// schema of which a part cannot be enforced is an error that names the part, and so is a remote $ref: nothing is
// fetched. No function throws, aborts or exits, whatever the schema is.
selfcd_status selfcd_schema_to_grammar(const char *schema, size_t length, char **grammar, size_t *grammar_length,
                                       char **message, size_t *message_length);

#ifdef __cplusplus
}
#endif
