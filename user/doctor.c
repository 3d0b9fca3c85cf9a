// SPDX-License-Identifier: GPL-2.0-only
/* See doctor.h. */
#include "user/doctor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "user/log.h"

#define PARAMETERS "/sys/module/kvm/parameters/"
/* A function of any KVM on RISC-V. */
#define ANY_KVM "kvm_riscv_vcpu_exit"

static void note(struct doctor *d, const char *text)
{
	if (d->nr_notes < DOCTOR_MAX_NOTES)
		d->notes[d->nr_notes++] = text;
}

/* --- a view of files ------------------------------------------------------- */

static bool file_has_tracepoint(void *ctx, const char *name)
{
	const struct doctor *d = ctx;
	char symbol[128];

	if (d->types)
		return ktypes__has_tracepoint(d->types, name);
	snprintf(symbol, sizeof(symbol), "__tracepoint_%s", name);
	return d->kvm && kfile__has_symbol(d->kvm, symbol);
}

/*
 * A function of kvm.ko is one that ftrace has an entry for, one of the kernel is
 * one that has a type, or, without the kernel, one that kvm.ko calls.
 */
static bool file_has_function(void *ctx, const char *name)
{
	const struct doctor *d = ctx;
	enum kfile_function found;

	if (!d->kvm || !kfile__has_symbols(d->kvm))
		return d->types && ktypes__has_function(d->types, name);
	found = kfile__function(d->kvm, name);
	/* For none at all: its kernel has no ftrace. */
	if (found == KFILE_FUNCTION_UNHOOKABLE && kfile__has_sites(d->kvm))
		return false;
	if (d->types)
		return ktypes__has_function(d->types, name);
	return found != KFILE_FUNCTION_ABSENT;
}

static bool file_has_member(void *ctx, const char *type, const char *member)
{
	const struct doctor *d = ctx;

	/* Not known, and said so: no reason to say that it is missing. */
	return !d->types || ktypes__has_member(d->types, type, member);
}

static int file_nr_callers(void *ctx, const char *name)
{
	const struct doctor *d = ctx;
	const struct kfile *k = d->kvm ?: d->kernel;
	int n = kfile__callers(k, name);

	return n || kfile__kind(k) == KFILE_KVM || !probes_is_in_table(name) ?
		       n :
		       -1;
}

static const char *file_no_functions(void *ctx)
{
	const struct doctor *d = ctx;

	return d->functions ? d->functions->what : NULL;
}

static bool file_has_parameter(void *ctx, const char *name)
{
	const struct doctor *d = ctx;
	char symbol[80];

	if (d->kvm)
		return kfile__has_parameter(d->kvm, name);
	snprintf(symbol, sizeof(symbol), "__param_%s", name);
	return kfile__has_symbol(d->kernel, symbol);
}

static bool file_calls(void *ctx, const char *name)
{
	const struct doctor *d = ctx;

	return kfile__function(d->kvm, name) == KFILE_FUNCTION_CALLED;
}

/* --- a view of this machine ------------------------------------------------ */

static bool here_has_parameter(void *ctx, const char *name)
{
	char path[128];

	(void)ctx;
	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	return !access(path, F_OK);
}

static bool here_calls(void *ctx, const char *name)
{
	struct doctor *d = ctx;

	return d->view.nr_callers(d->view.ctx, name) > 0;
}

static void read_parameter(struct doctor *d)
{
	FILE *f = fopen(PARAMETERS "eager_page_split", "re");

	if (!f)
		return;
	if (fgets(d->parameter_text, sizeof(d->parameter_text), f)) {
		d->parameter_text[strcspn(d->parameter_text, "\n")] = '\0';
		d->parameter = d->parameter_text;
	}
	fclose(f);
}

/* --- judging --------------------------------------------------------------- */

/* Say by which name the compiler has it, where the symbols tell. */
static void refine_reason(const struct doctor *d, struct probe_choice *choice)
{
	char *at = strstr(choice->reason, "no function ");
	char name[64];
	const char *variant;
	size_t used;

	if (!at || !d->kvm || !kfile__has_symbols(d->kvm) ||
	    sscanf(at, "no function %63[a-zA-Z0-9_]", name) != 1)
		return;
	variant = kfile__variant(d->kvm, name);
	used = strlen(choice->reason);
	if (variant)
		snprintf(choice->reason + used, sizeof(choice->reason) - used,
			 "; the compiler made %s of it", variant);
	else if (kfile__function(d->kvm, name) == KFILE_FUNCTION_UNHOOKABLE)
		snprintf(choice->reason + used, sizeof(choice->reason) - used,
			 "; it is there, and ftrace has no entry for it");
}

static void add_obstacle(struct doctor *d, const struct obstacle *obstacle)
{
	if (d->nr_obstacles < HOST_MAX_OBSTACLES)
		d->obstacles[d->nr_obstacles++] = *obstacle;
}

/* With everything that can be asked for. */
static const struct probe_wish all = {
	.fences = true,
	.events = true,
	.locks = true,
	.checks = true,
	.exits = true,
	.stalls = true,
};

static const char *option_of(enum fact fact)
{
	switch (fact) {
	case FACT_FLUSH_EXECUTED:
		return "--fences";
	case FACT_EVENTS:
		return "--events";
	case FACT_LOCKS:
		return "--locks";
	case FACT_CHECKS:
		return "--checks";
	case FACT_EXITS:
		return "--exits";
	case FACT_STALLS:
		return "--stalls";
	default:
		return NULL;
	}
}

static bool is_stopped(const struct doctor *d)
{
	size_t i;

	for (i = 0; i < d->nr_obstacles; i++) {
		if (d->obstacles[i].is_fatal)
			return true;
	}
	return false;
}

static void judge(struct doctor *d, const struct feature_view *view)
{
	const struct probe_wish plain = {};
	struct probe_choice choices[NR_FACTS], with_all[NR_FACTS];
	enum fact fact;

	if (d->functions)
		add_obstacle(d, d->functions);
	else if (view->probes.by_kprobes)
		add_obstacle(d, host_slow_functions());
	probes_choose(&view->probes, &plain, choices);
	if (!verdict_is_enough(&view->probes, &plain, choices, d->functions,
			       &d->verdict))
		add_obstacle(d, &d->verdict.obstacle);

	probes_choose(&view->probes, &all, with_all);
	for (fact = 0; fact < NR_FACTS; fact++) {
		struct doctor_fact *f = &d->facts[fact];

		f->choice = with_all[fact];
		if (f->choice.status != PROBE_MISSING &&
		    !probes_is_served(&choices[fact]))
			f->option = option_of(fact);
		if (f->choice.status == PROBE_SERVED)
			continue;
		if (f->choice.status == PROBE_MISSING)
			refine_reason(d, &f->choice);
		f->remedy =
			verdict_remedy(&view->probes, &f->choice, d->functions);
	}
	d->view = view->probes;
	features_find(view, d->features);
	d->is_judged = true;
}

bool doctor_has_hook(const struct doctor *d, enum fact fact,
		     const struct probe *probe)
{
	const struct probe_candidate *c = d->facts[fact].choice.candidate;

	if (!c || !probes_has(c, probe))
		return false;
	/* What is optional is part of other versions. */
	return !probe->is_optional || probe->kind == HOOK_TRACEPOINT ||
	       d->view.has_function(d->view.ctx, probe->hook);
}

int doctor_nr_callers(const struct doctor *d, const struct probe *probe)
{
	if (probe->kind == HOOK_TRACEPOINT || !d->view.nr_callers)
		return -1;
	return d->view.nr_callers(d->view.ctx, probe->hook);
}

bool doctor_can_trace(const struct doctor *d)
{
	return d->is_judged && !is_stopped(d);
}

int doctor_look_here(struct doctor *d)
{
	struct feature_view view = {
		.has_types = true,
		.has_parameter = here_has_parameter,
		.ctx = d,
	};
	const char *what;
	int err;

	host_read(&d->host, "");
	d->nr_obstacles = host_obstacles(&d->host, d->obstacles);
	if (strcmp(d->host.machine, "riscv64") || !d->host.has_vmlinux_btf ||
	    d->host.kvm == HOST_KVM_NONE ||
	    (d->host.kvm == HOST_KVM_MODULE && !d->host.has_module_btf))
		return 0;
	err = ktypes__open_running(&d->types, &what);
	if (err) {
		pr_err("cannot read %s: %s", what, strerror(-err));
		return err;
	}
	d->functions = verdict_of_functions(d->types, &d->host, false);
	if (d->look_for_callers && !is_stopped(d))
		d->look_for_callers(d->types);
	if (!ktypes__has_callers(d->types))
		note(d,
		     "who calls KVM's functions: that needs what a trace needs, and kernel.kptr_restrict below 2. Where all calls of one are inlined its hook never fires");
	read_parameter(d);
	view.probes = ktypes__view(d->types);
	if (ktypes__has_callers(d->types))
		view.calls = here_calls;
	judge(d, &view);
	return 0;
}

static int open_files(struct doctor *d, char *const *paths, size_t nr_paths)
{
	size_t i;

	for (i = 0; i < nr_paths; i++) {
		struct kfile *k, **place;
		int err = kfile__open(paths[i], &k);

		if (err)
			return err;
		place = kfile__kind(k) == KFILE_KVM ? &d->kvm : &d->kernel;
		if (*place) {
			pr_err("%s and %s are of the same kind: name one kernel, one kvm.ko or both",
			       kfile__path(*place), paths[i]);
			kfile__free(k);
			return -EINVAL;
		}
		*place = k;
	}
	return 0;
}

/* Types of both files; without those of the kernel a module's have no meaning. */
static int open_file_types(struct doctor *d)
{
	const void *kernel;
	size_t size;
	int err;

	if (!d->kernel || (d->kvm && !kfile__btf(d->kvm, &size)))
		return 0;
	kernel = kfile__btf(d->kernel, &size);
	if (!kernel)
		return 0;
	err = ktypes__open_data(kernel, size,
				d->kvm ? kfile__path(d->kvm) : NULL, &d->types);
	if (!err && (!d->kvm || ktypes__has_function(d->types, ANY_KVM)))
		return 0;
	if (d->kvm)
		pr_err("the types of %s and %s do not fit together: name the kernel that the module was built for",
		       kfile__path(d->kernel), kfile__path(d->kvm));
	else
		pr_err("the types of %s cannot be read: %s",
		       kfile__path(d->kernel), strerror(-err));
	return -EINVAL;
}

static const struct obstacle
	file_no_types = { "vmlinux-btf", "the kernel has no type information",
			  "build it with CONFIG_DEBUG_INFO_BTF=y", true },
	file_no_module_types = { "module-btf",
				 "kvm.ko has no type information (no section .BTF)",
				 "build it with CONFIG_DEBUG_INFO_BTF_MODULES=y",
				 true },
	file_no_kvm = {
		"kvm", "there is no KVM in this kernel",
		"name its kvm.ko, too, or build the kernel with CONFIG_KVM",
		true
	};

static void find_file_obstacles(struct doctor *d)
{
	size_t size;

	if (d->kernel && !kfile__btf(d->kernel, &size))
		add_obstacle(d, &file_no_types);
	if (d->kvm && !kfile__btf(d->kvm, &size))
		add_obstacle(d, &file_no_module_types);
	if (!d->kvm && d->types && !ktypes__has_function(d->types, ANY_KVM))
		add_obstacle(d, &file_no_kvm);
}

static void note_limits(struct doctor *d)
{
	note(d,
	     "files do not tell of privilege, the H extension, ftrace and lockdown, nor of the clock: run 'gstage doctor' where the kernel runs");
	if (d->kvm && !d->kernel)
		note(d,
		     "whether structures have the members that are read: name the Image or vmlinux that kvm.ko was built for, too");
	if (!d->kvm && !kfile__has_symbols(d->kernel))
		note(d,
		     "this image has no symbols: that a function has a type does not show that anybody calls it; vmlinux or kvm.ko tell more");
	if (d->kvm && !kfile__has_symbols(d->kvm))
		note(d,
		     "kvm.ko is stripped: which functions ftrace has entries for, and who calls them, is not known");
}

int doctor_look_at(struct doctor *d, char *const *paths, size_t nr_paths)
{
	struct feature_view view = {
		.probes = {
			.ctx = d,
			.has_tracepoint = file_has_tracepoint,
			.has_function = file_has_function,
			.has_member = file_has_member,
			.nr_callers = file_nr_callers,
			.no_functions = file_no_functions,
		},
		.has_parameter = file_has_parameter,
		.ctx = d,
	};
	int err;

	d->is_of_files = true;
	err = open_files(d, paths, nr_paths);
	if (!err)
		err = open_file_types(d);
	if (err)
		return err;
	find_file_obstacles(d);
	note_limits(d);
	view.has_types = d->types;
	if (d->types)
		d->functions = verdict_of_functions(d->types, &d->host, false);
	view.probes.by_kprobes = d->types ?
					 ktypes__view(d->types).by_kprobes :
					 d->kvm && kfile__has_symbols(d->kvm) &&
						 !kfile__has_sites(d->kvm);
	if (d->kvm && kfile__has_symbols(d->kvm))
		view.calls = file_calls;
	if (d->kvm || (d->types && !d->nr_obstacles))
		judge(d, &view);
	return 0;
}

void doctor_free(struct doctor *d)
{
	ktypes__free(d->types);
	kfile__free(d->kernel);
	kfile__free(d->kvm);
}
