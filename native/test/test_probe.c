/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {
	"bpf_syscall", "bpffs", "sched_cls", "tcx", "clsact", "redirect_peer", "map_batch",
	"map_in_map", "percpu_hash", "attach_cookie", "veth", "altname", "ifa_proto", "nf_tables",
	"nft_nat_inet", "flower", "vxlan", "netkit", "sriov", "devlink",
};

static void test_every_line(void **state)
{
	char text[4096], *save = NULL;
	size_t seen = 0;
	int need = esw_probe(text, sizeof(text));

	(void)state;
	assert_int_equal(need, strlen(text));
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char name[32], answer[16], reason[256] = "";
		int fields = sscanf(line, "%31s %15s %255[^\n]", name, answer, reason);

		assert_true(seen < sizeof(names) / sizeof(names[0]));
		assert_string_equal(name, names[seen++]);
		if (strcmp(answer, "yes") == 0) {
			assert_int_equal(fields, 2);
		} else {
			assert_true(strcmp(answer, "no") == 0 || strcmp(answer, "unknown") == 0);
			assert_int_equal(fields, 3);
		}
	}
	assert_int_equal(seen, sizeof(names) / sizeof(names[0]));
}

/* What the datapath cannot do without is there on every kernel that we support. */
static void test_basics(void **state)
{
	static const char *const basics[] = { "bpf_syscall", "sched_cls", "redirect_peer", "map_in_map",
					      "percpu_hash", "veth", "altname" };
	char text[4096], line[64];

	(void)state;
	assert_true(esw_probe(text, sizeof(text)) > 0);
	for (size_t i = 0; i < sizeof(basics) / sizeof(basics[0]); i++) {
		snprintf(line, sizeof(line), "%s yes\n", basics[i]);
		if (!strstr(text, line))
			fail_msg("no '%s' in:\n%s", line, text);
	}
}

static void test_leaves_nothing(void **state)
{
	struct esw_link_rec links[8], after[8];
	struct esw_addr_rec addrs[8];
	char text[256];
	int count = esw_link_dump("", "", 0, links, sizeof(links));
	int addresses = esw_addr_dump("", addrs, sizeof(addrs));

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_true(esw_probe(text, 5) > 100);
	assert_int_equal(strlen(text), 4);
	assert_true(esw_probe(NULL, 0) > 100);
	assert_int_equal(esw_link_dump("", "", 0, after, sizeof(after)), count);
	assert_memory_equal(links, after, (size_t)count * sizeof(links[0]));
	assert_int_equal(esw_addr_dump("", addrs, sizeof(addrs)), addresses);
	assert_int_equal(esw_nft_run("list tables", 0, text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_line), cmocka_unit_test(test_basics),
		cmocka_unit_test(test_leaves_nothing),
	};

	need_root();
	return cmocka_run_group_tests(tests, netns_setup, NULL);
}
