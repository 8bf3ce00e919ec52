#include "simulated.h"

#include <assert.h>
#include <string.h>

unsigned passed;
unsigned failed;

static const uint8_t MAC[KS_MAC_SIZE] = { 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6 };

uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1DU;
}

static void uart_write(void *context, const uint8_t *bytes, size_t length)
{
    struct simulated *const device = context;
    assert(length <= sizeof device->sent - device->sent_length);
    memcpy(device->sent + device->sent_length, bytes, length);
    device->sent_length += length;
}

static bool fails(struct simulated *device)
{
    const long call = device->calls++;
    return device->fail_at != NEVER && (call == device->fail_at || (device->sticky && call > device->fail_at));
}

static bool storage_read(void *context, uint32_t address, void *to, size_t length)
{
    struct simulated *const device = context;
    assert(address <= KS_STORAGE_SIZE && length <= KS_STORAGE_SIZE - address);
    if (address < 2 * KS_SLOT_SIZE && device->torn[address / KS_SLOT_SIZE]) {
        return false;
    }
    memcpy(to, device->storage + address, length);
    /* A reading that goes wrong without a report is bit rot: power_cut.c has it. */
    return !fails(device) || device->silent;
}

static uint8_t some_bits(struct simulated *device)
{
    return (uint8_t)next_random(&device->random);
}

/* One byte of an erase or of a write, or the end of the power. */
static void change(struct simulated *device, uint32_t address, uint8_t to)
{
    uint8_t *const byte = &device->storage[address];
    if (device->operations == device->cut_after) {
        if (device->tear != TEAR_BETWEEN) {
            const uint8_t differing = *byte ^ to;
            *byte = (uint8_t)(*byte ^ (differing & some_bits(device)));
        }
        longjmp(device->power, 1);
    }
    device->operations++;
    *byte = to;
}

static bool storage_erase(void *context, unsigned slot)
{
    struct simulated *const device = context;
    assert(slot < 2);
    if (fails(device)) {
        return device->silent;
    }
    device->torn[slot] = false;
    const uint32_t start = (uint32_t)slot * KS_SLOT_SIZE;
    if (device->tear == TEAR_SLOT && device->cut_after >= 0 && device->cut_after - device->operations < KS_SLOT_SIZE) {
        for (uint32_t i = 0; i < KS_SLOT_SIZE; i++) {
            device->storage[start + i] |= some_bits(device);
        }
    }
    for (uint32_t i = 0; i < KS_SLOT_SIZE; i++) {
        change(device, start + i, 0xFF);
    }
    return true;
}

static bool storage_write(void *context, uint32_t address, const void *from, size_t length)
{
    struct simulated *const device = context;
    const uint8_t *const bytes = from;
    assert(address <= KS_STORAGE_SIZE && length <= KS_STORAGE_SIZE - address);
    assert(address % KS_WRITE_UNIT == 0 && length % KS_WRITE_UNIT == 0);
    if (fails(device)) {
        return device->silent;
    }
    device->last_write = address;
    for (uint32_t i = 0; i < length; i++) {
        change(device, address + i, device->storage[address + i] & bytes[i]);
    }
    return true;
}

static void restart(void *context)
{
    struct simulated *const device = context;
    device->restarting = true;
    device->left = device->agent;
}

void simulated_restart(struct simulated *device)
{
    device->identity.boot++;
    device->restarting = false;
    device->cut_after = NEVER;
    device->fail_at = NEVER;
    device->sticky = false;
    device->silent = false;
    assert(ks_agent_init(&device->agent, &device->port, &device->identity));
}

void simulated_new(struct simulated *device)
{
    memset(device, 0, sizeof *device);
    memset(device->storage, 0xFF, sizeof device->storage);
    device->port = (struct ks_port) {
        device, uart_write, storage_read, storage_erase, storage_write, restart,
    };
    device->identity = (struct ks_identity) { MAC, "007-888-abc", "1.0.0", 6, KS_CAN_SAS | KS_CAN_LOCK };
    device->random = 0x4B53;
    simulated_restart(device);
}

bool simulated_run(struct simulated *device, const uint8_t *bytes, size_t length)
{
    device->operations = 0;
    device->calls = 0;
    device->sent_length = 0;
    if (setjmp(device->power) != 0) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        ks_agent_receive(&device->agent, bytes[i]);
        if (device->restarting) {
            simulated_restart(device);
        }
    }
    return true;
}

struct line {
    uint8_t bytes[1024];
    size_t length;
};

static void to_line(void *context, const uint8_t *bytes, size_t length)
{
    struct line *const line = context;
    assert(length <= sizeof line->bytes - line->length);
    memcpy(line->bytes + line->length, bytes, length);
    line->length += length;
}

bool simulated_request(struct simulated *device, const uint8_t *packet, size_t length)
{
    struct line line = { .length = 0 };
    ks_smp_send(packet, length, to_line, &line);
    return simulated_run(device, line.bytes, line.length);
}

bool simulated_sent(struct simulated *device, const uint8_t *bytes, size_t length)
{
    const bool same = device->sent_length == length && memcmp(device->sent, bytes, length) == 0;
    device->sent_length = 0;
    return same;
}

size_t simulated_hear(struct simulated *device, uint8_t packet[KS_PACKET_MAX])
{
    struct ks_smp_receiver receiver = { .have = 0 };
    for (size_t i = 0; i < device->sent_length; i++) {
        if (ks_smp_receive(&receiver, device->sent[i])) {
            size_t length;
            const uint8_t *const heard = ks_smp_packet(&receiver, &length);
            memcpy(packet, heard, length);
            device->sent_length -= i + 1;
            memmove(device->sent, device->sent + i + 1, device->sent_length);
            return length;
        }
    }
    device->sent_length = 0;
    return 0;
}

struct ks_credential example(unsigned number)
{
    static const uint8_t key[KS_KEY_SIZE] = {
        0x26, 0xc9, 0xb4, 0x97, 0x21, 0xa9, 0x8d, 0xa5, 0x58, 0x54, 0xfd, 0xa0, 0xdc, 0x59, 0xe6, 0x9e,
        0x61, 0xbd, 0x74, 0x8f, 0xfd, 0xa9, 0x4d, 0xb8, 0xc0, 0xda, 0x32, 0x91, 0x49, 0x9e, 0xae, 0x67,
    };
    static const char rid[] = "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6";
    static const char scope[] = "0ne00EMU001";
    static const char endpoint[] = "global.azure-devices-provisioning.net";
    static const uint8_t anchor[KS_ANCHOR_SIZE] = {
        0xf8, 0x05, 0x65, 0xcd, 0, 0, 0, 0, 0, 0, 0, 3, 0xc2, 0x07, 0x6f, 0x0b, 0x85, 0xb9, 0xd1, 0xc1,
    };
    struct ks_credential set = { .rid_length = sizeof rid - 1, .scope_length = sizeof scope - 1,
        .endpoint_length = sizeof endpoint - 1, .anchor_length = sizeof anchor };
    memcpy(set.rid, rid, sizeof rid - 1);
    memcpy(set.scope, scope, sizeof scope - 1);
    memcpy(set.endpoint, endpoint, sizeof endpoint - 1);
    memcpy(set.key, key, sizeof key);
    memcpy(set.anchor, anchor, sizeof anchor);
    if (number > 0) {
        /* Other lengths too, so that a mixture of two sets has no right length by chance. */
        set.rid_length = (uint8_t)(20 + number % 80);
        memset(set.rid, 'a' + (int)(number % 26), set.rid_length);
        for (unsigned i = 0; i < KS_KEY_SIZE; i++) {
            set.key[i] = (uint8_t)(set.key[i] ^ (number * 37 + i));
        }
        set.anchor_length = number % 3 == 0 ? 0 : KS_ANCHOR_SIZE;
        set.anchor[11] = (uint8_t)number;
    }
    return set;
}

size_t packet_of(uint8_t *packet, unsigned operation, unsigned group, unsigned command, const uint8_t *body, size_t length)
{
    const uint8_t header[KS_PACKET_MIN] = {
        (uint8_t)(0x08 | operation), 0, (uint8_t)(length >> 8), (uint8_t)length,
        (uint8_t)(group >> 8), (uint8_t)group, 1, (uint8_t)command,
    };
    memcpy(packet, header, sizeof header);
    memmove(packet + KS_PACKET_MIN, body, length);
    return KS_PACKET_MIN + length;
}

size_t stage_packet(uint8_t *packet, const struct ks_credential *set)
{
    struct ks_cbor_writer writer = { packet + KS_PACKET_MIN, packet + KS_PACKET_MAX, false };
    ks_credential_write(set, &writer);
    assert(!writer.full);
    const uint8_t *const body = packet + KS_PACKET_MIN;
    return packet_of(packet, 2, 0x4B53, 1, body, (size_t)(writer.at - body));
}

size_t commit_packet(uint8_t *packet, const struct ks_credential *set, bool overwrite)
{
    static const uint8_t id[KS_DIGEST_SIZE] = { 0xae, 0x1b, 0x2e, 0x83, 0x09, 0xa7, 0xc9, 0x26 };
    uint8_t digest[KS_DIGEST_SIZE];
    ks_credential_digest(set, digest);
    uint8_t *const body = packet + KS_PACKET_MIN;
    struct ks_cbor_writer writer = { body, packet + KS_PACKET_MAX, false };
    ks_cbor_put_map(&writer, overwrite ? 3 : 2);
    ks_cbor_put_key(&writer, "id");
    ks_cbor_put_bytes(&writer, id, sizeof id);
    ks_cbor_put_key(&writer, "dg");
    ks_cbor_put_bytes(&writer, digest, sizeof digest);
    if (overwrite) {
        ks_cbor_put_key(&writer, "ow");
        ks_cbor_put_raw(&writer, "\xF5", 1);
    }
    return packet_of(packet, 2, 0x4B53, 2, body, (size_t)(writer.at - body));
}

bool simulated_inject(struct simulated *device, const struct ks_credential *set, bool overwrite)
{
    uint8_t packet[KS_PACKET_MAX];
    return simulated_request(device, packet, stage_packet(packet, set))
        && simulated_request(device, packet, commit_packet(packet, set, overwrite));
}

bool simulated_holds(const struct simulated *device, const struct ks_credential *set)
{
    struct ks_credential held;
    if (!ks_agent_credential(&device->port, &held)) {
        return set == NULL;
    }
    return set != NULL && held.rid_length == set->rid_length && held.scope_length == set->scope_length
        && held.endpoint_length == set->endpoint_length && memcmp(held.rid, set->rid, set->rid_length) == 0
        && memcmp(held.scope, set->scope, set->scope_length) == 0
        && memcmp(held.endpoint, set->endpoint, set->endpoint_length) == 0
        && memcmp(held.key, set->key, KS_KEY_SIZE) == 0 && held.anchor_length == set->anchor_length
        && memcmp(held.anchor, set->anchor, set->anchor_length) == 0;
}
