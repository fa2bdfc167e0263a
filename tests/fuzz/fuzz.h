/*
 * Fuzz targets: each file has one LLVMFuzzerTestOneInput, which feeds a decoder and checks what must hold of anything it accepts.
 * clang's libFuzzer drives them (`./dev fuzz`); replay.c drives them with the seeds alone, as part of the unit tests.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
