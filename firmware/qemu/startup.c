/* What happens before main(), and the vector table of the Cortex-M3. */
#include <stdint.h>

#include "board.h"

extern uint32_t image_data_load[], image_data_start[], image_data_end[];
extern uint32_t image_bss_start[], image_bss_end[];
extern uint32_t image_stack_bottom[], image_stack_top[];

int main(void);

enum { PAINT = 0x6B737061 };

/* Painted here and looked for in board_stack_used(): how deep the stack ever was. */
static void paint_stack(void)
{
    uint32_t *here;
    __asm volatile("mov %0, sp" : "=r"(here));
    for (volatile uint32_t *word = image_stack_bottom; word < here; word++) {
        *word = PAINT;
    }
}

uint32_t board_stack_used(void)
{
    const volatile uint32_t *word = image_stack_bottom;
    while (word < image_stack_top && *word == PAINT) {
        word++;
    }
    return (uint32_t)((uintptr_t)image_stack_top - (uintptr_t)word);
}

void reset_handler(void);
void reset_handler(void)
{
    const uint32_t *from = image_data_load;
    for (uint32_t *to = image_data_start; to < image_data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = image_bss_start; to < image_bss_end; to++) {
        *to = 0;
    }
    paint_stack();
    main();
    board_restart();
}

/* A fault in the agent must not look like a device that is busy: it restarts, and the boot counter shows it. */
static void fault_handler(void)
{
    board_restart();
}

typedef void handler(void);

struct vectors {
    void *stack;
    handler *system[15];
    handler *interrupt[2];
};

__attribute__((section(".vectors"), used)) static const struct vectors VECTORS = {
    image_stack_top,
    {
        reset_handler, fault_handler, fault_handler, fault_handler, fault_handler, fault_handler,
        0, 0, 0, 0, fault_handler, fault_handler, 0, fault_handler, fault_handler,
    },
    { board_uart_receive_handler, fault_handler },
};
