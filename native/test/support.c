/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <fcntl.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static char bpffs_path[64];
static int pin_dirs;

void need_root(void)
{
	if (geteuid() == 0)
		return;
	fputs("skipped: needs root for namespaces and bpf\n", stderr);
	exit(77);
}

int netns_setup(void **state)
{
	struct esw_link_op up = set_op("lo", ESW_SET_UP);

	(void)state;
	up.up = 1;
	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	return APPLY(esw_link_apply, up).error;
}

static void *make_netns(void *arg)
{
	int *fd = arg;

	*fd = unshare(CLONE_NEWNET) < 0 ? -1 : open("/proc/thread-self/ns/net", O_RDONLY);
	return NULL;
}

const char *netns_open(void)
{
	static char paths[8][32];
	static int next;
	pthread_t thread;
	int fd = -1;
	char *path = paths[next++ % 8];

	assert_int_equal(pthread_create(&thread, NULL, make_netns, &fd), 0);
	pthread_join(thread, NULL);
	assert_true(fd >= 0);
	snprintf(path, sizeof(paths[0]), "/proc/self/fd/%d", fd);
	return path;
}

void netns_close(const char *path)
{
	close(atoi(strrchr(path, '/') + 1));
}

int bpffs_setup(void **state)
{
	if (netns_setup(state) || unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	strcpy(bpffs_path, "/tmp/esw-test-XXXXXX");
	if (!mkdtemp(bpffs_path))
		return -1;
	return esw_bpffs_mount(bpffs_path) == 1 ? 0 : -1;
}

int bpffs_teardown(void **state)
{
	(void)state;
	if (esw_bpffs_unmount(bpffs_path) != 0)
		return -1;
	return rmdir(bpffs_path);
}

const char *pin_dir(void)
{
	static char path[96];

	snprintf(path, sizeof(path), "%s/d%d/v1", bpffs_path, pin_dirs++);
	return path;
}

struct batch *batch_of(const void *records, uint32_t record_size, uint32_t count)
{
	struct batch *batch = calloc(1, sizeof(*batch));
	struct esw_batch_hdr hdr = {
		.magic = ESW_BATCH_MAGIC, .version = ESW_ABI_VERSION,
		.record_size = (uint16_t)record_size, .count = count,
	};

	assert_non_null(batch);
	assert_true(count <= MAX_RECORDS);
	hdr.length = (uint32_t)sizeof(hdr) + count * record_size;
	batch->bytes = malloc(hdr.length);
	assert_non_null(batch->bytes);
	batch->len = hdr.length;
	memcpy(batch->bytes, &hdr, sizeof(hdr));
	memcpy(batch->bytes + sizeof(hdr), records, (size_t)count * record_size);
	memset(batch->results, 0xff, sizeof(batch->results));
	return batch;
}

void batch_free(struct batch *batch)
{
	free(batch->bytes);
	free(batch);
}

struct esw_result apply_one(apply_fn apply, const void *record, uint32_t record_size)
{
	struct batch *batch = batch_of(record, record_size, 1);
	struct esw_result result;

	assert_int_equal(apply(batch->bytes, batch->len, batch->results, sizeof(result)), 0);
	result = batch->results[0];
	batch_free(batch);
	return result;
}

struct esw_link_op veth_op(const char *name, const char *peer)
{
	struct esw_link_op op = {
		.verb = ESW_LINK_VETH, .mac = { 2, 0, 0, 0, 0, 1 }, .peer_mac = { 2, 0, 0, 0, 0, 2 },
		.mtu = 1450, .up = 1, .noaddrgen = 1,
	};

	snprintf(op.name, sizeof(op.name), "%s", name);
	snprintf(op.peer_name, sizeof(op.peer_name), "%s", peer);
	snprintf(op.altname, sizeof(op.altname), "t.%s", name);
	snprintf(op.peer_altname, sizeof(op.peer_altname), "t.%s", peer);
	return op;
}

struct esw_link_op delete_op(const char *name)
{
	struct esw_link_op op = { .verb = ESW_LINK_DELETE };

	snprintf(op.name, sizeof(op.name), "%s", name);
	snprintf(op.altname, sizeof(op.altname), "t.%s", name);
	return op;
}

struct esw_link_op set_op(const char *name, uint32_t set)
{
	struct esw_link_op op = { .verb = ESW_LINK_SET, .set = set };

	snprintf(op.name, sizeof(op.name), "%s", name);
	return op;
}

bool find_link(const char *netns, const char *name, struct esw_link_rec *rec)
{
	static struct esw_link_rec recs[2 * MAX_RECORDS];
	int count = esw_link_dump(netns, "t.", 0, recs, sizeof(recs));

	assert_true(count >= 0 && count <= 2 * MAX_RECORDS);
	for (int i = 0; i < count; i++) {
		if (strcmp(recs[i].name, name) == 0) {
			*rec = recs[i];
			return true;
		}
	}
	return false;
}
