/* Compiled with -fno-tree-loop-distribute-patterns, or the compiler makes each loop a call of the function it is in. */
#include <string.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
    unsigned char *at = to;
    const unsigned char *source = from;
    while (length-- > 0) {
        *at++ = *source++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t length)
{
    unsigned char *const at = to;
    const unsigned char *const source = from;
    if (at < source) {
        return memcpy(to, from, length);
    }
    while (length-- > 0) {
        at[length] = source[length];
    }
    return to;
}

void *memset(void *to, int value, size_t length)
{
    unsigned char *at = to;
    while (length-- > 0) {
        *at++ = (unsigned char)value;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t length)
{
    const unsigned char *left = a;
    const unsigned char *right = b;
    for (; length > 0; length--, left++, right++) {
        if (*left != *right) {
            return *left < *right ? -1 : 1;
        }
    }
    return 0;
}

size_t strlen(const char *text)
{
    size_t length = 0;
    while (text[length] != '\0') {
        length++;
    }
    return length;
}
