// quantize SOURCE TARGET q8_0|q4_0: libllama's own quantisation, which also decides what stays in a finer format.
#include <llama.h>
#include <stdio.h>
#include <string.h>

static void quiet(enum ggml_log_level level, const char *text, void *data) {
  (void)data;
  if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
}

int main(int count, char **arguments) {
  if (count != 4) {
    fprintf(stderr, "usage: quantize SOURCE TARGET q8_0|q4_0\n");
    return 64;
  }
  llama_log_set(quiet, NULL);
  llama_backend_init();
  struct llama_model_quantize_params parameters = llama_model_quantize_default_params();
  parameters.ftype = strcmp(arguments[3], "q4_0") == 0 ? LLAMA_FTYPE_MOSTLY_Q4_0 : LLAMA_FTYPE_MOSTLY_Q8_0;
  return llama_model_quantize(arguments[1], arguments[2], &parameters) == 0 ? 0 : 1;
}
