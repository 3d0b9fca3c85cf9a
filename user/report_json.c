// SPDX-License-Identifier: GPL-2.0-only
/*
 * The report as JSON: the run as it is, schema gstage-report/1, with the name
 * of its file and `quantiles` in every histogram.
 */
#include "user/report.h"

#include <stdint.h>

#include "user/run.h"

#define REPORT_SCHEMA "gstage-report/1"

/* {"p50": {"ge": .., "le": ..}, ...}: both bounds inclusive, in the histogram's unit. */
static json_t *quantiles_json(const struct hist *h)
{
	static const struct {
		const char *name;
		unsigned int permille;
	} quantiles[] = {
		{ "p50", 500 }, { "p90", 900 }, { "p99", 990 }, { "p99_9", 999 }
	};
	json_t *json = json_object();
	uint64_t lo, hi;
	size_t i;

	for (i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		if (hist_quantile(h, quantiles[i].permille, &lo, &hi))
			continue;
		if (json_object_set_new(json, quantiles[i].name,
					json_pack("{s:I, s:I}", "ge",
						  (json_int_t)lo, "le",
						  (json_int_t)hi))) {
			json_decref(json);
			return NULL;
		}
	}
	return json;
}

static int add_quantiles(json_t *rows, const char *key)
{
	struct hist h;
	size_t i;

	for (i = 0; i < json_array_size(rows); i++) {
		json_t *json = json_object_get(json_array_get(rows, i), key);

		if (!json || hist_from_json(json, &h) || !h.count)
			continue;
		if (json_object_set_new(
			    json, "mean",
			    json_integer((json_int_t)hist_mean(&h))) ||
		    json_object_set_new(json, "quantiles", quantiles_json(&h)))
			return -1;
	}
	return 0;
}

json_t *report_json(const json_t *run, const char *file)
{
	json_t *json = json_deep_copy(run);
	int err;

	err = json_object_set_new(json, "schema", json_string(REPORT_SCHEMA));
	if (!err && file)
		err = json_object_set_new(json, "file", json_string(file));
	if (!err)
		err = json_object_set_new(json, "time_unit",
					  json_string(run_time_unit(run)));
	if (!err)
		err = add_quantiles(json_object_get(json, "faults"), "latency");
	if (!err)
		err = add_quantiles(json_object_get(json, "flush_requests"),
				    "size");
	if (!err)
		err = add_quantiles(json_object_get(json, "flush_requests"),
				    "wait");
	if (!err)
		return json;
	json_decref(json);
	return NULL;
}
