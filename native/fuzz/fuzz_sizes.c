/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"
#include "sizes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct esw_sizes sizes;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (esw_sizes_parse(text, &sizes) == 0) {
		for (uint32_t i = 0; i < sizes.count; i++) {
			if (!sizes.item[i].map[0] || !sizes.item[i].entries)
				abort();
		}
	}
	free(text);
	return 0;
}
