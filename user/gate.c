// SPDX-License-Identifier: GPL-2.0-only
/* Gates on a comparison; see gate.h. */
#include "user/gate.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/exitcode.h"
#include "user/run.h"

#define NAME_MAX_LEN 96

/* NAN where the limit has no such part. */
struct limit {
	double relative; /* 0.05 is 5 % */
	double absolute; /* in the unit of the row */
};

struct gate {
	char *text; /* as given */
	char metric[NAME_MAX_LEN]; /* as in the table of names below */
	struct limit limit;
};

struct gates {
	size_t nr;
	struct gate *list;
};

/* Every section that a row can be in, as gates write it. */
static const char *const sections[] = {
	"faults",	   "splits",
	"prot-updates",	   "write-protects",
	"flush-requests",  "flush-bytes",
	"flush-fallbacks", "flushes-executed",
	"fences",	   "guest-pages",
	"phase",	   "fault-total",
	"fault-mean",	   "fault-latency",
	"guest",	   "lock-holds",
	"lock-total",	   "lock-mean",
	"lock-held",	   "lock-longest",
	"lock-hold",
};

static const struct {
	const char *name;
	const char *metric;
} short_forms[] = {
	{ "faults.count", "faults.all-paths" },
	{ "faults.mean", "fault-mean.all-paths" },
	{ "faults.total", "fault-total.all-paths" },
	{ "faults.p50", "fault-latency.all-paths-p50" },
	{ "faults.p90", "fault-latency.all-paths-p90" },
	{ "faults.p99", "fault-latency.all-paths-p99" },
	{ "faults.p99.9", "fault-latency.all-paths-p99.9" },
	{ "faults.max", "fault-latency.all-paths-max" },
	{ "pages.lost", "guest-pages.lost" },
};

/*
 * The name of a row, or of what stands in its place, as gates write it: lower
 * case, whatever is no letter, digit or dot becomes one '-'.
 */
static void normalize(char *to, size_t size, const char *section,
		      const char *name)
{
	const char *parts[] = { section, name };
	size_t used = 0, i;
	const char *p;

	for (i = 0; i < 2; i++) {
		if (i && used + 1 < size)
			to[used++] = '.';
		for (p = parts[i]; p && *p && used + 1 < size; p++) {
			bool is_word = isalnum((unsigned char)*p) || *p == '.';

			if (is_word)
				to[used++] = (char)tolower((unsigned char)*p);
			else if (used && isalnum((unsigned char)to[used - 1]))
				to[used++] = '-';
		}
		while (used && to[used - 1] == '-')
			used--;
	}
	to[used] = '\0';
}

static int parse_metric(const char *text, size_t len, struct gate *gate,
			char *reason, size_t size)
{
	char raw[NAME_MAX_LEN], *dot;
	size_t i;

	if (!len || len >= sizeof(raw)) {
		snprintf(reason, size, "'%s' names no figure", text);
		return -EINVAL;
	}
	memcpy(raw, text, len);
	raw[len] = '\0';
	dot = strchr(raw, '.');
	if (!dot || dot == raw || !dot[1]) {
		snprintf(
			reason, size,
			"'%s' is no figure: write SECTION.NAME, as faults.p99 or phase.enable",
			raw);
		return -EINVAL;
	}
	*dot = '\0';
	normalize(gate->metric, sizeof(gate->metric), raw, dot + 1);
	for (i = 0; i < sizeof(short_forms) / sizeof(short_forms[0]); i++) {
		if (strcmp(gate->metric, short_forms[i].name))
			continue;
		snprintf(gate->metric, sizeof(gate->metric), "%s",
			 short_forms[i].metric);
		return 0;
	}
	for (i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		len = strlen(sections[i]);
		if (!strncmp(gate->metric, sections[i], len) &&
		    gate->metric[len] == '.')
			return 0;
	}
	snprintf(reason, size, "there is no section '%s'; there are", raw);
	for (i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		len = strlen(reason);
		snprintf(reason + len, size - len, " %s", sections[i]);
	}
	return -EINVAL;
}

/* A number of 0 or more at *p; moves *p behind it. */
static int parse_number(const char **p, double *value)
{
	char *end;

	/* strtod() would also take " 5", "+5", "0x5", "inf" and "nan". */
	if (!isdigit((unsigned char)**p) || (*p)[1] == 'x' || (*p)[1] == 'X')
		return -EINVAL;
	errno = 0;
	*value = strtod(*p, &end);
	if (errno || !isfinite(*value))
		return -EINVAL;
	*p = end;
	return 0;
}

static int parse_limit(const char *text, struct limit *limit, char *reason,
		       size_t size)
{
	const char *p = text;
	double value;

	limit->relative = limit->absolute = NAN;
	if (parse_number(&p, &value))
		goto bad;
	if (*p != '%') {
		limit->absolute = value;
		if (*p)
			goto bad;
		return 0;
	}
	limit->relative = value / 100;
	p++;
	if (!*p)
		return 0;
	if (*p++ != '+' || parse_number(&p, &limit->absolute) || *p)
		goto bad;
	return 0;
bad:
	snprintf(reason, size,
		 "'%s' is no limit: write 5%%, 200 or 5%%+200 (both exceeded)",
		 text);
	return -EINVAL;
}

static int parse_gate(struct gates *gates, const char *text, char *reason,
		      size_t size)
{
	const char *equal = strchr(text, '=');
	struct gate *list;
	struct gate gate;
	int err;

	if (!equal) {
		snprintf(
			reason, size,
			"'%s' has no limit: write METRIC=LIMIT, as faults.p99=5%%",
			text);
		return -EINVAL;
	}
	err = parse_metric(text, (size_t)(equal - text), &gate, reason, size);
	if (!err)
		err = parse_limit(equal + 1, &gate.limit, reason, size);
	if (err)
		return err;

	list = realloc(gates->list, (gates->nr + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	gates->list = list;
	gate.text = strdup(text);
	if (!gate.text)
		return -ENOMEM;
	list[gates->nr++] = gate;
	return 0;
}

int gates_parse(struct gates **gates, const char *text, char *reason,
		size_t reason_size)
{
	char *copy = strdup(text), *rest = copy, *word;
	int err = 0;

	*reason = '\0';
	if (!*gates)
		*gates = calloc(1, sizeof(**gates));
	if (!copy || !*gates)
		err = -ENOMEM;
	while (!err && (word = strsep(&rest, ",")))
		err = parse_gate(*gates, word, reason, reason_size);
	free(copy);
	if (err == -ENOMEM)
		snprintf(reason, reason_size, "%s", strerror(ENOMEM));
	return err;
}

void gates_free(struct gates *gates)
{
	size_t i;

	for (i = 0; gates && i < gates->nr; i++)
		free(gates->list[i].text);
	if (gates)
		free(gates->list);
	free(gates);
}

/* What is known of a figure in one arm; NAN when nothing is. */
struct range {
	double lo, hi;
};

static double number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

static struct range range_of(const json_t *cell)
{
	struct range range = { number(cell, "min"), number(cell, "max") };

	/* Instructions are judged without what ticks may have added. */
	if (json_object_get(cell, "low")) {
		range.lo = number(cell, "low");
		range.hi = number(cell, "high");
	}
	/* A quantile is somewhere in a range, of a bucket or more. */
	if (json_object_get(cell, "ge")) {
		range.lo = number(cell, "ge");
		range.hi = number(cell, "le");
	}
	return range;
}

/* Is @b worse than @a by more than the limit? Less so, the larger @a is. */
static bool is_beyond(const struct limit *limit, double a, double b)
{
	if (!isnan(limit->relative) && !(b - a > limit->relative * a))
		return false;
	return isnan(limit->absolute) || b - a > limit->absolute;
}

struct finding {
	const char *verdict;
	double value; /* how much worse, in the unit of the row */
	char text[200];
};

static void find(struct finding *finding, const char *verdict, const char *why)
{
	finding->verdict = verdict;
	snprintf(finding->text, sizeof(finding->text), "%s", why);
}

/* Counts, instructions, quantiles: what any two boots of the arms could show. */
static void judge_ranges(const struct gate *gate, struct range a,
			 struct range b, struct finding *finding)
{
	if (isnan(a.lo) || isnan(b.lo)) {
		find(finding, "unknown",
		     "only one of the arms has this figure");
		return;
	}
	finding->value = (b.lo + b.hi) / 2 - (a.lo + a.hi) / 2;
	if (is_beyond(&gate->limit, a.hi, b.lo))
		find(finding, "fail", "beyond the limit");
	else if (!is_beyond(&gate->limit, a.lo, b.hi))
		find(finding, "pass", "within the limit");
	else
		find(finding, "unknown",
		     "the boots of an arm, or where the quantile may be, are further apart than the limit");
}

/* Host time: what the interval of the ratio allows to say. */
static void judge_host(const struct gate *gate, const json_t *row, size_t arm,
		       struct finding *finding)
{
	const json_t *versus =
		json_array_get(json_object_get(row, "versus"), arm - 1);
	const json_t *interval = json_object_get(versus, "interval");
	double a = number(json_array_get(json_object_get(row, "arms"), 0),
			  "median");
	double detectable = number(versus, "detectable");
	double lo, hi;

	finding->value = number(versus, "difference");
	if (!json_is_array(interval) || isnan(a)) {
		find(finding, "unknown",
		     "too few boots for a statement about time");
		return;
	}
	lo = a * json_number_value(json_array_get(interval, 0));
	hi = a * json_number_value(json_array_get(interval, 1));
	if (!is_beyond(&gate->limit, a, hi)) {
		find(finding, "pass", "the whole interval is within the limit");
	} else if (is_beyond(&gate->limit, a, lo) &&
		   !strcmp(run_str(versus, "verdict"), "differs")) {
		find(finding, "fail", "the whole interval is beyond the limit");
	} else {
		find(finding, "unknown", "the interval holds the limit");
		if (!isnan(detectable))
			snprintf(
				finding->text, sizeof(finding->text),
				"the interval holds the limit; these boots could have shown %.2g %%",
				detectable * 100);
	}
}

/* The rows of a section of counts together. */
static struct range sum_of_section(const json_t *table, const char *section,
				   size_t arm, bool *found)
{
	struct range sum = { 0, 0 };
	char name[NAME_MAX_LEN];
	json_t *row;
	size_t i;

	json_array_foreach(table, i, row) {
		struct range range = range_of(
			json_array_get(json_object_get(row, "arms"), arm));

		normalize(name, sizeof(name), run_str(row, "section"), "count");
		if (strcmp(name, section))
			continue;
		*found = true;
		sum.lo += range.lo;
		sum.hi += range.hi;
	}
	return sum;
}

static const json_t *find_row(const json_t *comparison, const char *metric,
			      bool *is_host)
{
	static const char *const tables[] = { "counts", "instructions",
					      "quantiles", "host_time" };
	char name[NAME_MAX_LEN];
	json_t *row;
	size_t t, i;

	for (t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
		*is_host = t == 3;
		json_array_foreach(json_object_get(comparison, tables[t]), i,
				   row) {
			normalize(name, sizeof(name), run_str(row, "section"),
				  run_str(row, "name"));
			if (!strcmp(name, metric))
				return row;
		}
	}
	return NULL;
}

static bool has_verdict(const json_t *row, size_t arm, const char *verdict)
{
	const json_t *versus =
		json_array_get(json_object_get(row, "versus"), arm - 1);

	return !strcmp(run_str(versus, "verdict"), verdict);
}

static void judge_arm(const struct gate *gate, const json_t *comparison,
		      size_t arm, struct finding *finding)
{
	const json_t *counts = json_object_get(comparison, "counts");
	bool is_host, is_sum = false;
	const json_t *row = find_row(comparison, gate->metric, &is_host), *arms;
	struct range a, b;

	finding->value = NAN;
	if (row && is_host) {
		judge_host(gate, row, arm, finding);
	} else if (row && has_verdict(row, arm, "equal")) {
		/* A bucket is wide, but each boot has the same in both arms. */
		finding->value = 0;
		find(finding, "pass", "equal");
	} else if (row) {
		arms = json_object_get(row, "arms");
		judge_ranges(gate, range_of(json_array_get(arms, 0)),
			     range_of(json_array_get(arms, arm)), finding);
		/* What the table does not call a difference breaks nothing. */
		if (!strcmp(finding->verdict, "fail") &&
		    has_verdict(row, arm, "unknown"))
			find(finding, "unknown",
			     "no more than clock and seeds can do");
	} else {
		a = sum_of_section(counts, gate->metric, 0, &is_sum);
		b = sum_of_section(counts, gate->metric, arm, &is_sum);
		if (is_sum)
			judge_ranges(gate, a, b, finding);
		else
			find(finding, "unknown",
			     "no arm has this figure; compare -v --json shows what they have");
	}
}

static json_t *gate_json(const struct gate *gate, const char *label,
			 const struct finding *finding)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s}", "gate",
			 gate->text, "row", gate->metric, "arm", label, "limit",
			 strchr(gate->text, '=') + 1, "value",
			 isnan(finding->value) ? json_null() :
						 json_real(finding->value),
			 "verdict", finding->verdict, "text", finding->text);
}

static json_t *verdict_json(size_t nr, size_t nr_failed, size_t nr_unknown,
			    const char *first)
{
	if (nr_failed)
		return json_pack("{s:i, s:o}", "status", GSTAGE_EX_REGRESSION,
				 "text",
				 json_sprintf("%zu of %zu gates failed: %s",
					      nr_failed, nr, first));
	if (nr_unknown)
		return json_pack(
			"{s:i, s:o}", "status", GSTAGE_EX_INCONCLUSIVE, "text",
			json_sprintf("%zu of %zu gates cannot be decided: %s",
				     nr_unknown, nr, first));
	return json_pack("{s:i, s:o}", "status", GSTAGE_EX_OK, "text",
			 json_sprintf("%zu of %zu gates passed", nr, nr));
}

int gates_judge(const struct gates *gates, json_t *comparison)
{
	const json_t *arms = json_object_get(comparison, "arms");
	json_t *list = json_array();
	size_t nr_failed = 0, nr_unknown = 0, i, arm;
	char first_failed[160] = "", first_unknown[160] = "";
	int err = list ? 0 : -ENOMEM;

	for (i = 0; !err && i < gates->nr; i++) {
		for (arm = 1; !err && arm < json_array_size(arms); arm++) {
			const json_t *json = json_array_get(arms, arm);
			const char *label = run_str(json, "label");
			struct finding finding;
			char *first = NULL;

			if (json_is_true(json_object_get(json, "band")))
				continue;
			judge_arm(&gates->list[i], comparison, arm, &finding);
			if (!strcmp(finding.verdict, "fail") && !nr_failed++)
				first = first_failed;
			else if (!strcmp(finding.verdict, "unknown") &&
				 !nr_unknown++)
				first = first_unknown;
			if (first)
				snprintf(first, sizeof(first_failed),
					 "%.60s in %.16s, %.70s",
					 gates->list[i].text, label,
					 finding.text);
			if (json_array_append_new(list,
						  gate_json(&gates->list[i],
							    label, &finding)))
				err = -ENOMEM;
		}
	}
	if (!err &&
	    (json_object_set(comparison, "gates", list) ||
	     json_object_set_new(
		     comparison, "verdict",
		     verdict_json(json_array_size(list), nr_failed, nr_unknown,
				  nr_failed ? first_failed : first_unknown))))
		err = -ENOMEM;
	json_decref(list);
	return err;
}
