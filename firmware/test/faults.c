/* Storage calls that fail: each one for once, and each one and all that follow; with a report and without. */
#include <string.h>

#include "check.h"
#include "simulated.h"

static struct simulated device;

static bool accepted(void)
{
    uint8_t packet[KS_PACKET_MAX];
    const size_t length = simulated_hear(&device, packet);
    /* {"gen": n} against {"err": …} */
    return length > KS_PACKET_MIN + 2 && packet[KS_PACKET_MIN + 2] == 'g';
}

/* A device that was given so many sets. */
static void prepare(unsigned sets)
{
    simulated_new(&device);
    for (unsigned i = 1; i <= sets; i++) {
        const struct ks_credential set = example(i);
        simulated_inject(&device, &set, true);
    }
}

/* Each storage call of a commit in turn: what is answered must be what the device holds. */
static void each_call(unsigned sets, bool sticky, bool silent)
{
    const struct ks_credential old = example(sets);
    const struct ks_credential fresh = example(50);
    unsigned refused = 0;
    bool honest = true;
    bool whole = true;
    bool mended = true;
    prepare(sets);
    simulated_inject(&device, &fresh, true);
    const long calls = device.calls;
    for (long at = 0; at < calls; at++) {
        prepare(sets);
        device.fail_at = at;
        device.sticky = sticky;
        device.silent = silent;
        simulated_inject(&device, &fresh, true);
        const bool said = accepted();
        refused += !said;
        simulated_restart(&device);
        const bool has = simulated_holds(&device, &fresh);
        /* When flash fails for good after the header was written, not even the erase works that would take it back. */
        honest = honest && (said == has || (sticky && has));
        whole = whole && (has || simulated_holds(&device, sets == 0 ? NULL : &old));
        mended = mended && simulated_inject(&device, &fresh, true) && simulated_holds(&device, &fresh);
    }
    check(whole, "faults", "the old set or the new one");
    check(honest, "faults", "what is answered is what is held");
    check(mended, "faults", "when the fault is gone the injection goes through");
    printf("  after %u sets, %s, %s: %ld calls, %u refused\n", sets, sticky ? "for good" : "once", silent ? "silently" : "reported", calls, refused);
    check(calls > 15 && refused > 0, "faults", "the faults are reached");
}

/* Flash that is worn out: it takes writes and keeps what it has. */
static void worn(void)
{
    const struct ks_credential fresh = example(0);
    simulated_new(&device);
    device.fail_at = 0;
    device.sticky = true;
    device.silent = true;
    simulated_inject(&device, &fresh, false);
    uint8_t packet[KS_PACKET_MAX];
    const size_t length = simulated_hear(&device, packet);
    check(length > 0 && packet[length - 1] == 5, "faults", "worn flash is answered with `storage`");
    check(simulated_holds(&device, NULL), "faults", "worn flash holds nothing");
}

int main(void)
{
    for (unsigned sets = 0; sets < 3; sets++) {
        for (int way = 0; way < 4; way++) {
            each_call(sets, (way & 1) != 0, (way & 2) != 0);
        }
    }
    worn();
    return summary();
}
