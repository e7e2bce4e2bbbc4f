// Greedy replies of libllama with a LoRA adapter, for parity.py.
//
//   parity MODEL.gguf ADAPTER.gguf|- TOKENS < prompts
//
// Prompts are rendered chats, each ended by a zero byte. For each one a line: the prompt's token ids, a semicolon, the reply's token ids
// with the token that ended it, if one did.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "llama.h"

enum { CONTEXT = 1024 };

static void quiet(enum ggml_log_level level, const char *text, void *user) {
  (void)user;
  if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
}

static int fail(const char *what) {
  fprintf(stderr, "parity: %s\n", what);
  return 1;
}

static llama_token best(const float *logits, int count) {
  int top = 0;
  for (int token = 1; token < count; token++)
    if (logits[token] > logits[top]) top = token;
  return top;
}

int main(int argc, char **argv) {
  if (argc != 4) return fail("usage: parity MODEL.gguf ADAPTER.gguf|- TOKENS < prompts");
  const int steps = atoi(argv[3]);
  llama_log_set(quiet, NULL);
  llama_backend_init();

  struct llama_model *model = llama_model_load_from_file(argv[1], llama_model_default_params());
  if (!model) return fail("cannot load the model");
  struct llama_context_params settings = llama_context_default_params();
  settings.n_ctx = CONTEXT;
  settings.n_batch = CONTEXT;
  settings.n_threads = settings.n_threads_batch = 1;
  settings.type_k = settings.type_v = GGML_TYPE_F32;
  settings.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
  struct llama_context *context = llama_init_from_model(model, settings);
  if (!context) return fail("cannot make a context");
  if (strcmp(argv[2], "-") != 0) {
    struct llama_adapter_lora *adapter = llama_adapter_lora_init(model, argv[2]);
    if (!adapter) return fail("cannot load the adapter");
    float scale = 1;
    if (llama_set_adapters_lora(context, &adapter, 1, &scale) != 0) return fail("cannot set the adapter");
  }
  const struct llama_vocab *vocabulary = llama_model_get_vocab(model);
  const int size = llama_vocab_n_tokens(vocabulary);

  char *prompt = NULL;
  size_t room = 0;
  ssize_t length;
  while ((length = getdelim(&prompt, &room, '\0', stdin)) > 0) {
    llama_token ids[CONTEXT];
    const int count = llama_tokenize(vocabulary, prompt, (int32_t)strlen(prompt), ids, CONTEXT - steps, false, true);
    if (count <= 0) return fail("cannot tokenize a prompt");
    llama_memory_clear(llama_get_memory(context), true);
    if (llama_decode(context, llama_batch_get_one(ids, count)) != 0) return fail("cannot decode a prompt");
    for (int at = 0; at < count; at++) printf(at ? " %d" : "%d", ids[at]);
    putchar(';');
    for (int step = 0; step < steps; step++) {
      llama_token next = best(llama_get_logits_ith(context, -1), size);
      printf(step ? " %d" : "%d", next);
      if (llama_vocab_is_eog(vocabulary, next) || step == steps - 1) break;
      if (llama_decode(context, llama_batch_get_one(&next, 1)) != 0) return fail("cannot decode a token");
    }
    putchar('\n');
  }
  free(prompt);
  llama_free(context);
  llama_model_free(model);
  return 0;
}
