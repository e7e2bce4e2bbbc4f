// Chat templates: llama.cpp's own Jinja engine behind C functions.
//
// Order of calls: parse once, render as often as wanted (from any thread; a parsed template is never changed),
// free the result, free the template. No function throws, aborts or exits, whatever the template does.
//
// Text that came in through a message or a template argument is reported as input, so that the caller can
// tokenise it without recognising special tokens in it. A template cannot launder it: what is cut, joined,
// replaced or printed from such text is input as well, byte by byte.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct selfcd_template selfcd_template;
typedef struct selfcd_render selfcd_render;

// What a template may use, for one call. Zero in a field means its default.
typedef struct selfcd_limits {
  uint64_t time_ns;       // wall clock; 2 seconds
  uint64_t steps;         // executed nodes; 20 million
  uint32_t depth;         // nesting of calls and values while rendering; 400, at most 2000
  uint32_t source_depth;  // nesting of the source; 200, at most 1000
  size_t memory_bytes;    // strings built in all, and values alive; 256 MiB each
  size_t output_bytes;    // 16 MiB
  size_t source_bytes;    // 1 MiB
} selfcd_limits;

typedef enum selfcd_status {
  SELFCD_OK = 0,
  SELFCD_SYNTAX = 1,         // the template does not parse
  SELFCD_RUNTIME = 2,        // the template does something the engine cannot do
  SELFCD_RAISED = 3,         // the template called raise_exception; the message is the template's own
  SELFCD_LIMIT_TIME = 4,
  SELFCD_LIMIT_STEPS = 5,
  SELFCD_LIMIT_DEPTH = 6,
  SELFCD_LIMIT_MEMORY = 7,
  SELFCD_LIMIT_OUTPUT = 8,
  SELFCD_LIMIT_SOURCE = 9,
  SELFCD_BAD_INPUT = 10,     // the inputs are not what selfcd_template_render describes
  SELFCD_INTERNAL = 11       // out of memory, no thread
} selfcd_status;

// What the engine found out by rendering probes when it parsed the template.
typedef struct selfcd_caps {
  bool system_role;      // a system message reaches the output
  bool string_content;   // message content may be a string
  bool typed_content;    // message content may be a list of {"type": "text", "text": ...}
  bool tools;
  bool tool_calls;
  bool preserve_reasoning;
  bool reasoning_effort;
} selfcd_caps;

typedef struct selfcd_segment {
  const char *text;  // UTF-8 if the template is; not terminated, may contain NUL
  size_t length;
  bool is_input;     // never look for special tokens in it
} selfcd_segment;

// Parses. `limits` may be NULL. On failure returns NULL and, if asked, why; free the message with
// selfcd_message_free.
selfcd_template *selfcd_template_parse(const char *source, size_t length, const selfcd_limits *limits,
                                       selfcd_status *status, char **message, size_t *message_length);
void selfcd_template_free(selfcd_template *);
void selfcd_message_free(char *message);
selfcd_caps selfcd_template_caps(const selfcd_template *);

// Renders. `inputs` is a JSON object:
//   "messages"               [{"role", "content", "reasoning_content", ...}]; required
//   "add_generation_prompt"  boolean
//   "bos_token", "eos_token" strings; not input
//   "now"                    UNIX seconds for strftime_now; the clock if absent. Local time zone.
//   anything else            an argument of the template (enable_thinking, ...); its strings are input
// A message's role (and the type of a content part) is not input, since templates build special tokens from
// it: the caller lets only known roles through. "developer" becomes "system" for templates without
// <|channel|>, and string content becomes a content part where the template knows only those, as in
// llama.cpp. Never NULL; ask selfcd_render_status.
selfcd_render *selfcd_template_render(const selfcd_template *, const char *inputs, size_t length,
                                      const selfcd_limits *limits);
selfcd_status selfcd_render_status(const selfcd_render *);
// Why it failed; empty when it did not. Lives as long as the render.
const char *selfcd_render_message(const selfcd_render *, size_t *length);
size_t selfcd_render_count(const selfcd_render *);
selfcd_segment selfcd_render_segment(const selfcd_render *, size_t index);
void selfcd_render_free(selfcd_render *);

#ifdef __cplusplus
}
#endif
