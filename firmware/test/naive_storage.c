/*
 * How not to do it: the store that everybody writes first. One place, erased and written again, and while that goes on the
 * device holds nothing. It answers every request as storage.c does; only power loss tells them apart. The power-cut tests
 * are run with it to show that they would notice. Never part of a product.
 */
#include "storage.h"

#include <string.h>

static const uint8_t MAGIC[4] = { 'K', 'S', '1', 0 };

enum { HEADER_SIZE = 16, PAYLOAD_AT = 32 };

static uint32_t crc32(const uint8_t *header, const uint8_t *payload, size_t length)
{
    uint32_t crc = 0xFFFFFFFFU;
    for (size_t i = 0; i < 12 + length; i++) {
        crc ^= i < 12 ? header[i] : payload[i - 12];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1U) != 0 ? crc >> 1 ^ 0xEDB88320U : crc >> 1;
        }
    }
    return ~crc;
}

static void put(uint8_t *bytes, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(value >> (8 * i));
    }
}

enum ks_held ks_storage_load(const struct ks_port *port, struct ks_credential *set, uint32_t *generation)
{
    uint8_t slot[KS_SLOT_SIZE];
    uint8_t crc[4];
    struct ks_cbor_map map;
    if (!port->storage_read(port->context, 0, slot, sizeof slot)) {
        return KS_HELD_NONE;
    }
    const size_t length = (size_t)slot[8] | (size_t)slot[9] << 8;
    if (memcmp(slot, MAGIC, sizeof MAGIC) != 0 || length > KS_SLOT_SIZE - PAYLOAD_AT) {
        return KS_HELD_NONE;
    }
    put(crc, crc32(slot, slot + PAYLOAD_AT, length));
    if (memcmp(crc, slot + 12, 4) != 0) {
        return KS_HELD_NONE;
    }
    *generation = (uint32_t)slot[4] | (uint32_t)slot[5] << 8 | (uint32_t)slot[6] << 16 | (uint32_t)slot[7] << 24;
    return ks_cbor_open(slot + PAYLOAD_AT, length, &map) == KS_CBOR_OK && ks_credential_read(set, &map)
        ? KS_HELD_SET : KS_HELD_UNREADABLE;
}

enum ks_held ks_storage_generation(const struct ks_port *port, uint32_t *generation)
{
    struct ks_credential set;
    *generation = 0;
    return ks_storage_load(port, &set, generation);
}

bool ks_storage_store(const struct ks_port *port, const struct ks_credential *set, uint32_t *generation)
{
    uint8_t slot[KS_SLOT_SIZE];
    (void)ks_storage_generation(port, generation);
    ++*generation;
    memset(slot, 0xFF, sizeof slot);
    memset(slot, 0, HEADER_SIZE);
    struct ks_cbor_writer writer = { slot + PAYLOAD_AT, slot + sizeof slot, false };
    ks_credential_write(set, &writer);
    const size_t length = (size_t)(writer.at - slot) - PAYLOAD_AT;
    memcpy(slot, MAGIC, sizeof MAGIC);
    put(slot + 4, *generation);
    put(slot + 8, (uint32_t)length);
    put(slot + 12, crc32(slot, slot + PAYLOAD_AT, length));
    return port->storage_erase(port->context, 0) && port->storage_write(port->context, 0, slot, sizeof slot);
}

bool ks_storage_locked(const struct ks_port *port)
{
    uint8_t mark[KS_LOCK_SIZE];
    return !port->storage_read(port->context, KS_LOCK_ADDRESS, mark, sizeof mark) || mark[0] != 0xFF;
}

bool ks_storage_lock(const struct ks_port *port)
{
    static const uint8_t mark[KS_LOCK_SIZE] = { 'K', 'S', 'L', 'K' };
    return port->storage_write(port->context, KS_LOCK_ADDRESS, mark, sizeof mark);
}
