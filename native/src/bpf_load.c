/* SPDX-License-Identifier: Apache-2.0
 *
 * esw_bpf_load: object file to pins. Maps are kept when they fit, programs are always fresh.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch.h"
#include "bpf_log.h"
#include "bpf_sys.h"
#include "fib.h"
#include "sizes.h"
#include "textbuf.h"

#define LOG_BYTES (256u << 10) /* verifier logs of a whole program */

struct load {
	struct bpf_object *object;
	const char *dir;
	struct esw_sizes sizes;
	struct esw_textbuf *log;
	struct esw_fib_shape fib; /* of the object's inner map; key_size 0: it has none */
};

static int map_info(int fd, struct bpf_map_info *info)
{
	uint32_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &len) < 0 ? -errno : 0;
}

static int refuse_shape(const struct load *load, const struct bpf_map *map, const char *what)
{
	esw_textbuf_add(load->log, "map %s pinned in %s has another %s than the object's: load into "
			"another version directory\n", bpf_map__name(map), load->dir, what);
	return -EEXIST;
}

static int check_shape(const struct load *load, const struct bpf_map *map,
		       const struct bpf_map_info *info)
{
	if (info->type != (uint32_t)bpf_map__type(map))
		return refuse_shape(load, map, "type");
	if (info->key_size != bpf_map__key_size(map))
		return refuse_shape(load, map, "key size");
	if (info->value_size != bpf_map__value_size(map))
		return refuse_shape(load, map, "value size");
	return 0;
}

/* The generation in a pinned fib must have the records that the new programs expect. */
static int check_fib(const struct load *load, const struct bpf_map *map, int outer_fd)
{
	struct bpf_map_info info;
	int fd = esw_fib_live(outer_fd);
	int err;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	err = map_info(fd, &info);
	close(fd);
	if (err)
		return err;
	if (info.key_size != load->fib.key_size || info.value_size != load->fib.value_size)
		return refuse_shape(load, map, "inner record");
	return 0;
}

/* 1 if a pinned map was taken over, 0 if there is none, or -errno. */
static int reuse_pinned(const struct load *load, struct bpf_map *map)
{
	struct bpf_map_info info;
	char path[ESW_PIN_LEN];
	int fd, err = esw_pin_path(path, load->dir, "maps", bpf_map__name(map), "");

	if (err)
		return err;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	err = map_info(fd, &info);
	if (!err)
		err = check_shape(load, map, &info);
	if (!err && bpf_map__type(map) == BPF_MAP_TYPE_ARRAY_OF_MAPS)
		err = check_fib(load, map, fd);
	if (!err && bpf_map__reuse_fd(map, fd) < 0)
		err = -errno;
	close(fd);
	return err ? err : 1;
}

static void note_fib(struct load *load)
{
	struct bpf_map *map = bpf_object__find_map_by_name(load->object, ESW_FIB_MAP);
	struct bpf_map *inner = map ? bpf_map__inner_map(map) : NULL;

	if (!inner)
		return;
	load->fib = (struct esw_fib_shape){
		.key_size = bpf_map__key_size(inner),
		.value_size = bpf_map__value_size(inner),
		.max_entries = bpf_map__max_entries(inner),
		.flags = bpf_map__map_flags(inner),
	};
}

static int apply_sizes(struct load *load)
{
	for (uint32_t i = 0; i < load->sizes.count; i++) {
		const char *name = load->sizes.item[i].map;
		uint32_t entries = load->sizes.item[i].entries;
		struct bpf_map *map = bpf_object__find_map_by_name(load->object, name);

		if (!map) {
			esw_textbuf_add(load->log, "sizes: the object has no map %s\n", name);
			return -EINVAL;
		}
		/* Of the forwarding table the generation grows, not the one slot that holds it. */
		if (load->fib.key_size && strcmp(name, ESW_FIB_MAP) == 0)
			load->fib.max_entries = entries;
		else if (bpf_map__set_max_entries(map, entries) < 0)
			return -errno;
	}
	return 0;
}

static int prepare_maps(struct load *load)
{
	struct bpf_map *map;
	int err;

	note_fib(load);
	err = apply_sizes(load);
	if (err)
		return err;
	bpf_object__for_each_map(map, load->object) {
		/* Internal maps hold this object's own constants: never another's. */
		if (bpf_map__is_internal(map))
			continue;
		err = reuse_pinned(load, map);
		if (err < 0)
			return err;
	}
	return 0;
}

static int pin_map(const struct load *load, struct bpf_map *map)
{
	char path[ESW_PIN_LEN];
	int err = esw_pin_path(path, load->dir, "maps", bpf_map__name(map), "");

	if (err)
		return err;
	/* There already: taken over above. */
	if (access(path, F_OK) == 0)
		return 0;
	return bpf_obj_pin(bpf_map__fd(map), path) < 0 ? -errno : 0;
}

/* A fresh table gets an empty generation, so that programs and updates always find one. */
static int fill_fib(const struct load *load)
{
	int outer = bpf_object__find_map_fd_by_name(load->object, ESW_FIB_MAP);
	bool empty;
	int fd, err = 0;

	if (!load->fib.key_size || outer < 0)
		return 0;
	fd = esw_fib_live(outer);
	empty = fd == -ENOENT;
	if (empty)
		fd = esw_fib_create(&load->fib);
	if (fd < 0)
		return fd;
	if (empty)
		err = esw_fib_install(outer, fd);
	close(fd);
	return err;
}

static int pin_all(const struct load *load)
{
	struct bpf_program *prog;
	struct bpf_map *map;
	char path[ESW_PIN_LEN];
	int err;

	bpf_object__for_each_map(map, load->object) {
		err = bpf_map__is_internal(map) ? 0 : pin_map(load, map);
		if (err)
			return err;
	}
	err = fill_fib(load);
	if (err)
		return err;
	/* Programs come last: where one is found, its maps are there. */
	bpf_object__for_each_program(prog, load->object) {
		err = esw_pin_path(path, load->dir, "progs", bpf_program__name(prog), "");
		if (!err)
			err = esw_pin_replace(bpf_program__fd(prog), path);
		if (err)
			return err;
	}
	return 0;
}

static int make_dirs(const char *dir)
{
	static const char *const subs[] = { "maps", "progs", "links" };
	char path[ESW_PIN_LEN];
	int err = 0;

	for (size_t i = 0; i < ESW_ARRAY_SIZE(subs) && !err; i++) {
		err = esw_pin_path(path, dir, subs[i], "", "");
		if (!err)
			err = esw_mkdir_p(path);
	}
	return err;
}

static int run(struct load *load, const char *object)
{
	int err = make_dirs(load->dir);

	if (err) {
		esw_textbuf_add(load->log, "cannot make pin directories in %s: %s\n", load->dir,
				strerror(-err));
		return err;
	}
	load->object = bpf_object__open_file(object, NULL);
	if (!load->object)
		return -errno;
	err = prepare_maps(load);
	if (!err && bpf_object__load(load->object) < 0)
		err = -errno;
	if (!err) {
		err = pin_all(load);
		if (err)
			esw_textbuf_add(load->log, "cannot pin in %s: %s\n", load->dir, strerror(-err));
	}
	bpf_object__close(load->object);
	return err;
}

/* A text that is too long keeps its head and its tail: the verifier gives the reason last. */
static void copy_log(const struct esw_textbuf *text, char *log, uint32_t cap)
{
	static const char gap[] = "\n[...]\n";
	size_t len = text->len < text->cap ? text->len : text->cap - 1;
	size_t head, tail;

	if (!cap)
		return;
	if (len < cap || cap < 8 * sizeof(gap)) {
		esw_text_copy(log, cap, text->out);
		return;
	}
	head = cap / 2;
	tail = cap - head - sizeof(gap);
	memcpy(log, text->out, head);
	memcpy(log + head, gap, sizeof(gap) - 1);
	memcpy(log + head + sizeof(gap) - 1, text->out + len - tail, tail);
	log[cap - 1] = '\0';
}

int esw_bpf_load(const char *object, const char *dir, const char *sizes, char *log, uint32_t cap)
{
	struct esw_textbuf text = { .cap = LOG_BYTES };
	struct load load = { .dir = dir, .log = &text };
	int err;

	if (!object || !dir || !sizes || (cap && !log) || !dir[0] || strlen(dir) >= ESW_PATH_LEN ||
	    esw_sizes_parse(sizes, &load.sizes) < 0)
		return -EINVAL;
	text.out = calloc(1, LOG_BYTES);
	if (!text.out)
		return -ENOMEM;
	esw_bpf_log_to(&text);
	err = run(&load, object);
	esw_bpf_log_to(NULL);
	copy_log(&text, log, cap);
	free(text.out);
	return err;
}
