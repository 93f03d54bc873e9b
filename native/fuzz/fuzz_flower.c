/* SPDX-License-Identifier: Apache-2.0 */
#include "flower.h"
#include "input.h"

/* What a parsed rule says can be asked for, unless it has parts that records cannot say; asked for, it
 * is the same rule. */
static void again(const struct esw_flower_full *rule)
{
	struct esw_flower_op op = {
		.verb = ESW_FLOWER_PUT, .name = "a", .chain = rule->rec.chain,
		.handle = rule->rec.handle, .prio = rule->rec.prio, .protocol = rule->rec.protocol,
		.fields = rule->fields, .key = rule->key, .mask = rule->mask,
		.action_count = rule->action_count,
	};

	memcpy(op.cookie, rule->cookie, sizeof(op.cookie));
	memcpy(op.actions, rule->actions, sizeof(op.actions));
	for (uint32_t i = 0; i < ESW_FLOWER_ACTIONS_MAX; i++)
		op.actions[i].link[0] = 'b';
	/* Of another's rule the records may say what we would not ask for; that is refused, no more. */
	(void)esw_flower_check(&op);
}

static void parse(const struct nlmsghdr *nlh)
{
	static const uint8_t owner[ESW_COOKIE_OWNER_LEN] = { 0xe5, 0x57, 1, 1, 't', 'e', 's', 't' };
	struct esw_flower_full rule;

	if (esw_flower_parse(nlh, owner, ESW_FLOWER_TERSE, &rule) == 0 && rule.rec.handle == 0)
		abort();
	if (esw_flower_parse(nlh, owner, ESW_FLOWER_COUNTERS, &rule) == 0 && rule.rec.handle == 0)
		abort();
	if (esw_flower_parse(nlh, owner, ESW_FLOWER_ALL, &rule) < 0)
		return;
	if (rule.action_count > ESW_FLOWER_ACTIONS_MAX || rule.fields >> ESW_FIELD_COUNT)
		abort();
	for (uint32_t i = 0; i < rule.action_count; i++) {
		if (rule.actions[i].kind < ESW_ACT_REDIRECT || rule.actions[i].kind > ESW_ACT_GOTO)
			abort();
	}
	again(&rule);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	each_message(data, size, parse);
	return 0;
}
