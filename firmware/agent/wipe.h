/* Clearing memory that held a secret. */
#ifndef KS_WIPE_H
#define KS_WIPE_H

#include <stddef.h>

/* A plain memset before the end of an object's life is a dead store, and compilers drop it. A volatile one stays. */
static inline void ks_wipe(void *memory, size_t length)
{
    volatile unsigned char *byte = memory;
    while (length-- > 0) {
        *byte++ = 0;
    }
}

#endif
