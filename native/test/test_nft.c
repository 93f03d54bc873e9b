/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <errno.h>
#include <string.h>

static char out[4096];

static int nft(const char *commands)
{
	return esw_nft_run(commands, 0, out, sizeof(out));
}

static void test_run(void **state)
{
	(void)state;
	assert_int_equal(nft("table inet t_esw { set names { type ifname; }; }"), 0);
	assert_int_equal(nft("add element inet t_esw names { \"lo\" }"), 0);
	assert_int_equal(nft("list table inet t_esw"), 0);
	assert_non_null(strstr(out, "\"lo\""));
	assert_int_equal(esw_nft_run("list table inet t_esw", 1, out, sizeof(out)), 0);
	assert_non_null(strstr(out, "\"nftables\""));
	assert_int_equal(esw_nft_run("{\"nftables\":[{\"delete\":{\"table\":{\"family\":\"inet\","
				     "\"name\":\"t_esw\"}}}]}", 1, out, sizeof(out)), 0);
	assert_int_equal(nft("list tables"), 0);
	assert_string_equal(out, "");
}

/* One transaction: the good half of a bad command is not done. */
static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(nft("nonsense"), -EIO);
	assert_non_null(strstr(out, "syntax error"));
	assert_int_equal(nft("add table inet t_half; add rule inet t_absent c accept"), -EIO);
	assert_non_null(strstr(out, "No such file or directory"));
	assert_int_equal(nft("list tables"), 0);
	assert_string_equal(out, "");
}

static void test_buffers(void **state)
{
	char small[8];

	(void)state;
	memset(small, 'x', sizeof(small));
	assert_int_equal(esw_nft_run("nonsense", 0, small, sizeof(small)), -EIO);
	assert_int_equal(strlen(small), 7);
	assert_int_equal(esw_nft_run("nonsense", 0, NULL, 0), -EIO);
	assert_int_equal(esw_nft_run(NULL, 0, small, sizeof(small)), -EINVAL);
	assert_int_equal(esw_nft_run("", 0, small, sizeof(small)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_buffers),
	};

	need_root();
	return cmocka_run_group_tests(tests, netns_setup, NULL);
}
