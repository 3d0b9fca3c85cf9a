// SPDX-License-Identifier: GPL-2.0-only
/* What doctor found, for people and for programs: see doctor.h. */
#include "user/doctor.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define WIDTH 80
#define SCHEMA "gstage-doctor/1"

/* @text from column @column on, in lines of WIDTH; the first is begun already. */
static void print_wrapped(FILE *out, int column, const char *text)
{
	int at = column;

	while (*text) {
		int len = strcspn(text, " ");

		if (at > column && at + 1 + len > WIDTH) {
			fprintf(out, "\n%*s", column, "");
			at = column;
		} else if (at > column) {
			fputc(' ', out);
			at++;
		}
		fprintf(out, "%.*s", len, text);
		at += len;
		text += len + strspn(text + len, " ");
	}
	fputc('\n', out);
}

static const char *kvm_text(const struct doctor *d)
{
	static const char *const texts[] = {
		[HOST_KVM_NONE] = "no KVM",
		[HOST_KVM_MODULE] = "KVM is a module",
		[HOST_KVM_BUILT_IN] = "KVM is built in",
	};

	return texts[d->host.kvm];
}

static void print_file(FILE *out, const char *label, const struct kfile *k)
{
	const char *release = kfile__release(k);

	fprintf(out, "%-9s %s%s%s\n", label, kfile__path(k),
		*release ? ", says it is " : "", release);
}

static void print_head(FILE *out, const struct doctor *d)
{
	if (d->kernel)
		print_file(out, "kernel:", d->kernel);
	if (d->kvm)
		print_file(out, "kvm.ko:", d->kvm);
	if (d->is_of_files)
		return;
	fprintf(out, "%-9s %s, %s, %s\n", "kernel:", d->host.release,
		d->host.machine, kvm_text(d));
	if (d->host.clock_resolution_ns)
		fprintf(out, "%-9s steps of %" PRIu64 " ns\n",
			"clock:", d->host.clock_resolution_ns);
	if (d->parameter)
		fprintf(out, "%-9s eager_page_split=%s\n",
			"kvm args:", d->parameter);
}

static void print_obstacles(FILE *out, const struct doctor *d)
{
	size_t i;

	if (!d->nr_obstacles)
		return;
	fprintf(out, "\nIn the way\n");
	for (i = 0; i < d->nr_obstacles; i++) {
		fprintf(out, "  %-13s ", d->obstacles[i].id);
		print_wrapped(out, 16, d->obstacles[i].what);
		fprintf(out, "%16s", "-> ");
		print_wrapped(out, 16, d->obstacles[i].remedy);
	}
}

static void print_hooks(FILE *out, const struct doctor *d, enum fact fact)
{
	size_t i, nr;
	const struct probe *all = probes_all(&nr);
	char text[1536] = "";
	size_t used = 0;
	int callers;

	for (i = 0; i < nr && used < sizeof(text); i++) {
		if (doctor_has_hook(d, fact, &all[i]))
			used += snprintf(text + used, sizeof(text) - used,
					 "%s%s:%s", used ? " " : "",
					 probes_kind_name(all[i].kind,
							  d->view.by_kprobes),
					 all[i].hook);
		else
			continue;
		callers = doctor_nr_callers(d, &all[i]);
		if (callers >= 0 && used < sizeof(text))
			used += snprintf(text + used, sizeof(text) - used,
					 "(%d)", callers);
	}
	fprintf(out, "%20s", "");
	print_wrapped(out, 20, text);
}

static void print_backend(FILE *out, const struct doctor_fact *f)
{
	const struct probe_choice *c = &f->choice;

	fprintf(out, "%s%s%s%s%s\n", probes_backend_name(c->candidate->backend),
		c->by_kprobes && c->candidate->backend == BACKEND_FUNCTION ?
			", by kprobes" :
			"",
		f->option ? ", with " : "", f->option ?: "",
		c->status == PROBE_PARTIAL ? ", in part:" : "");
}

static void print_facts(FILE *out, const struct doctor *d, bool verbose)
{
	enum fact fact;

	fprintf(out, "\nWhat a trace %s, and by what\n",
		d->is_of_files ? "would see" : "sees");
	for (fact = 0; fact < NR_FACTS; fact++) {
		const struct doctor_fact *f = &d->facts[fact];
		const struct probe_choice *c = &f->choice;

		fprintf(out, "  %-17s ", probes_fact_name(fact));
		if (c->status != PROBE_MISSING)
			print_backend(out, f);
		if (c->status != PROBE_MISSING && verbose)
			print_hooks(out, d, fact);
		if (c->status == PROBE_SERVED)
			continue;
		fprintf(out, c->status == PROBE_MISSING ? "-  " : "%23s", "");
		print_wrapped(out, 23, c->reason);
		/* Once for all of them, below. */
		if (f->remedy && verbose) {
			fprintf(out, "%23s", "-> ");
			print_wrapped(out, 23, f->remedy);
		}
	}
}

/* What mends which facts, each remedy once. */
static void print_remedies(FILE *out, const struct doctor *d)
{
	enum fact fact, other;
	bool has_title = false;
	char text[512];
	size_t used;

	for (fact = 0; fact < NR_FACTS; fact++) {
		const char *remedy = d->facts[fact].remedy;

		if (!remedy)
			continue;
		for (other = 0; other < fact; other++) {
			if (d->facts[other].remedy &&
			    !strcmp(d->facts[other].remedy, remedy))
				break;
		}
		if (other < fact)
			continue;
		used = snprintf(text, sizeof(text), "%s: for", remedy);
		for (other = fact; other < NR_FACTS && used < sizeof(text);
		     other++) {
			if (d->facts[other].remedy &&
			    !strcmp(d->facts[other].remedy, remedy))
				used += snprintf(text + used,
						 sizeof(text) - used, " %s",
						 probes_fact_name(other));
		}
		if (!has_title)
			fprintf(out, "\nWhat changes it\n");
		has_title = true;
		fprintf(out, "  - ");
		print_wrapped(out, 4, text);
	}
}

static void print_features(FILE *out, const struct doctor *d, bool verbose)
{
	enum feature feature;

	fprintf(out, "\nWhat this KVM contains\n");
	for (feature = 0; feature < NR_FEATURES; feature++) {
		const struct feature_finding *f = &d->features[feature];

		fprintf(out, "  %-20s  %-3s  ", feature_name(feature),
			feature_state_name(f->state));
		print_wrapped(out, 29, feature_meaning(feature));
		if (!verbose && f->state != FEATURE_UNKNOWN)
			continue;
		fprintf(out, "%29s", "");
		print_wrapped(out, 29, f->evidence);
	}
}

int doctor_print(FILE *out, const struct doctor *d, bool verbose)
{
	size_t i;

	print_head(out, d);
	print_obstacles(out, d);
	if (d->is_judged) {
		print_facts(out, d, verbose);
		print_remedies(out, d);
		print_features(out, d, verbose);
	}
	if (d->nr_notes)
		fprintf(out, "\nNot told here\n");
	for (i = 0; i < d->nr_notes; i++) {
		fprintf(out, "  - ");
		print_wrapped(out, 4, d->notes[i]);
	}
	fprintf(out, "\n%s\n",
		doctor_can_trace(d) ?
			"This can be traced." :
			"Nothing can be traced: see above for what is in the way.");
	return fflush(out) || ferror(out) ? -EIO : 0;
}

/* --- for programs ---------------------------------------------------------- */

static json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

static json_t *obstacles_to_json(const struct doctor *d)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; array && i < d->nr_obstacles; i++) {
		const struct obstacle *o = &d->obstacles[i];

		json_array_append_new(
			array, json_pack("{s:s s:s s:s s:b}", "id", o->id,
					 "what", o->what, "remedy", o->remedy,
					 "fatal", (int)o->is_fatal));
	}
	return array;
}

static json_t *hooks_to_json(const struct doctor *d, enum fact fact)
{
	json_t *array = json_array();
	size_t i, nr;
	const struct probe *all = probes_all(&nr);

	for (i = 0; array && i < nr; i++) {
		int n = doctor_nr_callers(d, &all[i]);

		if (doctor_has_hook(d, fact, &all[i]))
			json_array_append_new(
				array,
				json_pack("{s:s s:s s:o}", "kind",
					  probes_kind_name(all[i].kind,
							   d->view.by_kprobes),
					  "hook", all[i].hook, "callers",
					  n < 0 ? json_null() :
						  json_integer(n)));
	}
	return array;
}

static json_t *facts_to_json(const struct doctor *d)
{
	json_t *array = json_array();
	enum fact fact;

	for (fact = 0; array && d->is_judged && fact < NR_FACTS; fact++) {
		const struct doctor_fact *f = &d->facts[fact];
		const struct probe_candidate *c = f->choice.candidate;

		json_array_append_new(
			array,
			json_pack("{s:s s:b s:s s:o s:o s:o s:o s:o}", "fact",
				  probes_fact_name(fact), "served",
				  f->choice.status != PROBE_MISSING, "status",
				  probes_status_name(f->choice.status),
				  "backend",
				  text_or_null(
					  c ? probes_backend_name(c->backend) :
					      NULL),
				  "option", text_or_null(f->option), "hooks",
				  hooks_to_json(d, fact), "reason",
				  text_or_null(f->choice.reason), "remedy",
				  text_or_null(f->remedy)));
	}
	return array;
}

static json_t *features_to_json(const struct doctor *d)
{
	json_t *array = json_array();
	enum feature feature;

	for (feature = 0; array && d->is_judged && feature < NR_FEATURES;
	     feature++) {
		const struct feature_finding *f = &d->features[feature];
		json_t *present =
			f->state == FEATURE_UNKNOWN ?
				json_null() :
				json_boolean(f->state == FEATURE_PRESENT);

		json_array_append_new(
			array, json_pack("{s:s s:o s:s}", "name",
					 feature_name(feature), "present",
					 present, "evidence", f->evidence));
	}
	return array;
}

static json_t *file_to_json(const struct kfile *k)
{
	return k ? json_pack("{s:s s:o}", "path", kfile__path(k), "release",
			     text_or_null(kfile__release(k))) :
		   json_null();
}

static json_t *subject_to_json(const struct doctor *d)
{
	static const char *const states[] = {
		[HOST_KVM_NONE] = "none",
		[HOST_KVM_MODULE] = "module",
		[HOST_KVM_BUILT_IN] = "built-in",
	};

	if (d->is_of_files)
		return json_pack("{s:o s:o}", "kernel_file",
				 file_to_json(d->kernel), "kvm_file",
				 file_to_json(d->kvm));
	return json_pack("{s:s s:s s:s s:o s:o}", "kernel", d->host.release,
			 "machine", d->host.machine, "kvm", states[d->host.kvm],
			 "clock_resolution_ns",
			 d->host.clock_resolution_ns ?
				 json_integer(d->host.clock_resolution_ns) :
				 json_null(),
			 "eager_page_split", text_or_null(d->parameter));
}

json_t *doctor_to_json(const struct doctor *d)
{
	json_t *notes = json_array();
	size_t i;

	for (i = 0; notes && i < d->nr_notes; i++)
		json_array_append_new(notes, json_string(d->notes[i]));
	return json_pack("{s:s s:b s:o s:o s:o s:o s:o}", "schema", SCHEMA,
			 "can_trace", (int)doctor_can_trace(d), "subject",
			 subject_to_json(d), "obstacles", obstacles_to_json(d),
			 "facts", facts_to_json(d), "features",
			 features_to_json(d), "notes", notes);
}
