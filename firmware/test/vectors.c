/* The vectors of docs/device-protocol.md, byte for byte. */
#include <string.h>

#include "check.h"
#include "simulated.h"
#include "vectors.h"

#define EACH(row, table) for (size_t row = 0; row < sizeof(table) / sizeof(table)[0]; row++)

static struct simulated device;

static bool told(const struct octets *question, const struct octets *expected)
{
    simulated_run(&device, question->bytes, question->length);
    return simulated_sent(&device, expected->bytes, expected->length);
}

/* One injection as it happens; with `times` 2 the line loses every answer once. */
static void injection(unsigned times, const char *group)
{
    simulated_new(&device);
    EACH(i, exchange) {
        const bool restarts = strcmp(exchange[i].name, "reset") == 0;
        bool same = true;
        for (unsigned n = 0; n < (restarts ? 1 : times); n++) {
            same = told(&exchange[i].request_wire, &exchange[i].response_wire) && same;
        }
        check(same, group, exchange[i].name);
    }
    check(memcmp(device.storage, storage_slot.bytes, storage_slot.length) == 0
            && storage_slot.length == KS_SLOT_SIZE, group, "slot 0 is as specified");
    bool rest_erased = true;
    for (size_t i = KS_SLOT_SIZE; i < KS_STORAGE_SIZE; i++) {
        rest_erased = rest_erased && device.storage[i] == 0xFF;
    }
    check(rest_erased, group, "slot 1 and the lock mark are erased");
}

/* What the requests in "more" find: each of them names it here, so that no new one is left out unseen. */
static bool prepare(const char *name)
{
    const struct ks_credential set = example(0);
    const struct ks_credential other = example(1);
    struct ks_credential bare = set;
    uint8_t packet[KS_PACKET_MAX];
    bare.anchor_length = 0;
    simulated_new(&device);
    if (strcmp(name, "commit without an anchor") == 0) {
        return simulated_request(&device, packet, stage_packet(packet, &bare));
    }
    if (strcmp(name, "set without an anchor") == 0) {
        return simulated_inject(&device, &bare, false);
    }
    if (strcmp(name, "stage with endpoint") == 0 || strcmp(name, "stage without an anchor") == 0 || strcmp(name, "echo") == 0 || strcmp(name, "unknown command") == 0) {
        return true;
    }
    if (strcmp(name, "commit that overwrites") == 0 || strcmp(name, "refused: keyed") == 0) {
        return simulated_inject(&device, &other, false)
            && simulated_request(&device, packet, stage_packet(packet, &set));
    }
    if (strcmp(name, "sas") == 0 || strcmp(name, "set") == 0 || strcmp(name, "lock") == 0) {
        return simulated_inject(&device, &set, false);
    }
    return false;
}

static void further_exchanges(void)
{
    EACH(i, more) {
        const bool known = prepare(more[i].name);
        const bool once = known && told(&more[i].request_wire, &more[i].response_wire);
        check(once && told(&more[i].request_wire, &more[i].response_wire), "more, asked twice", more[i].name);
    }
}

static void reception(void)
{
    EACH(i, framing) {
        struct ks_smp_receiver receiver = { .have = 0 };
        size_t delivered = 0;
        bool same = true;
        for (size_t at = 0; at < framing[i].bytes.length; at++) {
            if (ks_smp_receive(&receiver, framing[i].bytes.bytes[at])) {
                size_t length;
                const uint8_t *const packet = ks_smp_packet(&receiver, &length);
                same = same && delivered < framing[i].packets && length == framing[i].packet[delivered].length
                    && memcmp(packet, framing[i].packet[delivered].bytes, length) == 0;
                delivered++;
                ks_smp_discard(&receiver);
            }
        }
        check(same && delivered == framing[i].packets, "framing", framing[i].name);
    }
}

static bool bring_to(const char *state)
{
    const struct ks_credential set = example(0);
    uint8_t packet[KS_PACKET_MAX];
    simulated_new(&device);
    if (strcmp(state, "staged") == 0) {
        return simulated_request(&device, packet, stage_packet(packet, &set));
    }
    if (strcmp(state, "keyed") == 0) {
        return simulated_inject(&device, &set, false);
    }
    if (strcmp(state, "locked") == 0) {
        EACH(i, more) {
            if (strcmp(more[i].name, "lock") == 0) {
                return simulated_inject(&device, &set, false)
                    && simulated_run(&device, more[i].request_wire.bytes, more[i].request_wire.length);
            }
        }
    }
    return strcmp(state, "empty") == 0;
}

static void refusals(void)
{
    EACH(i, device_refuses) {
        const struct refusal *const row = &device_refuses[i];
        const uint8_t expected[] = {
            0xA1, 0x63, 'e', 'r', 'r', 0xA2, 0x65, 'g', 'r', 'o', 'u', 'p', 0x19, 0x4B, 0x53, 0x62, 'r', 'c',
            (uint8_t)row->code,
        };
        bool good = bring_to(row->state);
        uint8_t before[KS_STORAGE_SIZE];
        memcpy(before, device.storage, sizeof before);
        for (int twice = 0; twice < 2; twice++) {
            uint8_t answer[KS_PACKET_MAX];
            simulated_request(&device, row->request.bytes, row->request.length);
            good = simulated_hear(&device, answer) == KS_PACKET_MIN + sizeof expected
                && answer[0] == row->request.bytes[0] + 1 && memcmp(answer + 4, row->request.bytes + 4, 4) == 0
                && memcmp(answer + KS_PACKET_MIN, expected, sizeof expected) == 0 && good;
        }
        check(good && memcmp(before, device.storage, sizeof before) == 0, "device refuses", row->name);
    }
}

/* The code in the error that `lock` answers. */
static unsigned lock_answer(const uint8_t *body, size_t length)
{
    uint8_t packet[KS_PACKET_MAX];
    simulated_request(&device, packet, packet_of(packet, 2, 0x4B53, 6, body, length));
    const size_t heard = simulated_hear(&device, packet);
    return heard == 0 ? 0 : packet[heard - 1];
}

/* A device with one identifier only takes `lock` under its own digest: it gets as far as "empty". */
static void identities(void)
{
    EACH(i, device_digests) {
        const struct identity *const row = &device_digests[i];
        simulated_new(&device);
        if (row->mac.length == 0) {
            device.identity.mac = NULL;
        }
        if (row->serial[0] == '\0') {
            device.identity.serial = NULL;
        }
        uint8_t body[5 + KS_DIGEST_SIZE] = { 0xA1, 0x62, 'i', 'd', 0x48 };
        memcpy(body + 5, row->digest.bytes, KS_DIGEST_SIZE);
        const unsigned own = lock_answer(body, sizeof body);
        body[5] ^= 1;
        check(own == 7 && lock_answer(body, sizeof body) == 2, "device digest",
            row->mac.length == 0 ? "serial number only" : "MAC only");
    }
}

static void published(void)
{
    const struct ks_credential set = example(0);
    uint8_t made[KS_FINGERPRINT_SIZE];
    ks_credential_fingerprint(&set, made);
    check(memcmp(made, fingerprint.bytes, sizeof made) == 0, "set", "fingerprint");
    check(memcmp(set.anchor, anchor.bytes, sizeof set.anchor) == 0 && anchor.length == KS_ANCHOR_SIZE, "set",
        "the test's own anchor is the one of the example");
    check(memcmp(set.key, device_key.bytes, device_key.length) == 0, "set", "the test's own example is the published one");
}

/* A set that came without an anchor, as agents stored it before there were any. */
static void slot_without_anchor(void)
{
    struct ks_credential set = example(0);
    simulated_new(&device);
    memcpy(device.storage, storage_slot_without_anchor.bytes, storage_slot_without_anchor.length);
    set.anchor_length = 0;
    check(simulated_holds(&device, &set), "slot without an anchor", "is a set");
    EACH(i, more) {
        if (strcmp(more[i].name, "set without an anchor") == 0) {
            check(told(&more[i].request_wire, &more[i].response_wire), "slot without an anchor", "is told as one");
        }
    }
}

int main(void)
{
    injection(1, "exchange");
    injection(2, "exchange, asked twice");
    further_exchanges();
    reception();
    refusals();
    identities();
    slot_without_anchor();
    published();
    return summary();
}
