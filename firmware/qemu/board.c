#include "board.h"

#include <string.h>

/* CMSDK APB UART (Arm DDI 0479), section 4.3. */
struct uart {
    volatile uint32_t data;
    volatile uint32_t state;
    volatile uint32_t control;
    volatile uint32_t interrupt; /* status; writing a bit clears it */
    volatile uint32_t divider;
};

enum { STATE_TX_FULL = 1, STATE_RX_FULL = 2 };
enum { CONTROL_TX = 1, CONTROL_RX = 2, CONTROL_RX_INTERRUPT = 8 };
enum { INTERRUPT_RX = 2 };

#define UART ((struct uart *)0x40004000U)
#define NVIC_ENABLE (*(volatile uint32_t *)0xE000E100U)
#define RESET_CONTROL (*(volatile uint32_t *)0xE000ED0CU)
#define NVM ((uint8_t *)0x21000000U)

enum { CONFIG_ADDRESS = 4096, CLOCK = 25000000, BAUD = 115200 };

/* Filled by the interrupt, emptied by the main loop; a request is at most 765 bytes long on the line. */
enum { QUEUE_SIZE = 1024 };
static uint8_t queue[QUEUE_SIZE];
static volatile uint32_t queue_in;
static volatile uint32_t queue_out;

struct config *board_config(void)
{
    return (struct config *)(uintptr_t)(NVM + CONFIG_ADDRESS);
}

uint8_t *board_storage(void)
{
    return NVM;
}

void board_start(void)
{
    UART->divider = CLOCK / BAUD;
    UART->control = CONTROL_TX | CONTROL_RX | CONTROL_RX_INTERRUPT;
    /* QEMU stops watching its input while the receiver is off, and looks again only when DATA is read. */
    (void)UART->data;
    NVIC_ENABLE = 1U << 0;
}

void board_uart_receive_handler(void)
{
    /* Cleared before the byte is taken: cleared afterwards, a byte that comes in between would wait for ever. */
    UART->interrupt = INTERRUPT_RX;
    while ((UART->state & STATE_RX_FULL) != 0) {
        const uint8_t byte = (uint8_t)UART->data;
        if (queue_in - queue_out < QUEUE_SIZE) {
            queue[queue_in % QUEUE_SIZE] = byte;
            queue_in++;
        }
    }
}

uint8_t board_receive(void)
{
    /* With interrupts masked WFI still wakes: no byte can come between the look and the sleep. */
    __asm volatile("cpsid i" ::: "memory");
    while (queue_in == queue_out) {
        __asm volatile("wfi\n\tcpsie i\n\tisb\n\tcpsid i" ::: "memory");
    }
    __asm volatile("cpsie i" ::: "memory");
    const uint8_t byte = queue[queue_out % QUEUE_SIZE];
    queue_out++;
    return byte;
}

void board_restart(void)
{
    RESET_CONTROL = 0x05FA0004U;
    for (;;) {
    }
}

void board_uart_write(void *context, const uint8_t *bytes, size_t length)
{
    (void)context;
    while (length-- > 0) {
        while ((UART->state & STATE_TX_FULL) != 0) {
        }
        UART->data = *bytes++;
    }
}

static void change(uint32_t address, uint8_t to)
{
    *(volatile uint8_t *)(NVM + address) = to; /* each byte on its own, as it is programmed */
    for (volatile uint32_t wait = board_config()->program_delay; wait > 0; wait--) {
    }
}

bool board_storage_read(void *context, uint32_t address, void *to, size_t length)
{
    uint8_t *at = to;
    (void)context;
    while (length-- > 0) {
        *at++ = NVM[address++];
    }
    return true;
}

bool board_storage_erase(void *context, unsigned slot)
{
    (void)context;
    for (uint32_t i = 0; i < KS_SLOT_SIZE; i++) {
        change((uint32_t)slot * KS_SLOT_SIZE + i, 0xFF);
    }
    return true;
}

bool board_storage_write(void *context, uint32_t address, const void *from, size_t length)
{
    const uint8_t *bytes = from;
    (void)context;
    while (length-- > 0) {
        change(address, NVM[address] & *bytes++);
        address++;
    }
    return true;
}
