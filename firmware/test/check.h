/* Counting checks: the last line of each program is `N passed, N failed`. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdio.h>

extern unsigned passed;
extern unsigned failed;

/* One test. Prints the name of a test that fails only: names are what the reader looks for. */
static inline void check(bool good, const char *group, const char *name)
{
    if (good) {
        passed++;
    } else {
        failed++;
        printf("FAILED %s: %s\n", group, name);
    }
}

static inline int summary(void)
{
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}

#endif
