#ifndef CSELFCDCOMMIT_H
#define CSELFCDCOMMIT_H

/// The commit that the program was built from, as Scripts/commit printed it; an empty string where nobody said.
const char *_Nonnull selfcd_commit(void);

#endif
