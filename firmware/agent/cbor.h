/*
 * The part of CBOR (RFC 8949) that the device protocol needs: definite lengths, maps with text keys.
 * Nothing is copied: what is found points into the body that was read.
 */
#ifndef KS_CBOR_H
#define KS_CBOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Major types, and `false` and `true` as a head has them. */
enum { KS_CBOR_UINT = 0, KS_CBOR_BYTES = 2, KS_CBOR_TEXT = 3, KS_CBOR_MAP = 5, KS_CBOR_SIMPLE = 7 };
enum { KS_CBOR_FALSE = 20, KS_CBOR_TRUE = 21 };

/* What stands between `at` and `end` was not read yet. */
struct ks_cbor_reader {
    const uint8_t *at;
    const uint8_t *end;
};

/* One head; for a text or byte string also its content, `value` bytes at `content`. */
struct ks_cbor_item {
    unsigned major;
    uint64_t value;
    const uint8_t *content;
};

/* A map that ks_cbor_open() has found in order. */
struct ks_cbor_map {
    struct ks_cbor_reader entries;
    size_t count;
};

enum ks_cbor_verdict {
    KS_CBOR_OK,
    KS_CBOR_MALFORMED,  /* no CBOR: ends early, or says what CBOR leaves undefined, or an indefinite length */
    KS_CBOR_UNSUITABLE, /* CBOR, but not one map with text keys, each there once, and nothing after it */
};

/* Checks all of `length` bytes at `body`. Only with KS_CBOR_OK is `map` set. */
enum ks_cbor_verdict ks_cbor_open(const uint8_t *body, size_t length, struct ks_cbor_map *map);

/* The value of `key`; false when the map has no such key. Values of other keys are passed over, whatever they are. */
bool ks_cbor_find(const struct ks_cbor_map *map, const char *key, struct ks_cbor_item *value);

/* Writes from `at` on. What does not fit sets `full` and is left out. */
struct ks_cbor_writer {
    uint8_t *at;
    uint8_t *end;
    bool full;
};

void ks_cbor_put_map(struct ks_cbor_writer *writer, size_t entries);
void ks_cbor_put_uint(struct ks_cbor_writer *writer, uint64_t value);
void ks_cbor_put_bytes(struct ks_cbor_writer *writer, const uint8_t *bytes, size_t length);
void ks_cbor_put_text(struct ks_cbor_writer *writer, const char *text, size_t length);

/* For a key: a text that ends with a NUL. */
void ks_cbor_put_key(struct ks_cbor_writer *writer, const char *key);

/* For a text that is made in pieces: its head, then the pieces with `length` bytes together. */
void ks_cbor_put_text_head(struct ks_cbor_writer *writer, size_t length);
void ks_cbor_put_raw(struct ks_cbor_writer *writer, const void *bytes, size_t length);

#endif
