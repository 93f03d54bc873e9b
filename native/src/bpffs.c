/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include "bpf_sys.h"

static int is_bpffs(const char *path)
{
	struct statfs fs;

	if (statfs(path, &fs) < 0)
		return -errno;
	return fs.f_type == (__typeof__(fs.f_type))BPF_FS_MAGIC;
}

int esw_bpffs_mount(const char *path)
{
	int err;

	if (!path || !path[0])
		return -EINVAL;
	err = is_bpffs(path);
	if (err == 1)
		return 0;
	err = esw_mkdir_p(path);
	if (err)
		return err;
	if (mount("bpf", path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		return -errno;
	return 1;
}

int esw_bpffs_unmount(const char *path)
{
	int is;

	if (!path || !path[0])
		return -EINVAL;
	is = is_bpffs(path);
	if (is == -ENOENT || is == 0)
		return 0;
	if (is < 0)
		return is;
	return umount2(path, UMOUNT_NOFOLLOW) < 0 ? -errno : 0;
}
