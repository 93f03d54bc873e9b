/* SPDX-License-Identifier: Apache-2.0 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "api.h"
#include "bpf_sys.h"
#include "probe.h"
#include "tc.h"

#define MOV_IMM(reg, value) \
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (reg), .imm = (value) }
#define CALL(func) { .code = BPF_JMP | BPF_CALL, .imm = (func) }
#define EXIT() { .code = BPF_JMP | BPF_EXIT }

int esw_probe_program(int func, char *log, unsigned int cap)
{
	const struct bpf_insn plain[] = { MOV_IMM(BPF_REG_0, 0), EXIT() };
	/* Helpers with no arguments beyond the context take that from r1 and ignore r2. */
	const struct bpf_insn redirect[] = {
		MOV_IMM(BPF_REG_1, 1), MOV_IMM(BPF_REG_2, 0), CALL(BPF_FUNC_redirect_peer), EXIT(),
	};
	const struct bpf_insn calling[] = { CALL(func), EXIT() };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_buf = log, .log_size = cap, .log_level = 1);
	const struct bpf_insn *insns = plain;
	size_t count = ESW_ARRAY_SIZE(plain);
	int fd;

	if (func == BPF_FUNC_redirect_peer) {
		insns = redirect;
		count = ESW_ARRAY_SIZE(redirect);
	} else if (func) {
		insns = calling;
		count = ESW_ARRAY_SIZE(calling);
	}
	log[0] = '\0';
	fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "esw_probe", "GPL", insns, count, &opts);
	return fd < 0 ? -errno : fd;
}

/* The line of the verifier that says what is wrong: neither its echo of the program ("0: ...")
 * nor its statistics. */
static const char *verdict(const char *log)
{
	while (*log) {
		size_t len = strcspn(log, "\n");

		if (len && !strchr("0123456789;", log[0]) && strncmp(log, "processed", 9) != 0 &&
		    strncmp(log, "func#", 5) != 0)
			return log;
		log += len + (log[len] == '\n');
	}
	return "";
}

static enum esw_answer program(struct esw_probe_env *env, int func)
{
	char log[4096];
	int fd = esw_probe_program(func, log, sizeof(log));

	if (fd < 0)
		return esw_probe_answer(env, fd, verdict(log));
	close(fd);
	return ESW_YES;
}

static enum esw_answer map(struct esw_probe_env *env, enum bpf_map_type type, uint32_t flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
	int fd = bpf_map_create(type, "esw_probe", 4, 8, 1, &opts);

	if (fd < 0)
		return esw_probe_answer(env, -errno, NULL);
	close(fd);
	return ESW_YES;
}

static enum esw_answer probe_bpf_syscall(struct esw_probe_env *env)
{
	return map(env, BPF_MAP_TYPE_ARRAY, 0);
}

/* A mount that is never attached to a path: it ends with its fd. */
static enum esw_answer probe_bpffs(struct esw_probe_env *env)
{
	int mount_fd, err = 0, fs = fsopen("bpf", FSOPEN_CLOEXEC);

	if (fs < 0)
		return esw_probe_answer(env, -errno, NULL);
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
		err = -errno;
	} else {
		mount_fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
		if (mount_fd < 0)
			err = -errno;
		else
			close(mount_fd);
	}
	close(fs);
	return esw_probe_answer(env, err, NULL);
}

static enum esw_answer probe_sched_cls(struct esw_probe_env *env)
{
	return program(env, 0);
}

static enum esw_answer probe_tcx(struct esw_probe_env *env)
{
	char log[4096];
	int link, prog = esw_probe_program(0, log, sizeof(log));

	if (prog < 0) {
		esw_probe_answer(env, prog, verdict(log));
		return ESW_UNKNOWN;
	}
	link = esw_tcx_attach(prog, ESW_PROBE_LO, false);
	close(prog);
	if (link < 0)
		return esw_probe_answer(env, link, NULL);
	close(link);
	return ESW_YES;
}

static enum esw_answer probe_clsact(struct esw_probe_env *env)
{
	char log[4096], extack[ESW_EXTACK_LEN] = "";
	int err, prog = esw_probe_program(0, log, sizeof(log));

	if (prog < 0) {
		esw_probe_answer(env, prog, verdict(log));
		return ESW_UNKNOWN;
	}
	err = esw_tc_make_qdisc(&env->txn, ESW_PROBE_LO, extack);
	if (err >= 0)
		err = esw_tc_put_filter(&env->txn, ESW_PROBE_LO, false, prog, "esw_probe", extack);
	close(prog);
	return esw_probe_answer(env, err, extack);
}

static enum esw_answer probe_redirect_peer(struct esw_probe_env *env)
{
	return program(env, BPF_FUNC_redirect_peer);
}

static enum esw_answer probe_attach_cookie(struct esw_probe_env *env)
{
	return program(env, BPF_FUNC_get_attach_cookie);
}

static enum esw_answer probe_map_batch(struct esw_probe_env *env)
{
	LIBBPF_OPTS(bpf_map_batch_opts, batch);
	const uint32_t keys[2] = { 1, 2 };
	const uint64_t values[2] = { 1, 2 };
	uint32_t count = 2;
	int err, fd = bpf_map_create(BPF_MAP_TYPE_HASH, "esw_probe", 4, 8, 2, NULL);

	if (fd < 0) {
		esw_probe_answer(env, -errno, NULL);
		return ESW_UNKNOWN;
	}
	err = bpf_map_update_batch(fd, keys, values, &count, &batch) < 0 ? -errno : 0;
	close(fd);
	return esw_probe_answer(env, err, NULL);
}

static enum esw_answer probe_map_in_map(struct esw_probe_env *env)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	int outer, err = 0, inner = bpf_map_create(BPF_MAP_TYPE_HASH, "esw_probe", 4, 8, 1, NULL);

	if (inner < 0) {
		esw_probe_answer(env, -errno, NULL);
		return ESW_UNKNOWN;
	}
	opts.inner_map_fd = (uint32_t)inner;
	outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "esw_probe", 4, 4, 1, &opts);
	if (outer < 0)
		err = -errno;
	else
		close(outer);
	close(inner);
	return esw_probe_answer(env, err, NULL);
}

static enum esw_answer probe_percpu_hash(struct esw_probe_env *env)
{
	return map(env, BPF_MAP_TYPE_PERCPU_HASH, BPF_F_NO_PREALLOC);
}

const struct esw_probe_entry esw_probes_bpf[] = {
	{ "bpf_syscall", probe_bpf_syscall, false },
	{ "bpffs", probe_bpffs, false },
	{ "sched_cls", probe_sched_cls, false },
	{ "tcx", probe_tcx, true },
	{ "clsact", probe_clsact, true },
	{ "redirect_peer", probe_redirect_peer, false },
	{ "map_batch", probe_map_batch, false },
	{ "map_in_map", probe_map_in_map, false },
	{ "percpu_hash", probe_percpu_hash, false },
	{ "attach_cookie", probe_attach_cookie, false },
};
const unsigned int esw_probes_bpf_count = ESW_ARRAY_SIZE(esw_probes_bpf);
