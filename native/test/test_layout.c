/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *layout(void)
{
	int need = esw_abi_layout(NULL, 0);
	char *text;

	assert_true(need > 0);
	text = malloc((size_t)need + 1);
	assert_non_null(text);
	assert_int_equal(esw_abi_layout(text, (uint32_t)need + 1), need);
	assert_int_equal(strlen(text), need);
	return text;
}

static void test_version(void **state)
{
	(void)state;
	assert_int_equal(esw_abi_version(), ESW_ABI_VERSION);
}

/* Fields follow each other without a hole and fill the struct: no padding that a caller could not
 * know of, no field that the table forgot. */
static void test_no_holes(void **state)
{
	char *text = layout(), *save = NULL, record[64] = "";
	unsigned int size = 0, end = 0, structs = 0;

	(void)state;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char name[64], field[64];
		unsigned int offset, bytes;

		if (sscanf(line, "%63s size %u", name, &bytes) == 2) {
			assert_int_equal(end, size);
			strcpy(record, name);
			size = bytes;
			end = 0;
			structs++;
			continue;
		}
		assert_int_equal(sscanf(line, "%63s %u %u", field, &offset, &bytes), 3);
		assert_memory_equal(field, record, strlen(record));
		if (offset != end)
			fail_msg("hole before %s: %u, expected %u", field, offset, end);
		end = offset + bytes;
	}
	assert_int_equal(end, size);
	assert_true(structs >= 20);
	free(text);
}

static void test_cut(void **state)
{
	char small[10];

	(void)state;
	memset(small, 'x', sizeof(small));
	assert_true(esw_abi_layout(small, sizeof(small)) > 10);
	assert_string_equal(small, "esw_batch");
}

static void test_known_lines(void **state)
{
	char *text = layout();

	(void)state;
	assert_non_null(strstr(text, "esw_result size 128\nesw_result.error 0 4\n"));
	assert_non_null(strstr(text, "esw_fib_key.addr 4 16\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version), cmocka_unit_test(test_no_holes),
		cmocka_unit_test(test_cut), cmocka_unit_test(test_known_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
