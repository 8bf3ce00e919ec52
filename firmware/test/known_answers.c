/* SHA-256, HMAC, CBOR and limits: what the vectors of the protocol do not reach. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "simulated.h"

static bool is_hex(const uint8_t *bytes, size_t length, const char *hex)
{
    for (size_t i = 0; i < length; i++) {
        char digits[3];
        snprintf(digits, sizeof digits, "%02x", (unsigned)bytes[i]);
        if (memcmp(digits, hex + 2 * i, 2) != 0) {
            return false;
        }
    }
    return hex[2 * length] == '\0';
}

/* FIPS 180-4, examples of NIST. */
static void sha256(void)
{
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    struct ks_sha256 hash;
    uint8_t digest[KS_SHA256_SIZE];
    ks_sha256_start(&hash);
    ks_sha256_finish(&hash, digest);
    check(is_hex(digest, sizeof digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), "SHA-256", "empty");
    ks_sha256_start(&hash);
    ks_sha256_update(&hash, "abc", 3);
    ks_sha256_finish(&hash, digest);
    check(is_hex(digest, sizeof digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), "SHA-256", "abc");
    ks_sha256_start(&hash);
    ks_sha256_update(&hash, two_blocks, 56);
    ks_sha256_finish(&hash, digest);
    check(is_hex(digest, sizeof digest, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"), "SHA-256", "56 bytes");
    ks_sha256_start(&hash);
    for (int i = 0; i < 1000000; i++) {
        ks_sha256_update(&hash, "a", 1);
    }
    ks_sha256_finish(&hash, digest);
    check(is_hex(digest, sizeof digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"), "SHA-256", "million a");
}

/* RFC 4231. HMAC fills short keys up with zeros, so its keys of 20 and 4 bytes are keys of 32 bytes. */
static void hmac(void)
{
    uint8_t key[KS_KEY_SIZE] = { 0 };
    struct ks_sha256 hash;
    uint8_t mac[KS_SHA256_SIZE];
    memset(key, 0x0B, 20);
    ks_hmac_start(&hash, key);
    ks_sha256_update(&hash, "Hi There", 8);
    ks_hmac_finish(&hash, key, mac);
    check(is_hex(mac, sizeof mac, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"), "HMAC", "case 1");
    memset(key, 0, sizeof key);
    memcpy(key, "Jefe", 4);
    ks_hmac_start(&hash, key);
    ks_sha256_update(&hash, "what do ya want for nothing?", 28);
    ks_hmac_finish(&hash, key, mac);
    check(is_hex(mac, sizeof mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"), "HMAC", "case 2");
}

struct body {
    const char *name;
    size_t length;
    const char *bytes;
    enum ks_cbor_verdict verdict;
};

#define BODY(name, bytes, verdict) { name, sizeof(bytes) - 1, bytes, verdict }

/* RFC 8949, appendices A and F among them. */
static const struct body BODIES[] = {
    BODY("empty map", "\xA0", KS_CBOR_OK),
    BODY("every kind of value", "\xA9\x61" "a\x20\x61" "b\x40\x61" "c\x82\x01\xA1\x01\x02\x61" "d\xC1\x1A\x51\x4B\x67\xB0\x61"
        "e\xF9\x3C\x00\x61" "f\xFB\x3F\xF1\x99\x99\x99\x99\x99\x9A\x61" "g\xF8\xFF\x61" "h\xF7\x61"
        "i\x1B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", KS_CBOR_OK),
    BODY("length in a longer form than needed", "\xB8\x01\x78\x01" "a\x18\x05", KS_CBOR_OK),
    BODY("nested 20 deep", "\xA1\x61" "a\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x00", KS_CBOR_OK),
    BODY("no bytes", "", KS_CBOR_MALFORMED),
    BODY("head ends early", "\xB8", KS_CBOR_MALFORMED),
    BODY("64-bit head ends early", "\x1B\x00\x00\x00\x00\x00\x00\x00", KS_CBOR_MALFORMED),
    BODY("map without its value", "\xA1\x61" "a", KS_CBOR_MALFORMED),
    BODY("string ends early", "\xA1\x61" "a\x43" "ab", KS_CBOR_MALFORMED),
    BODY("string of 2^64 - 1 bytes", "\xA1\x61" "a\x5B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", KS_CBOR_MALFORMED),
    BODY("array of 2^64 - 1 items", "\xA1\x61" "a\x9B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", KS_CBOR_MALFORMED),
    BODY("map of 2^63 entries: twice that is 0", "\xA1\x61" "a\xBB\x80\x00\x00\x00\x00\x00\x00\x00\x01", KS_CBOR_MALFORMED),
    BODY("map of 2^63 entries and nothing", "\xBB\x80\x00\x00\x00\x00\x00\x00\x00", KS_CBOR_MALFORMED),
    BODY("lengths that add up to 2^64", "\xA1\x61" "a\x82\x9B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", KS_CBOR_MALFORMED),
    BODY("indefinite map", "\xBF\x61" "a\x01\xFF", KS_CBOR_MALFORMED),
    BODY("indefinite text inside", "\xA1\x61" "a\x7F\x61" "b\xFF", KS_CBOR_MALFORMED),
    BODY("undefined additional information", "\xA1\x61" "a\x1C", KS_CBOR_MALFORMED),
    BODY("simple value 24 in two bytes", "\xA1\x61" "a\xF8\x18", KS_CBOR_MALFORMED),
    BODY("tag before nothing", "\xA1\x61" "a\xC1", KS_CBOR_MALFORMED),
    BODY("array", "\x80", KS_CBOR_UNSUITABLE),
    BODY("tagged map", "\xC1\xA0", KS_CBOR_UNSUITABLE),
    BODY("byte after the map", "\xA0\x00", KS_CBOR_UNSUITABLE),
    BODY("number as key", "\xA1\x01\x02", KS_CBOR_UNSUITABLE),
    BODY("bytes as key", "\xA1\x41" "a\x02", KS_CBOR_UNSUITABLE),
    BODY("key twice", "\xA2\x61" "a\x01\x61" "a\x01", KS_CBOR_UNSUITABLE),
    BODY("key twice, its length in another form", "\xA2\x61" "a\x01\x78\x01" "a\x02", KS_CBOR_UNSUITABLE),
    BODY("key twice, a map between", "\xA3\x61" "a\x01\x61" "b\xA1\x61" "a\x01\x61" "a\x02", KS_CBOR_UNSUITABLE),
    BODY("the same key inside of a value", "\xA2\x61" "a\x01\x61" "b\xA1\x61" "a\x01", KS_CBOR_OK),
};

static void cbor(void)
{
    for (size_t i = 0; i < sizeof BODIES / sizeof BODIES[0]; i++) {
        /* A copy of exactly this size: the sanitizer sees a read beyond it. */
        uint8_t *const copy = malloc(BODIES[i].length + 1);
        memcpy(copy + 1, BODIES[i].bytes, BODIES[i].length);
        struct ks_cbor_map map;
        check(ks_cbor_open(copy + 1, BODIES[i].length, &map) == BODIES[i].verdict, "CBOR", BODIES[i].name);
        free(copy);
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        uint8_t bytes[16];
        const uint64_t number = (uint64_t)1 << bit;
        struct ks_cbor_writer writer = { bytes, bytes + sizeof bytes, false };
        ks_cbor_put_map(&writer, 1);
        ks_cbor_put_key(&writer, "n");
        ks_cbor_put_uint(&writer, number);
        struct ks_cbor_map map;
        struct ks_cbor_item item;
        const size_t length = (size_t)(writer.at - bytes);
        const size_t expected = 3U + (number < 24 ? 1 : number < 256 ? 2 : bit < 16 ? 3 : bit < 32 ? 5 : 9);
        check(ks_cbor_open(bytes, length, &map) == KS_CBOR_OK && ks_cbor_find(&map, "n", &item)
                && item.major == KS_CBOR_UINT && item.value == number && length == expected, "CBOR", "powers of two");
    }
}

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

static struct simulated device;

static unsigned last_byte(const uint8_t *packet, size_t length)
{
    return length == 0 ? 256 : packet[length - 1];
}

/* Asks and returns the last byte of the answer: the code, when it is an error. */
static unsigned ask(unsigned operation, unsigned group, unsigned command, const char *body, size_t length)
{
    uint8_t packet[KS_PACKET_MAX];
    simulated_request(&device, packet, packet_of(packet, operation, group, command, (const uint8_t *)body, length));
    const size_t heard = simulated_hear(&device, packet);
    return last_byte(packet, heard);
}

static void largest(void)
{
    struct ks_credential set = example(0);
    set.rid_length = KS_RID_MAX;
    set.scope_length = KS_SCOPE_MAX;
    set.endpoint_length = KS_ENDPOINT_MAX;
    memset(set.rid, 'r', sizeof set.rid);
    memset(set.scope, 's', sizeof set.scope);
    memset(set.endpoint, 'e', sizeof set.endpoint);
    simulated_new(&device);
    check(simulated_inject(&device, &set, false) && simulated_holds(&device, &set), "largest", "set");
    uint8_t packet[KS_PACKET_MAX];
    simulated_request(&device, packet, packet_of(packet, 0, 0x4B53, 4, (const uint8_t *)"\xA1\x62se\x1B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 13));
    const size_t token = simulated_hear(&device, packet);
    static const char end[] = "&se=18446744073709551615&skn=registration";
    check(token > 300 && memcmp(packet + token - (sizeof end - 1), end, sizeof end - 1) == 0, "largest", "token");
    simulated_request(&device, packet, packet_of(packet, 0, 0x4B53, 5, (const uint8_t *)"\xA0", 1));
    check(simulated_hear(&device, packet) > 250, "largest", "answer of set");

    /* A packet of 512 bytes there and back. */
    char body[KS_PACKET_MAX - KS_PACKET_MIN];
    memset(body, 'x', sizeof body);
    memcpy(body, "\xA1\x61" "d\x79\x01\xF2", 6);
    simulated_request(&device, packet, packet_of(packet, 2, 0, 0, (const uint8_t *)body, sizeof body));
    check(simulated_hear(&device, packet) == KS_PACKET_MAX && packet[10] == 'r', "largest", "echo");
}

static void what_is_answered(void)
{
    static const char text_id[] = "\xA2\x62id\x68" "abcdefgh\x62" "dg\x48" "abcdefgh";
    static const char number_ow[] = "\xA3\x62id\x48" "abcdefgh\x62" "dg\x48" "abcdefgh\x62" "ow\x01";
    static const char non_ascii[] = "\xA3\x63rid\x62\xC3\xA4\x65scope\x61s\x63key\x58\x20" "0123456789abcdef0123456789abcdef";
    static const char line_feed[] = "\xA3\x63rid\x62" "a\n\x65scope\x61s\x63key\x58\x20" "0123456789abcdef0123456789abcdef";
    static const char unknown_too[] = "\xA4\x61z\x81\xA0\x63rid\x61" "a\x65scope\x61s\x63key\x58\x20" "0123456789abcdef0123456789abcdef";
    simulated_new(&device);
    check(ask(2, 0x4B53, 0, "\xA0", 1) == 8, "answered", "write of info: no such command");
    check(ask(0, 0x4B53, 2, "\xA0", 1) == 8, "answered", "read of commit: no such command");
    check(ask(0, 64, 0, "\xA0", 1) == 8, "answered", "another group");
    check(ask(0, 0, 0, "\xA0", 1) == 8, "answered", "read of echo: no such command");
    check(ask(0, 0x4B53, 0, "\xBF\xFF", 2) == 3, "answered", "indefinite map: no CBOR of ours");
    check(ask(0, 0x4B53, 0, "", 0) == 3, "answered", "no body");
    check(ask(2, 0, 0, "\xA0", 1) == 3, "answered", "echo of nothing");
    check(ask(2, 0x4B53, 2, text_id, sizeof text_id - 1) == 1, "answered", "digest as text");
    check(ask(2, 0x4B53, 2, number_ow, sizeof number_ow - 1) == 1, "answered", "overwriting as a number");
    check(ask(2, 0x4B53, 1, non_ascii, sizeof non_ascii - 1) == 1, "answered", "registration ID that is not ASCII");
    check(ask(2, 0x4B53, 1, line_feed, sizeof line_feed - 1) == 1, "answered", "registration ID with a line feed");
    check(ask(2, 0x4B53, 1, unknown_too, sizeof unknown_too - 1) == 0xA0, "answered", "stage with a field of a later version");
    check(ask(1, 0x4B53, 0, "\xA0", 1) == 256, "not answered", "an answer");
    check(ask(3, 0, 0, "\xA0", 1) == 256, "not answered", "a write answer");
    check(ask(0x12, 0, 0, "\xA0", 1) == 256, "not answered", "another version of SMP");

    device.identity.capabilities = 0;
    check(ask(0, 0x4B53, 4, "\xA1\x62se\x01", 5) == 8, "answered", "sas without the capability: no such command");
    check(ask(2, 0x4B53, 6, "\xA0", 1) == 8, "answered", "lock without the capability: no such command");
}

/* How often the first bytes of a key stand in the memory of an agent. */
static unsigned copies(const struct ks_agent *agent, const uint8_t *key)
{
    const uint8_t *const bytes = (const uint8_t *)agent;
    unsigned found = 0;
    for (size_t i = 0; i + 8 <= sizeof *agent; i++) {
        found += memcmp(bytes + i, key, 8) == 0;
    }
    return found;
}

/* A restart forgets what was staged; reading the key needs the storage. */
static void memory(void)
{
    const struct ks_credential set = example(0);
    uint8_t packet[KS_PACKET_MAX];
    simulated_new(&device);
    simulated_request(&device, packet, stage_packet(packet, &set));
    check(copies(&device.agent, set.key) == 1, "memory", "the key is in the staged set and nowhere else");
    simulated_request(&device, packet, packet_of(packet, 2, 0, 5, (const uint8_t *)"\xA0", 1));
    check(copies(&device.left, set.key) == 0, "memory", "the key is wiped before a restart: RAM survives that");
    simulated_request(&device, packet, commit_packet(packet, &set, false));
    const size_t length = simulated_hear(&device, packet);
    check(last_byte(packet, length) == 6, "memory", "a restart forgets what is staged");

    simulated_inject(&device, &set, false);
    static const uint8_t nonce_request[] = "\xA1\x61n\x58\x20" "0123456789abcdef0123456789abcdef";
    simulated_request(&device, packet, packet_of(packet, 0, 0x4B53, 3, nonce_request, sizeof nonce_request - 1));
    check(copies(&device.agent, set.key) == 0, "memory", "after commit and proof the key is in no memory of the agent");
    static const uint8_t expiry_request[] = "\xA1\x62se\x1A\x6B\x49\xD2\x00";
    simulated_request(&device, packet, packet_of(packet, 0, 0x4B53, 4, expiry_request, sizeof expiry_request - 1));
    check(copies(&device.agent, (const uint8_t *)"SharedAc") == 0, "memory", "a token is wiped when it was sent");
    memset(device.storage, 0xFF, KS_STORAGE_SIZE);
    simulated_request(&device, packet, packet_of(packet, 0, 0x4B53, 3, nonce_request, sizeof nonce_request - 1));
    const size_t proof = simulated_hear(&device, packet);
    check(last_byte(packet, proof) == 7, "memory", "no proof from memory");
}

static void refused_commits(void)
{
    static const char id[] = "\xA1\x62id\x48\xae\x1b\x2e\x83\x09\xa7\xc9\x26";
    const struct ks_credential none = { .rid_length = 0 };
    const struct ks_credential set = example(0);
    const struct ks_credential other = example(1);
    uint8_t packet[KS_PACKET_MAX];
    simulated_new(&device);
    simulated_request(&device, packet, commit_packet(packet, &none, false));
    size_t length = simulated_hear(&device, packet);
    check(last_byte(packet, length) == 6, "commit", "the digest of an empty set stages nothing");

    simulated_inject(&device, &set, false);
    simulated_request(&device, packet, stage_packet(packet, &other));
    check(ask(2, 0x4B53, 6, id, sizeof id - 1) == 0xA0 && device.operations > 0, "lock", "locks");
    check(copies(&device.agent, other.key) == 0, "lock", "wipes what is staged");
    check(ask(2, 0x4B53, 6, id, sizeof id - 1) == 0xA0 && device.operations == 0, "lock", "writes its mark once");
    simulated_request(&device, packet, commit_packet(packet, &other, true));
    length = simulated_hear(&device, packet);
    check(last_byte(packet, length) == 4, "commit", "of another set is refused as locked");
    simulated_request(&device, packet, commit_packet(packet, &set, false));
    length = simulated_hear(&device, packet);
    check(last_byte(packet, length) == 1, "commit", "of the set that a locked device holds is answered with its generation");
}

static void identities(void)
{
    struct ks_identity identity = device.identity;
    struct ks_agent agent;
    identity.mac = NULL;
    identity.serial = NULL;
    check(!ks_agent_init(&agent, &device.port, &identity), "identity", "none is refused");
    identity.serial = "";
    check(!ks_agent_init(&agent, &device.port, &identity), "identity", "empty serial number is refused");
    identity.serial = "12345678901234567890123456789012345678901234567890123456789012345";
    check(!ks_agent_init(&agent, &device.port, &identity), "identity", "65 characters are refused");
    identity.serial++;
    check(ks_agent_init(&agent, &device.port, &identity), "identity", "64 characters are taken");
    identity.firmware = "1.0\n";
    check(!ks_agent_init(&agent, &device.port, &identity), "identity", "control character in the version is refused");
    identity.firmware = "";
    check(ks_agent_init(&agent, &device.port, &identity), "identity", "no version is taken");
}

int main(void)
{
    sha256();
    hmac();
    cbor();
    long_frame();
    spelling("a character after the padding", 4, "A=", "=A");
    spelling("bits that make no byte, two padding characters", 3, "A==", "B==");
    spelling("bits that make no byte, one padding character", 4, "A=", "B=");
    largest();
    what_is_answered();
    memory();
    refused_commits();
    identities();
    return summary();
}
