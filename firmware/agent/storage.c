#include "storage.h"

#include <string.h>

#include "wipe.h"

enum {
    HEADER_SIZE = 16,
    PAYLOAD_AT = 32, /* the 16 bytes between stay FF: flash that programs 32 bytes at once can still write the header last */
    CAPACITY = KS_SLOT_SIZE - PAYLOAD_AT,
    CHUNK = 32, /* bytes read at a time, on the stack */
};

static const uint8_t MAGIC[4] = { 'K', 'S', '1', 0 };
static const uint8_t LOCK_MARK[KS_LOCK_SIZE] = { 'K', 'S', 'L', 'K' };

struct header {
    uint32_t generation;
    uint32_t length;
};

static uint32_t slot_address(unsigned slot)
{
    return (uint32_t)slot * KS_SLOT_SIZE;
}

static uint32_t get_little(const uint8_t *bytes, unsigned count)
{
    uint32_t value = 0;
    while (count-- > 0) {
        value = value << 8 | bytes[count];
    }
    return value;
}

static void put_little(uint8_t *bytes, uint32_t value, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
}

/* CRC-32/ISO-HDLC, without the final inversion: start with all ones and invert the result. */
static uint32_t crc32_update(uint32_t crc, const uint8_t *bytes, size_t length)
{
    while (length-- > 0) {
        crc ^= *bytes++;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1U) != 0 ? crc >> 1 ^ 0xEDB88320U : crc >> 1;
        }
    }
    return crc;
}

enum slot_state {
    SLOT_INVALID,
    SLOT_VALID,
    SLOT_UNREAD, /* it may be valid */
};

/* Reads the header of a slot and checks the slot. */
static enum slot_state open_slot(const struct ks_port *port, unsigned slot, struct header *header)
{
    uint8_t bytes[HEADER_SIZE];
    if (!port->storage_read(port->context, slot_address(slot), bytes, sizeof bytes)) {
        return SLOT_UNREAD;
    }
    header->generation = get_little(bytes + 4, 4);
    header->length = get_little(bytes + 8, 2);
    if (memcmp(bytes, MAGIC, sizeof MAGIC) != 0 || header->generation == 0 || header->length == 0
        || header->length > CAPACITY) {
        return SLOT_INVALID;
    }

    uint32_t crc = crc32_update(0xFFFFFFFFU, bytes, 12);
    uint8_t chunk[CHUNK];
    bool readable = true;
    for (uint32_t at = 0; readable && at < header->length; at += CHUNK) {
        const uint32_t left = header->length - at;
        const size_t take = left < CHUNK ? left : CHUNK;
        readable = port->storage_read(port->context, slot_address(slot) + PAYLOAD_AT + at, chunk, take);
        crc = readable ? crc32_update(crc, chunk, take) : crc;
    }
    ks_wipe(chunk, sizeof chunk);
    if (!readable) {
        return SLOT_UNREAD;
    }
    return ~crc == get_little(bytes + 12, 4) ? SLOT_VALID : SLOT_INVALID;
}

enum {
    NO_SLOT = -1, /* both were read, and neither is valid */
    UNKNOWN_SLOT = -2, /* none is seen to be valid, and one could not be read */
};

/* The slot that counts and its header, or one of the two above. */
static int active_slot(const struct ks_port *port, struct header *active)
{
    int found = NO_SLOT;
    for (unsigned slot = 0; slot < 2; slot++) {
        struct header header;
        const enum slot_state state = open_slot(port, slot, &header);
        if (state == SLOT_VALID && (found < 0 || header.generation > active->generation)) {
            *active = header;
            found = (int)slot;
        } else if (state == SLOT_UNREAD && found == NO_SLOT) {
            found = UNKNOWN_SLOT;
        }
    }
    return found;
}

enum ks_held ks_storage_generation(const struct ks_port *port, uint32_t *generation)
{
    struct header header;
    const int slot = active_slot(port, &header);
    *generation = slot < 0 ? 0 : header.generation;
    return slot >= 0 ? KS_HELD_SET : slot == NO_SLOT ? KS_HELD_NONE : KS_HELD_UNREADABLE;
}

enum ks_held ks_storage_load(const struct ks_port *port, struct ks_credential *set, uint32_t *generation)
{
    struct header header;
    const int slot = active_slot(port, &header);
    if (slot < 0) {
        return slot == NO_SLOT ? KS_HELD_NONE : KS_HELD_UNREADABLE;
    }
    uint8_t payload[KS_PAYLOAD_MAX];
    struct ks_cbor_map map;
    const bool good = header.length <= sizeof payload
        && port->storage_read(port->context, slot_address((unsigned)slot) + PAYLOAD_AT, payload, header.length)
        && ks_cbor_open(payload, header.length, &map) == KS_CBOR_OK
        && ks_credential_read(set, &map);
    ks_wipe(payload, sizeof payload);
    *generation = header.generation;
    return good ? KS_HELD_SET : KS_HELD_UNREADABLE;
}

/* Writes, and reads back: flash that is worn or write-protected may report success. */
static bool write_checked(const struct ks_port *port, uint32_t address, const uint8_t *bytes, size_t length)
{
    if (!port->storage_write(port->context, address, bytes, length)) {
        return false;
    }
    uint8_t chunk[CHUNK];
    bool same = true;
    for (size_t at = 0; same && at < length; at += CHUNK) {
        const size_t take = length - at < CHUNK ? length - at : CHUNK;
        same = port->storage_read(port->context, address + (uint32_t)at, chunk, take)
            && memcmp(chunk, bytes + at, take) == 0;
    }
    ks_wipe(chunk, sizeof chunk);
    return same;
}

bool ks_storage_store(const struct ks_port *port, const struct ks_credential *set, uint32_t *generation)
{
    struct header active;
    const int held = active_slot(port, &active);
    const unsigned slot = held == 0 ? 1 : 0;
    const uint32_t next = held < 0 ? 1 : active.generation + 1;
    if (next == 0) {
        return false; /* after 2^32 - 1 sets; 0 says that there is none */
    }

    uint8_t payload[(KS_PAYLOAD_MAX + KS_WRITE_UNIT - 1) / KS_WRITE_UNIT * KS_WRITE_UNIT];
    memset(payload, 0xFF, sizeof payload);
    struct ks_cbor_writer writer = { payload, payload + sizeof payload, false };
    ks_credential_write(set, &writer);
    const size_t length = (size_t)(writer.at - payload);
    const size_t padded = (length + KS_WRITE_UNIT - 1) / KS_WRITE_UNIT * KS_WRITE_UNIT;

    uint8_t header[HEADER_SIZE] = { 0 };
    memcpy(header, MAGIC, sizeof MAGIC);
    put_little(header + 4, next, 4);
    put_little(header + 8, (uint32_t)length, 2);
    put_little(header + 12, ~crc32_update(crc32_update(0xFFFFFFFFU, header, 12), payload, length), 4);

    /* The set counts from the moment that its header is complete. Until then the other slot is untouched and active. */
    const bool stored = !writer.full && port->storage_erase(port->context, slot)
        && write_checked(port, slot_address(slot) + PAYLOAD_AT, payload, padded)
        && write_checked(port, slot_address(slot), header, sizeof header)
        /* A slot that could not be read for once, and now outranks the new one, would take the key back. */
        && active_slot(port, &active) == (int)slot && active.generation == next;
    if (!stored) {
        /* What is left there may be valid at the next reading, and it holds a key. */
        (void)port->storage_erase(port->context, slot);
    }
    ks_wipe(payload, sizeof payload);
    *generation = next;
    return stored;
}

bool ks_storage_locked(const struct ks_port *port)
{
    uint8_t mark[KS_LOCK_SIZE];
    if (!port->storage_read(port->context, KS_LOCK_ADDRESS, mark, sizeof mark)) {
        return true;
    }
    for (unsigned i = 0; i < sizeof mark; i++) {
        if (mark[i] != 0xFF) {
            return true;
        }
    }
    return false;
}

bool ks_storage_lock(const struct ks_port *port)
{
    return write_checked(port, KS_LOCK_ADDRESS, LOCK_MARK, sizeof LOCK_MARK);
}
