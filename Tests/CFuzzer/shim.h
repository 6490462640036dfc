#pragma once

#include <stddef.h>
#include <stdint.h>

/// libFuzzer's main loop, for programs with a main of their own (compiler-rt's fuzzer_no_main).
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*one_input)(const uint8_t *data, size_t size));
