// SPDX-License-Identifier: GPL-2.0
/* Bit masks as lists of names: "all", "none", "a b c", or changes such as "-a +b". */
#include <linux/slab.h>
#include <linux/string.h>

#include "simnic.h"

ssize_t simnic_names_show(u64 bits, const char *const *names, int count, char *buf)
{
	ssize_t len = 0;
	int i;

	for (i = 0; i < count; i++) {
		if (bits & BIT_ULL(i))
			len += sysfs_emit_at(buf, len, "%s%s", len ? " " : "", names[i]);
	}
	return len + sysfs_emit_at(buf, len, "\n");
}

static int simnic_name_apply(u64 *bits, const char *const *names, int count, const char *word)
{
	bool remove = *word == '-';
	int i;

	if (!strcmp(word, "all")) {
		*bits = BIT_ULL(count) - 1;
		return 0;
	}
	if (!strcmp(word, "none")) {
		*bits = 0;
		return 0;
	}
	if (*word == '-' || *word == '+')
		word++;
	i = match_string(names, count, word);
	if (i < 0)
		return i;
	if (remove)
		*bits &= ~BIT_ULL(i);
	else
		*bits |= BIT_ULL(i);
	return 0;
}

/* Changes nothing unless every name is known. A list whose first name has no sign replaces the mask. */
int simnic_names_store(u64 *bits, const char *const *names, int count, const char *text)
{
	char *copy = kstrdup(text, GFP_KERNEL), *rest, *word;
	u64 result = *bits;
	bool first = true;
	int err = 0;

	if (!copy)
		return -ENOMEM;
	rest = copy;
	while (!err && (word = strsep(&rest, " \t\n,"))) {
		if (!*word)
			continue;
		if (first && *word != '-' && *word != '+')
			result = 0;
		first = false;
		err = simnic_name_apply(&result, names, count, word);
	}
	if (!err)
		*bits = result;
	kfree(copy);
	return err;
}
