// SPDX-License-Identifier: GPL-2.0-only
/* KVM's dirty log of the test slot: see dirtylog.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "diag.h"
#include "dirtylog.h"

#define PAGES_PER_WORD 64

static int set_mode(const struct dirtylog *log)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		.args[0] = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE,
	};
	int err, offered;

	if (log->mode == DG_LOG_CLEAR_ON_GET)
		return 0;
	if (log->mode == DG_LOG_INITIALLY_SET)
		cap.args[0] |= KVM_DIRTY_LOG_INITIALLY_SET;

	offered = vm__capability(log->vm, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2);
	if ((cap.args[0] & (__u64)offered) != cap.args[0]) {
		dg_err("--log %s: this KVM does not offer it (KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 is %#x)",
		       dg_log_mode_names[log->mode], offered);
		return -EOPNOTSUPP;
	}
	if (ioctl(log->vm->fd, KVM_ENABLE_CAP, &cap)) {
		err = -errno;
		dg_err("KVM_ENABLE_CAP(MANUAL_DIRTY_LOG_PROTECT2): %s",
		       strerror(-err));
		return err;
	}
	return 0;
}

int dirtylog__new(struct dirtylog *log, const struct vm *vm,
		  const struct dg_options *opts)
{
	int err;

	memset(log, 0, sizeof(*log));
	log->vm = vm;
	log->mode = opts->log_mode;
	log->nr_pages = dg_options__slot_pages(opts);
	log->chunk_pages = opts->clear_chunk_pages ? opts->clear_chunk_pages :
						     log->nr_pages;
	log->offset_pages = opts->clear_offset_pages;
	log->bitmap_bytes = (log->nr_pages + PAGES_PER_WORD - 1) /
			    PAGES_PER_WORD * sizeof(__u64);
	log->bitmap = calloc(1, log->bitmap_bytes);
	log->earlier = calloc(1, log->bitmap_bytes);
	if (!log->bitmap || !log->earlier) {
		dg_err("no memory for two bitmaps of %zu bytes",
		       log->bitmap_bytes);
		dirtylog__free(log);
		return -ENOMEM;
	}
	err = set_mode(log);
	if (err)
		dirtylog__free(log);
	return err;
}

static int set_logging(struct dirtylog *log, bool on)
{
	int err = vm__set_logging(log->vm, on);

	if (err)
		dg_err("switching dirty logging %s: %s", on ? "on" : "off",
		       strerror(-err));
	return err;
}

int dirtylog__enable(struct dirtylog *log)
{
	return set_logging(log, true);
}

int dirtylog__disable(struct dirtylog *log)
{
	return set_logging(log, false);
}

int dirtylog__get(struct dirtylog *log)
{
	struct kvm_dirty_log arg = {
		.slot = VM_SLOT_TEST,
		.dirty_bitmap = log->bitmap,
	};
	int err;

	if (!ioctl(log->vm->fd, KVM_GET_DIRTY_LOG, &arg))
		return 0;
	err = -errno;
	dg_err("KVM_GET_DIRTY_LOG: %s", strerror(-err));
	return err;
}

static int clear_chunk(struct dirtylog *log, __u64 first, __u64 count)
{
	struct kvm_clear_dirty_log arg = {
		.slot = VM_SLOT_TEST,
		.first_page = first,
		.num_pages = (__u32)count,
		/* The bitmap's first bit is first_page, a multiple of 64. */
		.dirty_bitmap = log->bitmap + first / PAGES_PER_WORD,
	};
	int err;

	if (!ioctl(log->vm->fd, KVM_CLEAR_DIRTY_LOG, &arg))
		return 0;
	err = -errno;
	dg_err("KVM_CLEAR_DIRTY_LOG of %llu pages from %llu: %s", count, first,
	       strerror(-err));
	return err;
}

static int clear_range(struct dirtylog *log, __u64 first, __u64 end)
{
	int err = 0;

	while (first < end && !err) {
		__u64 count = end - first;

		if (count > log->chunk_pages)
			count = log->chunk_pages;
		err = clear_chunk(log, first, count);
		first += count;
	}
	return err;
}

int dirtylog__clear(struct dirtylog *log)
{
	int err;

	if (log->mode == DG_LOG_CLEAR_ON_GET)
		return 0;
	err = clear_range(log, log->offset_pages, log->nr_pages);
	if (!err)
		err = clear_range(log, 0, log->offset_pages);
	return err;
}

void dirtylog__keep(struct dirtylog *log)
{
	for (size_t i = 0; i < log->bitmap_bytes / sizeof(*log->bitmap); i++)
		log->earlier[i] |= log->bitmap[i];
}

void dirtylog__add_kept(struct dirtylog *log)
{
	dirtylog__keep(log);
	memcpy(log->bitmap, log->earlier, log->bitmap_bytes);
	memset(log->earlier, 0, log->bitmap_bytes);
}

void dirtylog__free(struct dirtylog *log)
{
	free(log->earlier);
	free(log->bitmap);
	memset(log, 0, sizeof(*log));
}
