#include "cbor.h"

#include <string.h>

/* Reads one head (RFC 8949, section 3) and the content of a string. */
static bool next(struct ks_cbor_reader *reader, struct ks_cbor_item *item)
{
    if (reader->at == reader->end) {
        return false;
    }
    const unsigned initial = *reader->at++;
    const unsigned info = initial & 0x1FU;
    item->major = initial >> 5;
    item->content = NULL;
    if (info < 24) {
        item->value = info;
    } else if (info < 28) {
        size_t bytes = (size_t)1 << (info - 24);
        if ((size_t)(reader->end - reader->at) < bytes) {
            return false;
        }
        item->value = 0;
        while (bytes-- > 0) {
            item->value = item->value << 8 | *reader->at++;
        }
        /* Section 3.3: a simple value below 32 in two bytes is not well-formed. */
        if (initial == 0xF8 && item->value < 32) {
            return false;
        }
    } else {
        return false; /* 28 to 30 are undefined, 31 is an indefinite length */
    }
    if (item->major == KS_CBOR_BYTES || item->major == KS_CBOR_TEXT) {
        if (item->value > (size_t)(reader->end - reader->at)) {
            return false;
        }
        item->content = reader->at;
        reader->at += item->value;
    }
    return true;
}

/* Passes over one item with all that it contains. Counts instead of recursing: a sender chooses how deep it nests. */
static bool skip(struct ks_cbor_reader *reader)
{
    uint64_t open = 1;
    while (open > 0) {
        struct ks_cbor_item item;
        if (!next(reader, &item)) {
            return false;
        }
        open--;
        uint64_t inside = 0;
        if (item.major == 4) {
            inside = item.value;
        } else if (item.major == KS_CBOR_MAP) {
            inside = item.value > UINT32_MAX ? item.value : 2 * item.value;
        } else if (item.major == 6) {
            inside = 1; /* what a tag stands before */
        }
        /* Every item takes a byte at least: this also keeps `open` far from overflow. */
        const size_t left = (size_t)(reader->end - reader->at);
        if (inside > left || open > left - inside) {
            return false;
        }
        open += inside;
    }
    return true;
}

static bool same_text(const struct ks_cbor_item *a, const uint8_t *text, size_t length)
{
    return a->value == length && memcmp(a->content, text, length) == 0;
}

enum ks_cbor_verdict ks_cbor_open(const uint8_t *body, size_t length, struct ks_cbor_map *map)
{
    const uint8_t *const end = body + length;
    struct ks_cbor_reader reader = { body, end };
    if (!skip(&reader)) {
        return KS_CBOR_MALFORMED;
    }
    if (reader.at != end) {
        return KS_CBOR_UNSUITABLE;
    }

    struct ks_cbor_item head;
    reader.at = body;
    if (!next(&reader, &head) || head.major != KS_CBOR_MAP) {
        return KS_CBOR_UNSUITABLE;
    }
    const struct ks_cbor_reader entries = reader;
    for (size_t i = 0; i < head.value; i++) {
        struct ks_cbor_item key;
        if (!next(&reader, &key) || key.major != KS_CBOR_TEXT || !skip(&reader)) {
            return KS_CBOR_UNSUITABLE;
        }
        struct ks_cbor_reader earlier = entries;
        for (size_t j = 0; j < i; j++) {
            struct ks_cbor_item other;
            if (!next(&earlier, &other) || same_text(&other, key.content, (size_t)key.value) || !skip(&earlier)) {
                return KS_CBOR_UNSUITABLE;
            }
        }
    }
    map->entries = entries;
    map->count = (size_t)head.value;
    return KS_CBOR_OK;
}

bool ks_cbor_find(const struct ks_cbor_map *map, const char *key, struct ks_cbor_item *value)
{
    const size_t length = strlen(key);
    struct ks_cbor_reader reader = map->entries;
    for (size_t i = 0; i < map->count; i++) {
        struct ks_cbor_item name;
        if (!next(&reader, &name)) {
            return false;
        }
        if (same_text(&name, (const uint8_t *)key, length)) {
            return next(&reader, value);
        }
        if (!skip(&reader)) {
            return false;
        }
    }
    return false;
}

void ks_cbor_put_raw(struct ks_cbor_writer *writer, const void *bytes, size_t length)
{
    if (writer->full || length > (size_t)(writer->end - writer->at)) {
        writer->full = true;
        return;
    }
    memcpy(writer->at, bytes, length);
    writer->at += length;
}

/* In the shortest of the five forms. */
static void put_head(struct ks_cbor_writer *writer, unsigned major, uint64_t value)
{
    unsigned bytes = 0;
    unsigned info = (unsigned)value;
    if (value >= 24) {
        info = 24;
        bytes = 1;
        while (bytes < 8 && value >> (8 * bytes) != 0) {
            bytes *= 2;
            info++;
        }
    }
    const uint8_t initial = (uint8_t)(major << 5 | info);
    ks_cbor_put_raw(writer, &initial, 1);
    while (bytes-- > 0) {
        const uint8_t byte = (uint8_t)(value >> (8 * bytes));
        ks_cbor_put_raw(writer, &byte, 1);
    }
}

void ks_cbor_put_map(struct ks_cbor_writer *writer, size_t entries)
{
    put_head(writer, KS_CBOR_MAP, entries);
}

void ks_cbor_put_uint(struct ks_cbor_writer *writer, uint64_t value)
{
    put_head(writer, KS_CBOR_UINT, value);
}

void ks_cbor_put_bytes(struct ks_cbor_writer *writer, const uint8_t *bytes, size_t length)
{
    put_head(writer, KS_CBOR_BYTES, length);
    ks_cbor_put_raw(writer, bytes, length);
}

void ks_cbor_put_text_head(struct ks_cbor_writer *writer, size_t length)
{
    put_head(writer, KS_CBOR_TEXT, length);
}

void ks_cbor_put_text(struct ks_cbor_writer *writer, const char *text, size_t length)
{
    ks_cbor_put_text_head(writer, length);
    ks_cbor_put_raw(writer, text, length);
}

void ks_cbor_put_key(struct ks_cbor_writer *writer, const char *key)
{
    ks_cbor_put_text(writer, key, strlen(key));
}
