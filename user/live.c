// SPDX-License-Identifier: GPL-2.0-only
/*
 * Intervals are differences of two readings: nothing in the kernel is cleared,
 * so no event falls between two intervals. Quantiles are of write faults.
 */
#include "user/live.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/hist.h"

#define HEADER_EVERY 24

static const char *const cause_names[] = { "fault", "enable", "clear", "get" };
static const char *const op_names[] = { "enable", "disable", "get", "clear",
					"reset" };

int live_init(struct live *live, FILE *out, bool json, bool timestamps)
{
	live->out = out;
	live->json = json;
	live->timestamps = timestamps;
	live->nr_lines = 0;
	live->before = calloc(1, sizeof(*live->before));
	return live->before ? 0 : -ENOMEM;
}

void live_free(struct live *live)
{
	free(live->before);
	live->before = NULL;
}

static uint64_t nr_faults(const struct gstage_phase_counts *total,
			  unsigned int path)
{
	unsigned int access;
	uint64_t n = 0;

	for (access = 0; access < GSTAGE_NR_ACCESSES; access++)
		n += total->faults[path][access];
	return n;
}

/* The durations of write faults that came since, all paths together. */
static void write_faults_since(struct hist *h, const struct tally *now,
			       const struct tally *before)
{
	unsigned int path, i;

	memset(h, 0, sizeof(*h));
	for (path = 0; path < GSTAGE_NR_PATHS; path++) {
		const struct gstage_hist *n =
			&now->sum.fault_ns[path][GSTAGE_ACCESS_WRITE];
		const struct gstage_hist *b =
			&before->sum.fault_ns[path][GSTAGE_ACCESS_WRITE];

		for (i = 0; i < GSTAGE_HIST_BUCKETS; i++) {
			uint64_t d = n->buckets[i] - b->buckets[i];

			h->buckets[i] += d;
			h->count += d;
		}
	}
	h->max = UINT64_MAX; /* of an interval it is known by bucket only */
}

struct interval {
	const char *phase;
	uint64_t faults, fast, prot, split, map, other;
	uint64_t splits, requests, executed;
	uint64_t p50_ns, p99_ns; /* upper bounds of the buckets */
};

static void measure(struct interval *iv, const struct tally *now,
		    const struct tally *before)
{
	struct gstage_phase_counts a, b, d;
	uint64_t n[GSTAGE_NR_PATHS];
	struct hist h;
	uint64_t lo;
	unsigned int i, j;

	memset(iv, 0, sizeof(*iv));
	tally_total(now, &a);
	tally_total(before, &b);
	tally_subtract(&d, &a, &b);
	for (i = 0; i < GSTAGE_NR_PATHS; i++)
		n[i] = nr_faults(&d, i);
	iv->fast = n[GSTAGE_PATH_FAST];
	iv->prot = n[GSTAGE_PATH_PROT];
	iv->split = n[GSTAGE_PATH_SPLIT];
	iv->map = n[GSTAGE_PATH_MAP];
	iv->other = n[GSTAGE_PATH_RETRY] + n[GSTAGE_PATH_ERROR];
	iv->faults = iv->fast + iv->prot + iv->split + iv->map + iv->other;
	for (i = 0; i < GSTAGE_NR_CAUSES; i++) {
		for (j = 0; j < GSTAGE_NR_LEVELS; j++)
			iv->splits += d.splits[i][j];
	}
	for (i = 0; i < GSTAGE_NR_FLUSHES; i++) {
		iv->requests += d.flush_requests[i];
		iv->executed += d.flush_executed[i];
	}
	for (i = 0; i < GSTAGE_NR_LEVELS; i++)
		iv->requests += d.fault_flushes[i];

	write_faults_since(&h, now, before);
	hist_quantile(&h, 500, &lo, &iv->p50_ns);
	hist_quantile(&h, 990, &lo, &iv->p99_ns);
}

static void wall_clock(char *buf, size_t size)
{
	struct timespec ts;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &ts);
	n = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", gmtime_r(&ts.tv_sec, &tm));
	snprintf(buf + n, size - n, ".%03ldZ", ts.tv_nsec / 1000000);
}

static int put_json(struct live *live, json_t *line)
{
	int err = 0;

	if (!line)
		return -ENOMEM;
	if (json_dumpf(line, live->out, JSON_COMPACT) ||
	    fputc('\n', live->out) == EOF || fflush(live->out))
		err = -EIO;
	json_decref(line);
	return err;
}

static json_t *interval_json(const struct interval *iv, const char *when)
{
	return json_pack(
		"{s:s s:s s:s s:I s:I s:I s:I s:I s:I s:I s:I s:I s:I s:I}",
		"type", "interval", "time", when, "phase", iv->phase, "faults",
		(json_int_t)iv->faults, "fast", (json_int_t)iv->fast, "prot",
		(json_int_t)iv->prot, "split", (json_int_t)iv->split, "map",
		(json_int_t)iv->map, "other", (json_int_t)iv->other, "splits",
		(json_int_t)iv->splits, "flush_requests",
		(json_int_t)iv->requests, "flush_executed",
		(json_int_t)iv->executed, "write_p50_ns",
		(json_int_t)iv->p50_ns, "write_p99_ns", (json_int_t)iv->p99_ns);
}

static int put_text(struct live *live, const struct interval *iv,
		    const char *when)
{
	if (!(live->nr_lines++ % HEADER_EVERY))
		fprintf(live->out,
			"%s%-10s %8s %7s %6s %6s %6s %6s %8s %8s %8s\n",
			live->timestamps ? "TIME                     " : "",
			"PHASE", "FAULTS", "FAST", "PROT", "SPLIT", "MAP",
			"SPLITS", "FLUSHES", "P50<=ns", "P99<=ns");
	fprintf(live->out,
		"%s%s%-10s %8" PRIu64 " %7" PRIu64 " %6" PRIu64 " %6" PRIu64
		" %6" PRIu64 " %6" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64
		"\n",
		live->timestamps ? when : "", live->timestamps ? " " : "",
		iv->phase, iv->faults, iv->fast, iv->prot, iv->split, iv->map,
		iv->splits, iv->requests, iv->p50_ns, iv->p99_ns);
	return fflush(live->out) ? -EIO : 0;
}

int live_interval(struct live *live, const struct tally *now)
{
	char name[32] = "-", when[40];
	struct interval iv;
	int err;
	int i;

	measure(&iv, now, live->before);
	/* The phase of the VM met last. */
	for (i = 0; i < GSTAGE_MAX_VMS; i++) {
		if (now->vms[i].kvm)
			tally_phase_name(&now->phases[now->vms[i].phase %
						      GSTAGE_MAX_PHASES],
					 name, sizeof(name));
	}
	iv.phase = name;
	wall_clock(when, sizeof(when));
	err = live->json ? put_json(live, interval_json(&iv, when)) :
			   put_text(live, &iv, when);
	*live->before = *now;
	return err;
}

static const char *name_of(const char *const *names, size_t nr, uint32_t i)
{
	return i < nr ? names[i] : "?";
}

static json_t *record_json(const struct gstage_rec *rec)
{
	json_int_t t = rec->time_ns;

	switch (rec->kind) {
	case GSTAGE_REC_SPLIT:
		return json_pack("{s:s s:I s:i s:I s:i s:i s:s s:i}", "type",
				 "split", "time_ns", t, "vm", (int)rec->vm,
				 "gpa", (json_int_t)rec->gpa, "from_level",
				 (int)rec->from, "to_level", (int)rec->to,
				 "cause", name_of(cause_names, 4, rec->cause),
				 "error", -rec->ret);
	case GSTAGE_REC_LOG_OP:
		return json_pack("{s:s s:I s:i s:I s:s s:b s:i}", "type",
				 "log_op", "time_ns", t, "vm", (int)rec->vm,
				 "slot", (json_int_t)rec->gpa, "op",
				 name_of(op_names, 5, rec->from), "end",
				 (int)rec->to, "error", -rec->ret);
	case GSTAGE_REC_QUEUE_FULL:
		return json_pack("{s:s s:I s:i s:i s:I s:I}", "type",
				 "queue_full", "time_ns", t, "vm", (int)rec->vm,
				 "vcpus", (int)rec->from, "gpa",
				 (json_int_t)rec->gpa, "bytes",
				 (json_int_t)rec->size);
	}
	return json_pack("{s:s s:I}", "type", "unknown", "time_ns", t);
}

static int record_text(struct live *live, const struct gstage_rec *rec)
{
	FILE *out = live->out;

	fprintf(out, "%" PRIu64 ".%09" PRIu64 " vm %u: ",
		(uint64_t)rec->time_ns / 1000000000,
		(uint64_t)rec->time_ns % 1000000000, rec->vm);
	switch (rec->kind) {
	case GSTAGE_REC_SPLIT:
		fprintf(out, "split gpa 0x%llx level %u -> %u cause %s",
			(unsigned long long)rec->gpa, rec->from, rec->to,
			name_of(cause_names, 4, rec->cause));
		break;
	case GSTAGE_REC_LOG_OP:
		fprintf(out, "%s slot %llu %s", name_of(op_names, 5, rec->from),
			(unsigned long long)rec->gpa,
			rec->to ? "end" : "begin");
		break;
	case GSTAGE_REC_QUEUE_FULL:
		fprintf(out,
			"hfence queues of %u vcpus full, gpa 0x%llx, %llu bytes",
			rec->from, (unsigned long long)rec->gpa,
			(unsigned long long)rec->size);
		break;
	}
	if (rec->ret)
		fprintf(out, ", failed: %s", strerror(-rec->ret));
	fputc('\n', out);
	return fflush(out) ? -EIO : 0;
}

int live_record(struct live *live, const struct gstage_rec *rec)
{
	return live->json ? put_json(live, record_json(rec)) :
			    record_text(live, rec);
}
