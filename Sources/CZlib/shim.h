#ifndef SELFCD_CZLIB_SHIM_H
#define SELFCD_CZLIB_SHIM_H
#include <zlib.h>
#endif
