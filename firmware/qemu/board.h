/*
 * The board: mps2-an385 (Arm AN385, Cortex-M3) as QEMU has it. One UART, and the 16 MB PSRAM as the non-volatile memory:
 * QEMU maps a file there, shared, so that every stored byte is in the file at once and survives a SIGKILL of QEMU.
 *
 * The file:
 *   0      the storage of the agent (docs/device-protocol.md, section 7), 1040 bytes
 *   4096   the configuration page below, little-endian; a new file (zeros) is made a device as it leaves the chip fab
 */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "keystation_agent.h"

enum { CONFIG_MAGIC = 0x3144534B /* "KSD1" */ };

/* Written by the harness before the first start, or by the first start with a default. */
struct config {
    uint32_t magic;
    uint32_t boot;          /* counts the starts; kept here */
    uint32_t program_delay; /* loops for each byte erased or programmed: real flash takes its time */
    uint32_t stack_used;    /* bytes at most, over all starts; written by the firmware for who wants to know */
    uint8_t mac[8];         /* 6 bytes; all zero: the device has none */
    char serial[KS_SERIAL_MAX + 1]; /* ends with a NUL; empty: the device has none */
};

struct config *board_config(void);

/* KS_STORAGE_SIZE bytes: for making a new device only, the agent goes through the calls below. */
uint8_t *board_storage(void);

/* Makes the UART ready to receive. */
void board_start(void);

/* Waits for a byte from the line. */
uint8_t board_receive(void);

uint32_t board_stack_used(void);
void board_restart(void) __attribute__((noreturn));
void board_uart_receive_handler(void);

/* For struct ks_port. */
void board_uart_write(void *context, const uint8_t *bytes, size_t length);
bool board_storage_read(void *context, uint32_t address, void *to, size_t length);
bool board_storage_erase(void *context, unsigned slot);
bool board_storage_write(void *context, uint32_t address, const void *from, size_t length);

#endif
