/* flows_sizes.c - inverse-transform sampling: sizes from a table, gaps from a logarithm of our own.
 *
 * Apart, since it is pure. The one idea: `log` of the C library gives other last bits on other
 * machines and would change events, so the logarithm is computed from + - * / here, which IEEE 754
 * rounds the same everywhere: x = m 2^e with m in [1/sqrt 2, sqrt 2), ln m = 2 atanh((m-1)/(m+1))
 * as a series.
 * Source: traffic generator of HPCC (custom_rand.py): piecewise linear distribution, Poisson.
 */
#include "models/work/flows_sizes.h"

#include <string.h>

#include "sim/base/units.h"

/* read_real reads up to end (a comma or the end of the word) as a plain decimal number. */
static bool read_real(struct flows_read *read, const char *text, int len, double *out)
{
    char buffer[40];
    union unit_value value;
    bool ok = len > 0 && len < (int)sizeof buffer;
    if (ok) {
        memcpy(buffer, text, (size_t)len);
        buffer[len] = 0;
        ok = !units_parse(UNIT_REAL, buffer, &value) && value.d >= 0 && value.d <= 1e15;
    }
    if (!ok) return flows_read_wrong(read, "expected two numbers: bytes,cdf_percent");
    *out = value.d;
    return true;
}

static bool read_point(struct flows_read *read, double *bytes, double *percent)
{
    flows_read_word(read);
    const char *comma = memchr(read->word, ',', (size_t)read->word_len);
    if (!comma) return flows_read_wrong(read, "expected two numbers: bytes,cdf_percent");
    const char *end = read->word + read->word_len;
    return read_real(read, read->word, (int)(comma - read->word), bytes) &&
           read_real(read, comma + 1, (int)(end - comma) - 1, percent);
}

static bool check_point(const struct flows_read *read, const double *bytes, const double *percent,
                        int64_t i)
{
    if (percent[i] > 100) return flows_read_wrong(read, "more than 100 percent");
    if (i == 0 && percent[i] != 0) return flows_read_wrong(read, "the first point is 0 percent");
    if (i > 0 && (bytes[i] < bytes[i - 1] || percent[i] < percent[i - 1]))
        return flows_read_wrong(read, "sizes and percentages must grow");
    return true;
}

bool flows_sizes_read(struct flows_read *read, struct flows_sizes *sizes)
{
    double *bytes = ARENA_ARRAY(read->arena, double, FLOWS_SIZES_MAX);
    double *percent = ARENA_ARRAY(read->arena, double, FLOWS_SIZES_MAX);
    int before = read->err->count;
    *sizes = (struct flows_sizes){bytes, percent, 0};
    read->word = read->at = read->text;
    bool head = true;
    while (flows_read_line(read)) {
        bool words = read->text[0] >= 'a' && read->text[0] <= 'z';
        if (head && words) {
            head = false;
            continue;
        }
        head = false;
        if (sizes->n == FLOWS_SIZES_MAX)
            return flows_read_wrong(read, "more than %d points", FLOWS_SIZES_MAX);
        if (!read_point(read, &bytes[sizes->n], &percent[sizes->n]) ||
            !check_point(read, bytes, percent, sizes->n) || !flows_read_end(read))
            return false;
        sizes->n++;
    }
    if (read->err->count > before) return false;
    if (sizes->n < 2 || percent[sizes->n - 1] != 100)
        return flows_read_wrong(read, "the last of at least two points must be 100 percent");
    if (flows_sizes_mean_bytes(sizes) < 1) return flows_read_wrong(read, "sizes of no bytes");
    return true;
}

double flows_sizes_mean_bytes(const struct flows_sizes *sizes)
{
    double mean = 0;
    for (int64_t i = 1; i < sizes->n; i++)
        mean += (sizes->bytes[i] + sizes->bytes[i - 1]) / 2 *
                (sizes->cdf_percent[i] - sizes->cdf_percent[i - 1]) / 100;
    return mean;
}

int64_t flows_sizes_draw(const struct flows_sizes *sizes, struct rng *rng)
{
    double percent = rng_unit(rng) * 100;
    int64_t low = 0, high = sizes->n - 1; /* cdf[low] <= percent < cdf[high] */
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (sizes->cdf_percent[middle] <= percent) {
            low = middle;
        } else {
            high = middle;
        }
    }
    double part =
        (percent - sizes->cdf_percent[low]) / (sizes->cdf_percent[high] - sizes->cdf_percent[low]);
    int64_t bytes =
        (int64_t)(sizes->bytes[low] + part * (sizes->bytes[high] - sizes->bytes[low]) + 0.5);
    return bytes > 0 ? bytes : 1;
}

double flows_sizes_log(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int64_t exponent = (int64_t)(bits >> 52) - 1023;
    bits = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1023) << 52;
    double m;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.4142135623730951) {
        m /= 2;
        exponent++;
    }
    /* ln m = 2 (s + s^3/3 + s^5/5 + ...), s = (m-1)/(m+1), |s| < 0.172 */
    double s = (m - 1) / (m + 1), square = s * s, sum = 0;
    for (int k = 21; k >= 1; k -= 2)
        sum = sum * square + 1.0 / k;
    return (double)exponent * 0.6931471805599453 + 2 * s * sum;
}

int64_t flows_sizes_gap_ps(struct rng *rng, double mean_ps)
{
    /* -ln(u) mean, u uniform in (0, 1] */
    return (int64_t)(-flows_sizes_log(1 - rng_unit(rng)) * mean_ps + 0.5);
}
