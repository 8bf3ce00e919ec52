#include "smp.h"

#include "wipe.h"

enum {
    PIECE = 93,                         /* bytes in a full frame: 124 characters */
    CHARACTERS_MAX = KS_FRAME_MAX - 3,
    LENGTH_MIN = KS_PACKET_MIN + 2,     /* as announced: the packet and its CRC */
    LENGTH_MAX = KS_PACKET_MAX + 2,
};

/* CRC-16/XMODEM. */
static uint16_t crc16(const uint8_t *bytes, size_t length)
{
    uint32_t crc = 0;
    while (length-- > 0) {
        crc ^= (uint32_t)*bytes++ << 8;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 0x8000U) != 0 ? crc << 1 ^ 0x1021U : crc << 1;
        }
    }
    return (uint16_t)crc;
}

static size_t announced(const struct ks_smp_receiver *receiver)
{
    return (size_t)receiver->bytes[0] << 8 | receiver->bytes[1];
}

const uint8_t *ks_smp_packet(const struct ks_smp_receiver *receiver, size_t *length)
{
    *length = announced(receiver) - 2;
    return receiver->bytes + 2;
}

void ks_smp_discard(struct ks_smp_receiver *receiver)
{
    ks_wipe(receiver->bytes, receiver->have);
    ks_wipe(&receiver->group, sizeof receiver->group);
    receiver->have = 0;
    receiver->in_frame = false;
    receiver->collecting = false;
}

static void begin_frame(struct ks_smp_receiver *receiver)
{
    receiver->in_frame = true;
    receiver->characters = 0;
    receiver->padding = 0;
    receiver->carriage_return = false;
    receiver->group = 0;
}

/* The value of a Base64 character, or -1. */
static int sextet(uint8_t character)
{
    if (character >= 'A' && character <= 'Z') {
        return character - 'A';
    }
    if (character >= 'a' && character <= 'z') {
        return character - 'a' + 26;
    }
    if (character >= '0' && character <= '9') {
        return character - '0' + 52;
    }
    if (character == '+') {
        return 62;
    }
    return character == '/' ? 63 : -1;
}

/* Takes one of the bytes that a group of four characters makes. */
static bool collect(struct ks_smp_receiver *receiver, uint32_t byte)
{
    if (receiver->have >= 2 && receiver->have >= 2 + announced(receiver)) {
        return false; /* more than was announced */
    }
    receiver->bytes[receiver->have++] = (uint8_t)byte;
    return receiver->have != 2 || (announced(receiver) >= LENGTH_MIN && announced(receiver) <= LENGTH_MAX);
}

/* Takes one character; false when the frame is to be refused. */
static bool decode(struct ks_smp_receiver *receiver, uint8_t character)
{
    if (receiver->characters == CHARACTERS_MAX) {
        return false;
    }
    const unsigned place = receiver->characters++ % 4U;
    if (character == '=') {
        /* It can stand in the last two places only; sextet() refuses what comes after it. */
        if (place < 2) {
            return false;
        }
        receiver->padding++;
        receiver->group <<= 6;
    } else {
        const int bits = sextet(character);
        if (bits < 0 || receiver->padding > 0) {
            return false;
        }
        receiver->group = receiver->group << 6 | (uint32_t)bits;
    }
    if (place < 3) {
        return true;
    }

    const uint32_t group = receiver->group;
    receiver->group = 0;
    /* Canonical: the bits that make no whole byte are zero. */
    if ((receiver->padding == 1 && (group & 0xFFU) != 0) || (receiver->padding == 2 && (group & 0xFFFFU) != 0)) {
        return false;
    }
    return collect(receiver, group >> 16)
        && (receiver->padding > 1 || collect(receiver, group >> 8 & 0xFFU))
        && (receiver->padding > 0 || collect(receiver, group & 0xFFU));
}

/* The line feed. True when it completes a packet that is in order. */
static bool end_frame(struct ks_smp_receiver *receiver)
{
    receiver->in_frame = false;
    if (receiver->characters % 4 != 0) {
        ks_smp_discard(receiver);
        return false;
    }
    if (receiver->have < 2 + announced(receiver)) {
        return false; /* further frames follow */
    }
    size_t length;
    const uint8_t *const packet = ks_smp_packet(receiver, &length);
    const uint16_t crc = (uint16_t)(packet[length] << 8 | packet[length + 1]);
    const size_t body = (size_t)packet[2] << 8 | packet[3];
    if (crc16(packet, length) != crc || body != length - KS_PACKET_MIN) {
        ks_smp_discard(receiver);
        return false;
    }
    return true;
}

bool ks_smp_receive(struct ks_smp_receiver *receiver, uint8_t byte)
{
    const uint8_t previous = receiver->previous;
    receiver->previous = byte;
    if (previous == 0x06 && byte == 0x09) {
        ks_smp_discard(receiver);
        receiver->collecting = true;
        begin_frame(receiver);
        return false;
    }
    if (previous == 0x04 && byte == 0x14) {
        if (receiver->collecting) {
            begin_frame(receiver);
        }
        return false;
    }
    if (!receiver->in_frame) {
        return false;
    }
    if (byte == '\n') {
        return end_frame(receiver);
    }
    if (byte == '\r' && !receiver->carriage_return) {
        receiver->carriage_return = true; /* belongs to the line feed, or to nothing */
        return false;
    }
    if (receiver->carriage_return || !decode(receiver, byte)) {
        ks_smp_discard(receiver); /* a marker in the middle of a frame comes here with its first byte */
    }
    return false;
}

size_t ks_base64(const uint8_t *bytes, size_t length, char *to)
{
    char *const start = to;
    for (size_t at = 0; at < length; at += 3) {
        const size_t left = length - at;
        const uint32_t group = (uint32_t)bytes[at] << 16
            | (left > 1 ? (uint32_t)bytes[at + 1] << 8 : 0)
            | (left > 2 ? (uint32_t)bytes[at + 2] : 0);
        for (unsigned place = 0; place < 4; place++) {
            const uint32_t bits = group >> (18 - 6 * place) & 0x3FU;
            if (place > left) {
                *to++ = '=';
            } else {
                *to++ = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[bits];
            }
        }
    }
    return (size_t)(to - start);
}

void ks_smp_send(const uint8_t *packet, size_t length, ks_smp_write *write, void *context)
{
    const uint16_t crc = crc16(packet, length);
    const uint8_t before[2] = { (uint8_t)((length + 2) >> 8), (uint8_t)(length + 2) };
    const uint8_t after[2] = { (uint8_t)(crc >> 8), (uint8_t)crc };
    const size_t total = 2 + length + 2;

    for (size_t sent = 0; sent < total;) {
        uint8_t piece[PIECE];
        size_t filled = 0;
        const bool first = sent == 0;
        while (filled < PIECE && sent < total) {
            if (sent < 2) {
                piece[filled] = before[sent];
            } else if (sent < 2 + length) {
                piece[filled] = packet[sent - 2];
            } else {
                piece[filled] = after[sent - 2 - length];
            }
            filled++;
            sent++;
        }
        char frame[KS_FRAME_MAX];
        frame[0] = first ? 0x06 : 0x04;
        frame[1] = first ? 0x09 : 0x14;
        const size_t characters = ks_base64(piece, filled, frame + 2);
        frame[2 + characters] = '\n';
        write(context, (const uint8_t *)frame, 3 + characters);
    }
}
