/* SHA-256, HMAC and CBOR, against what their standards print. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "cbor.h"
#include "sha256.h"

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

int main(void)
{
    sha256();
    hmac();
    cbor();
    return summary();
}
