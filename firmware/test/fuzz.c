/*
 * Millions of bytes that no station would send, from the same seed each time, under the sanitizers. What must hold: the
 * agent answers in whole frames or not at all, a repeated request gets the same answer, and afterwards it still works.
 */
#include <string.h>

#include "check.h"
#include "simulated.h"
#include "vectors.h"

static struct simulated device;
static uint64_t state = 0x6b657973746174;

static uint32_t below(uint32_t limit)
{
    return (uint32_t)(next_random(&state) >> 32) % limit;
}

/* Whether what was sent is a series of whole frames of packets that are in order. */
static bool well_formed(void)
{
    uint8_t packet[KS_PACKET_MAX];
    size_t heard = 0;
    const size_t sent = device.sent_length;
    size_t frames = 0;
    for (size_t i = 0; i < sent; i++) {
        frames += device.sent[i] == '\n';
    }
    while (device.sent_length > 0) {
        const size_t length = simulated_hear(&device, packet);
        if (length == 0) {
            return false;
        }
        heard += (2 + length + 2 + 92) / 93;
        struct ks_cbor_map map;
        if (ks_cbor_open(packet + KS_PACKET_MIN, length - KS_PACKET_MIN, &map) != KS_CBOR_OK) {
            return false;
        }
    }
    return heard == frames;
}

static size_t some_request(uint8_t *packet)
{
    const size_t all = sizeof exchange / sizeof exchange[0] + sizeof more / sizeof more[0]
        + sizeof device_refuses / sizeof device_refuses[0];
    size_t chosen = below((uint32_t)all);
    if (chosen < sizeof device_refuses / sizeof device_refuses[0]) {
        memcpy(packet, device_refuses[chosen].request.bytes, device_refuses[chosen].request.length);
        return device_refuses[chosen].request.length;
    }
    chosen -= sizeof device_refuses / sizeof device_refuses[0];
    const struct exchange *const row =
        chosen < sizeof exchange / sizeof exchange[0] ? &exchange[chosen] : &more[chosen - sizeof exchange / sizeof exchange[0]];
    struct ks_smp_receiver receiver = { .have = 0 };
    size_t length = 0;
    for (size_t i = 0; i < row->request_wire.length; i++) {
        if (ks_smp_receive(&receiver, row->request_wire.bytes[i])) {
            memcpy(packet, ks_smp_packet(&receiver, &length), length);
        }
    }
    return length;
}

/* Bytes without any sense, with markers among them so that frames begin. */
static void noise(void)
{
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n";
    bool good = true;
    for (unsigned round = 0; round < 4000; round++) {
        uint8_t bytes[500];
        size_t length = 0;
        while (length < sizeof bytes - 2) {
            const uint32_t kind = below(100);
            if (kind < 1) {
                bytes[length++] = 0x06;
                bytes[length++] = 0x09;
            } else if (kind < 2) {
                bytes[length++] = 0x04;
                bytes[length++] = 0x14;
            } else if (kind < 90) {
                bytes[length++] = (uint8_t)base64[below(sizeof base64 - 1)];
            } else {
                bytes[length++] = (uint8_t)below(256);
            }
        }
        simulated_run(&device, bytes, length);
        good = good && well_formed();
    }
    check(good, "fuzz", "noise");
}

static uint8_t line[2048];
static size_t line_length;

static void to_line(void *context, const uint8_t *bytes, size_t length)
{
    (void)context;
    memcpy(line + line_length, bytes, length);
    line_length += length;
}

/* Frames of real requests with a few bytes changed, lost, doubled. */
static void damaged_frames(void)
{
    bool good = true;
    for (unsigned round = 0; round < 12000; round++) {
        uint8_t packet[KS_PACKET_MAX];
        line_length = 0;
        ks_smp_send(packet, some_request(packet), to_line, NULL);
        for (uint32_t damage = below(4); damage > 0; damage--) {
            const size_t at = below((uint32_t)line_length);
            switch (below(3)) {
            case 0:
                line[at] ^= (uint8_t)(1U << below(8));
                break;
            case 1:
                memmove(line + at, line + at + 1, --line_length - at);
                break;
            default:
                memmove(line + at + 1, line + at, line_length++ - at);
            }
        }
        simulated_run(&device, line, line_length);
        good = good && well_formed();
    }
    check(good, "fuzz", "damaged frames");
}

/* Bodies that are nearly right, in frames that are: this is what reaches the parser. */
static void damaged_bodies(void)
{
    bool good = true;
    bool same = true;
    for (unsigned round = 0; round < 30000; round++) {
        uint8_t packet[KS_PACKET_MAX];
        size_t length = some_request(packet);
        for (uint32_t damage = below(4); damage > 0; damage--) {
            const size_t at = below((uint32_t)length);
            switch (below(4)) {
            case 0:
                packet[at] ^= (uint8_t)(1U << below(8));
                break;
            case 1:
                packet[at] = (uint8_t)below(256);
                break;
            case 2:
                if (length > KS_PACKET_MIN) {
                    length--;
                    memmove(packet + at, packet + at + 1, length - at);
                }
                break;
            default:
                if (length < KS_PACKET_MAX) {
                    memmove(packet + at + 1, packet + at, length - at);
                    length++;
                }
            }
        }
        packet[2] = (uint8_t)((length - KS_PACKET_MIN) >> 8);
        packet[3] = (uint8_t)(length - KS_PACKET_MIN);
        simulated_request(&device, packet, length);
        uint8_t first[sizeof device.sent];
        const size_t first_length = device.sent_length;
        const uint32_t boot = device.identity.boot;
        memcpy(first, device.sent, first_length);
        good = well_formed() && good;
        simulated_request(&device, packet, length);
        /* What a restart changes is known; all else answers as before. */
        same = same && (boot != device.identity.boot || simulated_sent(&device, first, first_length));
        if (below(50) == 0) {
            simulated_new(&device);
        } else if (below(50) == 0) {
            const struct ks_credential set = example(below(20));
            simulated_inject(&device, &set, true);
        }
    }
    check(good, "fuzz", "damaged bodies");
    check(same, "fuzz", "a repeated request gets the same answer");
}

static void still_works(void)
{
    const struct ks_credential set = example(3);
    memset(device.storage + KS_LOCK_ADDRESS, 0xFF, KS_LOCK_SIZE);
    check(simulated_inject(&device, &set, true) && simulated_holds(&device, &set), "fuzz", "afterwards an injection works");
}

int main(void)
{
    simulated_new(&device);
    noise();
    still_works();
    damaged_frames();
    still_works();
    damaged_bodies();
    still_works();
    return summary();
}
