/* Rows of the tables that vectors_to_c.py makes. */
#ifndef VECTOR_H
#define VECTOR_H

#include <stddef.h>
#include <stdint.h>

struct octets {
    size_t length;
    const uint8_t *bytes;
};

struct exchange {
    const char *name;
    struct octets request_wire;
    struct octets response_wire;
    struct octets response;
};

struct framing {
    const char *name;
    struct octets bytes;
    size_t packets;
    struct octets packet[PACKETS_MAX];
};

struct refusal {
    const char *name;
    const char *state;
    struct octets request;
    unsigned code;
};

struct identity {
    struct octets mac;
    const char *serial;
    struct octets digest;
};

#endif
