/*
 * The same work in C: four latLngToCell of libh3 and thirty SHA-256 of OpenSSL for each fix, or layer A alone. It calls
 * the low-level functions of OpenSSL, the fastest way without an own compression function. The state after a salt is
 * copied for the three layers.
 *
 *   anchor INPUT        INPUT: u32 fixes, u32 fixes in a slice, then for each fix f64 lat, f64 lng, u32 n[5], 10 salts
 *   commands on stdin   "p SLICE" pipeline, "a SLICE" layer A, "h SLICE" the hashes of cells that are known; each answers
 *                       nanoseconds per fix. "d FILE" writes the hashes of all fixes.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef WITH_H3
#if __has_include(<h3/h3api.h>)
#include <h3/h3api.h>
#else
#include <h3api.h>
#endif
#else
typedef uint64_t H3Index;
#endif

enum { SIZES = 5, LAGS = 2, LAYERS = 3, SALT_BYTES = 32, HASH_BYTES = 12, HASHES = LAYERS * SIZES * LAGS };
static const double SHIFT_DEGREES = 0.00006;
static const uint8_t SIZES_MIN[SIZES] = {5, 10, 20, 40, 80};

typedef struct {
  double lat, lng;
  uint32_t n[SIZES];
  uint8_t salts[SIZES * LAGS][SALT_BYTES];
  uint32_t unused;
} Fix;

static Fix *fixes;
static uint32_t count, perSlice;
static uint8_t *hashes;
static H3Index *cells;
static volatile uint64_t sink;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static H3Index cellOf(double lat, double lng, int resolution) {
  H3Index cell = 0;
#ifdef WITH_H3
  LatLng at = {degsToRads(lat), degsToRads(lng)};
  latLngToCell(&at, resolution, &cell);
#endif
  return cell;
}

static void cellsOf(uint32_t i) {
  const Fix *fix = &fixes[i];
  H3Index *out = cells + i * LAYERS;
  out[0] = cellOf(fix->lat, fix->lng, 12);
  out[1] = cellOf(fix->lat + SHIFT_DEGREES, fix->lng, 12);
  out[2] = cellOf(fix->lat, fix->lng + SHIFT_DEGREES, 12);
  sink += cellOf(fix->lat, fix->lng, 4);
}

static void put32(uint8_t *at, uint32_t value) {
  value = __builtin_bswap32(value);
  memcpy(at, &value, 4);
}

static void hashesOf(uint32_t i) {
  const Fix *fix = &fixes[i];
  for (int s = 0; s < SIZES; s++) {
    for (int lag = 0; lag < LAGS; lag++) {
      SHA256_CTX salted, context;
      uint8_t rest[16], digest[32];
      SHA256_Init(&salted);
      SHA256_Update(&salted, fix->salts[s * LAGS + lag], SALT_BYTES);
      put32(rest, fix->n[s] + lag);
      put32(rest + 4, (uint32_t)SIZES_MIN[s] << 24 | 0x475401);
      for (int layer = 0; layer < LAYERS; layer++) {
        H3Index cell = cells[i * LAYERS + layer];
        put32(rest + 8, cell >> 32);
        put32(rest + 12, (uint32_t)cell);
        context = salted;
        SHA256_Update(&context, rest, sizeof rest);
        SHA256_Final(digest, &context);
        memcpy(hashes + ((i * LAYERS + layer) * SIZES * LAGS + s * LAGS + lag) * HASH_BYTES, digest, HASH_BYTES);
      }
    }
  }
}

int main(int argc, char **argv) {
  FILE *in = argc == 2 ? fopen(argv[1], "rb") : NULL;
  if (!in || fread(&count, 4, 1, in) != 1 || fread(&perSlice, 4, 1, in) != 1) return 2;
  fixes = calloc(count, sizeof *fixes);
  for (uint32_t i = 0; i < count; i++) {
    Fix *fix = &fixes[i];
    if (fread(&fix->lat, 8, 1, in) != 1 || fread(&fix->lng, 8, 1, in) != 1 || fread(fix->n, sizeof fix->n, 1, in) != 1 ||
        fread(fix->salts, sizeof fix->salts, 1, in) != 1)
      return 2;
  }
  fclose(in);
  hashes = calloc(count, HASHES * HASH_BYTES);
  cells = calloc(count, LAYERS * sizeof *cells);
  for (uint32_t i = 0; i < count; i++) cellsOf(i), hashesOf(i);

  char command[512];
  while (fgets(command, sizeof command, stdin)) {
    uint32_t from = (uint32_t)atoi(command + 1) * perSlice, to = from + perSlice;
    if (command[0] == 'd') {
      command[strcspn(command, "\n")] = 0;
      FILE *out = fopen(command + 2, "wb");
      if (!out || fwrite(hashes, HASHES * HASH_BYTES, count, out) != count || fclose(out)) return 2;
      puts("0");
    } else {
      double start = now();
      for (uint32_t i = from; i < to; i++) {
        if (command[0] == 'p') cellsOf(i), hashesOf(i);
        if (command[0] == 'a') sink += cellOf(fixes[i].lat, fixes[i].lng, 12);
        if (command[0] == 'h') hashesOf(i);
      }
      printf("%f\n", (now() - start) / perSlice);
    }
    fflush(stdout);
  }
  return 0;
}
