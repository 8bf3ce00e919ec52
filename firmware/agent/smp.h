/* SMP frames on a serial line (docs/device-protocol.md, section 1). */
#ifndef KS_SMP_H
#define KS_SMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    KS_PACKET_MIN = 8, /* a header without a body */
    KS_PACKET_MAX = 512,
    KS_FRAME_MAX = 127, /* marker, Base64, line feed */
};

/* Collects one packet. All zero is the state to start from. */
struct ks_smp_receiver {
    uint8_t bytes[2 + KS_PACKET_MAX + 2]; /* length, packet, CRC */
    uint16_t have;                        /* of `bytes` */
    uint8_t previous;                     /* byte on the line: markers are two bytes long */
    uint8_t characters;                   /* of Base64 in this frame */
    uint8_t padding;                      /* of these, `=` */
    bool in_frame;
    bool collecting; /* a first frame came, and its packet is neither complete nor refused */
    bool carriage_return;
    uint32_t group; /* the bits of up to four Base64 characters */
};

/* Takes one byte from the line. True when it completes a packet; ks_smp_discard() comes before the next byte then. */
bool ks_smp_receive(struct ks_smp_receiver *receiver, uint8_t byte);

/* The completed packet and its length. */
const uint8_t *ks_smp_packet(const struct ks_smp_receiver *receiver, size_t *length);

/* Wipes what was collected: it may hold a key. */
void ks_smp_discard(struct ks_smp_receiver *receiver);

typedef void ks_smp_write(void *context, const uint8_t *bytes, size_t length);

/* Sends a packet, frame by frame. */
void ks_smp_send(const uint8_t *packet, size_t length, ks_smp_write *write, void *context);

/* Writes 4 characters for each begun 3 bytes, without a NUL; returns how many. RFC 4648, standard alphabet. */
size_t ks_base64(const uint8_t *bytes, size_t length, char *to);

#endif
