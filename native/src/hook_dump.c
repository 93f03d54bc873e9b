/* SPDX-License-Identifier: Apache-2.0
 *
 * esw_hook_dump: which hooks run our programs. What is ours is read from the pin directory (links
 * and programs) and from the names of clsact filters.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf_hook.h"
#include "records.h"
#include "tc.h"

/* A sorted set of ids. */
struct ids {
	uint32_t *id;
	size_t count, room;
};

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static bool has(const struct ids *ids, uint32_t id)
{
	return ids->count && bsearch(&id, ids->id, ids->count, sizeof(id), compare);
}

static int add(struct ids *ids, uint32_t id)
{
	if (ids->count == ids->room) {
		size_t room = ids->room ? ids->room * 2 : 256;
		uint32_t *mem = realloc(ids->id, room * sizeof(*mem));

		if (!mem)
			return -ENOMEM;
		ids->id = mem;
		ids->room = room;
	}
	ids->id[ids->count++] = id;
	return 0;
}

static int link_id(int fd)
{
	struct esw_link_info info;
	int err = esw_bpf_link_info(fd, &info);

	return err ? err : (int)info.id;
}

/* Ids of everything pinned in dir/sub that `read_id` understands. */
static int read_pins(const char *dir, const char *sub, int (*read_id)(int fd), struct ids *ids)
{
	char path[ESW_PIN_LEN];
	const struct dirent *entry;
	int err = esw_pin_path(path, dir, sub, "", "");
	DIR *pins = err ? NULL : opendir(path);

	if (!pins)
		return err ? err : errno == ENOENT ? 0 : -errno;
	while (!err && (entry = readdir(pins))) {
		int fd, id;

		if (entry->d_type == DT_DIR ||
		    esw_pin_path(path, dir, sub, entry->d_name, "") < 0)
			continue;
		fd = bpf_obj_get(path);
		if (fd < 0)
			continue; /* removed meanwhile */
		id = read_id(fd);
		close(fd);
		if (id > 0)
			err = add(ids, (uint32_t)id);
	}
	closedir(pins);
	if (ids->count)
		qsort(ids->id, ids->count, sizeof(*ids->id), compare);
	return err;
}

struct hooks {
	const char *dir;
	struct ids links, progs;
	struct ids clsact; /* ifindexes with such a qdisc */
	struct esw_nl nl;
	bool tcx;
	struct esw_records records;
};

static int qdisc_each(void *ctx, const struct nlmsghdr *nlh)
{
	struct hooks *hooks = ctx;
	struct esw_tc_qdisc qdisc;

	if (nlh->nlmsg_type != RTM_NEWQDISC || esw_tc_parse_qdisc(nlh, &qdisc) < 0 ||
	    !qdisc.is_clsact)
		return 0;
	return add(&hooks->clsact, qdisc.ifindex);
}

static void qdisc_reset(void *ctx)
{
	((struct hooks *)ctx)->clsact.count = 0;
}

static int read_qdiscs(struct hooks *hooks)
{
	const struct tcmsg tcm = { 0 };
	const struct esw_nl_dump dump = {
		.type = RTM_GETQDISC, .fixed = &tcm, .fixed_size = sizeof(tcm), .each = qdisc_each,
		.reset = qdisc_reset, .ctx = hooks,
	};
	int err = esw_nl_dump(&hooks->nl, &dump);

	if (!err && hooks->clsact.count)
		qsort(hooks->clsact.id, hooks->clsact.count, sizeof(uint32_t), compare);
	return err;
}

static void report(struct hooks *hooks, uint32_t ifindex, bool egress, uint8_t mode, uint32_t before,
		   uint32_t prog_id, bool ours)
{
	const struct esw_hook_rec rec = {
		.ifindex = ifindex, .prog_id = prog_id, .egress = egress, .mode = mode,
		.foreign_before = before < 255 ? (uint8_t)before : 255, .ours = ours,
	};

	esw_records_add(&hooks->records, &rec);
}

/* Reports ours on a tcx hook; `all` is set to the number of programs on it. */
static int dump_tcx(struct hooks *hooks, uint32_t ifindex, bool egress, uint32_t *all, bool *found)
{
	struct esw_tcx_state state;
	int err = esw_tcx_query(ifindex, egress, &state);

	*found = false;
	*all = 0;
	if (err)
		return err == -ENODEV || err == -EINVAL ? 0 : err;
	*all = state.count;
	/* A link of ours first; one of our programs in somebody else's link only without it. */
	for (uint32_t pass = 0; pass < 2 && !*found; pass++) {
		for (uint32_t i = 0; i < state.count && !*found; i++) {
			*found = pass == 0 ? has(&hooks->links, state.link_ids[i])
					   : has(&hooks->progs, state.prog_ids[i]);
			if (*found)
				report(hooks, ifindex, egress, ESW_HOOK_TCX, i, state.prog_ids[i],
				       pass == 0);
		}
	}
	return 0;
}

static int dump_hook(struct hooks *hooks, uint32_t ifindex, bool egress)
{
	struct esw_tc_state state;
	uint32_t programs = 0;
	bool found = false;
	int err = 0;

	if (hooks->tcx)
		err = dump_tcx(hooks, ifindex, egress, &programs, &found);
	if (err || found || !has(&hooks->clsact, ifindex))
		return err;
	err = esw_tc_look(&hooks->nl, ifindex, egress, hooks->dir, &state);
	if (err == -ENODEV)
		return 0;
	if (!err && state.ours)
		report(hooks, ifindex, egress, ESW_HOOK_CLSACT, programs + state.before,
		       state.prog_id, true);
	return err;
}

static int dump_all(struct hooks *hooks, const uint32_t *ifindexes, uint32_t count)
{
	int err = read_pins(hooks->dir, "links", link_id, &hooks->links);

	if (!err)
		err = read_pins(hooks->dir, "progs", esw_bpf_prog_id, &hooks->progs);
	if (!err)
		err = read_qdiscs(hooks);
	for (uint32_t i = 0; i < count && !err; i++) {
		uint32_t ifindex;

		memcpy(&ifindex, (const uint8_t *)ifindexes + (size_t)i * sizeof(ifindex),
		       sizeof(ifindex));
		err = dump_hook(hooks, ifindex, false);
		if (!err)
			err = dump_hook(hooks, ifindex, true);
	}
	return err;
}

int esw_hook_dump(const char *dir, const uint32_t *ifindexes, uint32_t count, void *out, uint32_t cap)
{
	struct hooks hooks = {
		.dir = dir,
		.records = { .out = out, .cap = cap, .size = sizeof(struct esw_hook_rec) },
	};
	int err;

	if (!dir || strlen(dir) >= ESW_PATH_LEN || (count && !ifindexes) || (cap && !out))
		return -EINVAL;
	err = esw_nl_open(&hooks.nl, "", NETLINK_ROUTE);
	if (err)
		return err;
	hooks.tcx = esw_tcx_known();
	err = dump_all(&hooks, ifindexes, count);
	esw_nl_close(&hooks.nl);
	free(hooks.links.id);
	free(hooks.progs.id);
	free(hooks.clsact.id);
	return err ? err : (int)hooks.records.total;
}
