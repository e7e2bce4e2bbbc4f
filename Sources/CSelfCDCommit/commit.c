#include "CSelfCDCommit.h"

// Package.swift defines it where the environment names a commit. In C, since Swift has no definitions with a value, and
// here alone, so that a new commit compiles one line.
#ifndef SELFCD_COMMIT
#define SELFCD_COMMIT ""
#endif

const char *selfcd_commit(void) { return SELFCD_COMMIT; }
