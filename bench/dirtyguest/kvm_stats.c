// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's description of the format: Documentation/virt/kvm/api.rst, 4.133. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "diag.h"
#include "kvm_stats.h"

/* More than any kernel has, so that a wrong size is no endless allocation. */
#define MAX_DESCS 4096
#define MAX_VALUES 4096

static int read_at(int fd, void *buf, size_t bytes, off_t at)
{
	ssize_t got = pread(fd, buf, bytes, at);

	if (got < 0)
		return -errno;
	return (size_t)got == bytes ? 0 : -EIO;
}

/* All values of one statistic, on the line that has been begun. */
static int print_values(int fd, const struct kvm_stats_header *header,
			const struct kvm_stats_desc *desc)
{
	__u64 value;
	int err;

	if (desc->size > MAX_VALUES)
		return -EIO;
	for (__u32 i = 0; i < desc->size; i++) {
		err = read_at(fd, &value, sizeof(value),
			      (off_t)header->data_offset + desc->offset +
				      i * (off_t)sizeof(value));
		if (err)
			return err;
		printf(" %" PRIu64, (uint64_t)value);
	}
	putchar('\n');
	return 0;
}

static int print_fd(int fd, const char *whose)
{
	struct kvm_stats_header header;
	struct kvm_stats_desc *desc = NULL;
	size_t desc_bytes;
	int err;

	err = read_at(fd, &header, sizeof(header), 0);
	if (err)
		goto out;
	desc_bytes = sizeof(*desc) + header.name_size;
	err = -EIO;
	if (header.num_desc > MAX_DESCS || !header.name_size ||
	    header.name_size > MAX_VALUES)
		goto out;
	err = -ENOMEM;
	desc = malloc(desc_bytes);
	if (!desc)
		goto out;
	for (__u32 i = 0; i < header.num_desc; i++) {
		err = read_at(fd, desc, desc_bytes,
			      (off_t)header.desc_offset +
				      i * (off_t)desc_bytes);
		if (err)
			goto out;
		printf("%s %.*s", whose, (int)header.name_size, desc->name);
		err = print_values(fd, &header, desc);
		if (err)
			goto out;
	}
	err = 0;
out:
	free(desc);
	return err;
}

/* Of the VM or vCPU that @fd is. */
static int print_of(int fd, const char *whose)
{
	int stats_fd = ioctl(fd, KVM_GET_STATS_FD, NULL);
	int err;

	if (stats_fd < 0) {
		err = -errno;
		dg_err("KVM_GET_STATS_FD of %s: %s", whose, strerror(-err));
		return err;
	}
	err = print_fd(stats_fd, whose);
	if (err)
		dg_err("statistics of %s: %s", whose, strerror(-err));
	close(stats_fd);
	return err;
}

int kvm_stats__print(const struct vm *vm)
{
	char whose[32];
	int err;

	err = print_of(vm->fd, "vm");
	for (__u32 i = 0; i < vm->nr_vcpus && !err; i++) {
		snprintf(whose, sizeof(whose), "vcpu %u", i);
		err = print_of(vm->vcpus[i].fd, whose);
	}
	return err;
}
