/* Frames that only one check of the receiver refuses: the vectors of the specification are refused by several. */
#include <string.h>

#include "check.h"
#include "simulated.h"

/* A packet that is right in everything but that one line carries all of it. */
static void long_frame(void)
{
    static const uint8_t body[] = "\xA1\x61" "d\x78\x6E"
        "a text of 110 characters, with which the packet fills more than the 93 bytes that one frame can carry, by some";
    uint8_t packet[KS_PACKET_MAX];
    const size_t length = packet_of(packet, 2, 0, 0, body, sizeof body - 1);
    uint8_t whole[2 + KS_PACKET_MAX + 2] = { 0, (uint8_t)(length + 2) };
    memcpy(whole + 2, packet, length);
    uint32_t crc = 0;
    for (size_t i = 0; i < length; i++) {
        crc ^= (uint32_t)packet[i] << 8;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 0x8000U) != 0 ? (crc << 1 ^ 0x1021U) & 0xFFFFU : crc << 1;
        }
    }
    whole[2 + length] = (uint8_t)(crc >> 8);
    whole[3 + length] = (uint8_t)crc;

    /* In pieces of 93 it is taken, in one piece it is not. */
    for (int one = 0; one < 2; one++) {
        struct ks_smp_receiver receiver = { .have = 0 };
        bool taken = false;
        const size_t piece = one ? length + 4 : 93;
        for (size_t at = 0; at < length + 4; at += piece) {
            char text[800];
            const size_t take = length + 4 - at < piece ? length + 4 - at : piece;
            const size_t characters = ks_base64(whole + at, take, text);
            taken = ks_smp_receive(&receiver, at == 0 ? 0x06 : 0x04) || taken;
            taken = ks_smp_receive(&receiver, at == 0 ? 0x09 : 0x14) || taken;
            for (size_t i = 0; i < characters; i++) {
                taken = ks_smp_receive(&receiver, (uint8_t)text[i]) || taken;
            }
            taken = ks_smp_receive(&receiver, '\n') || taken;
        }
        check(taken == !one, "framing", "a frame longer than 127 bytes is refused, whatever it says");
    }
}

struct captured {
    uint8_t bytes[KS_FRAME_MAX];
    size_t length;
};

static void capture(void *context, const uint8_t *bytes, size_t length)
{
    struct captured *const line = context;
    memcpy(line->bytes, bytes, length);
    line->length = length;
}

static bool delivered(const struct captured *line)
{
    struct ks_smp_receiver receiver = { .have = 0 };
    bool taken = false;
    for (size_t i = 0; i < line->length; i++) {
        taken = ks_smp_receive(&receiver, line->bytes[i]) || taken;
    }
    return taken;
}

/* The end of a frame in two spellings that a lenient decoder reads as the same bytes. Looks for a packet that ends so. */
static void spelling(const char *name, size_t text_length, const char *canonical, const char *other)
{
    uint8_t body[] = "\xA1\x61" "d\x60" "0000";
    body[3] = (uint8_t)(0x60 + text_length);
    struct captured line = { .length = 0 };
    const size_t size = strlen(canonical);
    uint8_t *end;
    do {
        uint8_t packet[KS_PACKET_MAX];
        body[4]++;
        ks_smp_send(packet, packet_of(packet, 2, 0, 0, body, 4 + text_length), capture, &line);
        end = line.bytes + line.length - 1 - size;
    } while (body[4] != 0 && memcmp(end, canonical, size) != 0);
    const bool found = body[4] != 0 && delivered(&line);
    memcpy(end, other, size);
    check(found && !delivered(&line), "Base64", name);
}

/* A frame that is right, with a few bytes put in front of its line feed or where its marker is. */
static void additions(void)
{
    uint8_t packet[KS_PACKET_MAX];
    struct captured line = { .length = 0 };
    ks_smp_send(packet, packet_of(packet, 2, 0, 0, (const uint8_t *)"\xA1\x61" "d\x62" "00", 6), capture, &line);
    check(delivered(&line) && line.bytes[line.length - 2] != '=', "framing", "a frame without padding");
    static const struct {
        const char *name;
        const char *end;
    } rows[] = {
        { "a single character more", "A\n" },
        { "three bytes more than announced", "AAAA\n" },
        { "a carriage return, and more", "\rAAAA\n" },
        { "two carriage returns", "\r\r\n" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct captured longer = line;
        memcpy(longer.bytes + longer.length - 1, rows[i].end, strlen(rows[i].end));
        longer.length += strlen(rows[i].end) - 1;
        check(!delivered(&longer), "framing", rows[i].name);
    }
    struct captured split = line;
    memmove(split.bytes + 7, split.bytes + 6, split.length - 6);
    split.bytes[6] = '\r';
    split.length++;
    check(!delivered(&split), "framing", "a carriage return inside");
    memcpy(line.bytes, "\x04\x14", 2);
    check(!delivered(&line), "framing", "a whole packet in a further frame");
}

int main(void)
{
    long_frame();
    additions();
    spelling("a character after the padding", 4, "A=", "=A");
    spelling("bits that make no byte, two padding characters", 3, "A==", "B==");
    spelling("bits that make no byte, one padding character", 4, "A=", "B=");
    return summary();
}
