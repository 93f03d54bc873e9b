/* SPDX-License-Identifier: Apache-2.0
 *
 * Header fields to be rewritten, as the 32-bit words that act_pedit works on. Every word that a field
 * touches is written, in order, even where its mask changes nothing: so the words say which field
 * they are of.
 */
#include <libmnl/libmnl.h>
#include <linux/pkt_cls.h>
#include <linux/tc_act/tc_pedit.h>
#include <string.h>

#include "flower.h"
#include "netlink.h"

#define WORD 4u
#define WORDS_MAX 5u /* of one field: 16 bytes touch four words, or five when they start inside one */

struct place {
	uint8_t header;
	uint8_t offset;
	uint8_t len;
};

static const struct place places[ESW_PEDIT_FIELDS] = {
	[ESW_PEDIT_ETH_DST] = { TCA_PEDIT_KEY_EX_HDR_TYPE_ETH, 0, 6 },
	[ESW_PEDIT_ETH_SRC] = { TCA_PEDIT_KEY_EX_HDR_TYPE_ETH, 6, 6 },
	[ESW_PEDIT_IPV4_SRC] = { TCA_PEDIT_KEY_EX_HDR_TYPE_IP4, 12, 4 },
	[ESW_PEDIT_IPV4_DST] = { TCA_PEDIT_KEY_EX_HDR_TYPE_IP4, 16, 4 },
	[ESW_PEDIT_IP_TTL] = { TCA_PEDIT_KEY_EX_HDR_TYPE_IP4, 8, 1 },
	[ESW_PEDIT_IP_TOS] = { TCA_PEDIT_KEY_EX_HDR_TYPE_IP4, 1, 1 },
	[ESW_PEDIT_IPV6_SRC] = { TCA_PEDIT_KEY_EX_HDR_TYPE_IP6, 8, 16 },
	[ESW_PEDIT_IPV6_DST] = { TCA_PEDIT_KEY_EX_HDR_TYPE_IP6, 24, 16 },
	[ESW_PEDIT_IPV6_HOPLIMIT] = { TCA_PEDIT_KEY_EX_HDR_TYPE_IP6, 7, 1 },
	[ESW_PEDIT_TCP_SPORT] = { TCA_PEDIT_KEY_EX_HDR_TYPE_TCP, 0, 2 },
	[ESW_PEDIT_TCP_DPORT] = { TCA_PEDIT_KEY_EX_HDR_TYPE_TCP, 2, 2 },
	[ESW_PEDIT_UDP_SPORT] = { TCA_PEDIT_KEY_EX_HDR_TYPE_UDP, 0, 2 },
	[ESW_PEDIT_UDP_DPORT] = { TCA_PEDIT_KEY_EX_HDR_TYPE_UDP, 2, 2 },
};

uint32_t esw_flower_pedit_len(uint32_t field)
{
	return field < ESW_PEDIT_FIELDS ? places[field].len : 0;
}

static uint32_t first_word(const struct place *place)
{
	return place->offset / WORD * WORD;
}

static uint32_t word_count(const struct place *place)
{
	return (place->offset + place->len - first_word(place) + WORD - 1) / WORD;
}

static void put_words(struct nlmsghdr *nlh, const struct esw_flower_act *act)
{
	const struct place *place = &places[act->number];
	uint32_t first = first_word(place), count = word_count(place);
	uint8_t keep[WORDS_MAX * WORD], set[WORDS_MAX * WORD];

	memset(keep, 0xff, sizeof(keep));
	memset(set, 0, sizeof(set));
	for (uint32_t i = 0; i < place->len; i++) {
		keep[place->offset - first + i] = (uint8_t)~act->mask[i];
		set[place->offset - first + i] = act->value[i] & act->mask[i];
	}
	for (uint32_t i = 0; i < count; i++) {
		struct tc_pedit_key key = { .off = first + i * WORD };
		uint8_t *tail = mnl_nlmsg_get_payload_tail(nlh);

		memcpy(&key.mask, keep + i * WORD, WORD);
		memcpy(&key.val, set + i * WORD, WORD);
		memcpy(tail, &key, sizeof(key));
		nlh->nlmsg_len += sizeof(key);
	}
}

static void put_header_types(struct nlmsghdr *nlh, const struct esw_flower_act *act)
{
	const struct place *place = &places[act->number];

	for (uint32_t i = 0; i < word_count(place); i++) {
		struct nlattr *key = mnl_attr_nest_start(nlh, TCA_PEDIT_KEY_EX);

		mnl_attr_put_u16(nlh, TCA_PEDIT_KEY_EX_HTYPE, place->header);
		mnl_attr_put_u16(nlh, TCA_PEDIT_KEY_EX_CMD, TCA_PEDIT_KEY_EX_CMD_SET);
		mnl_attr_nest_end(nlh, key);
	}
}

void esw_flower_put_pedit(struct nlmsghdr *nlh, const struct esw_flower_act *acts, uint32_t count)
{
	struct tc_pedit_sel sel = { .action = TC_ACT_PIPE };
	struct nlattr *attr;
	uint8_t *tail;

	for (uint32_t i = 0; i < count; i++)
		sel.nkeys += (uint8_t)word_count(&places[acts[i].number]);
	/* A nest by hand: its payload is a struct with a tail. */
	attr = mnl_nlmsg_get_payload_tail(nlh);
	attr->nla_type = TCA_PEDIT_PARMS_EX;
	nlh->nlmsg_len += NLA_HDRLEN;
	tail = mnl_nlmsg_get_payload_tail(nlh);
	memcpy(tail, &sel, sizeof(sel));
	nlh->nlmsg_len += sizeof(sel);
	for (uint32_t i = 0; i < count; i++)
		put_words(nlh, &acts[i]);
	attr->nla_len = (uint16_t)((uint8_t *)mnl_nlmsg_get_payload_tail(nlh) - (uint8_t *)attr);

	attr = mnl_attr_nest_start(nlh, TCA_PEDIT_KEYS_EX | NLA_F_NESTED);
	for (uint32_t i = 0; i < count; i++)
		put_header_types(nlh, &acts[i]);
	mnl_attr_nest_end(nlh, attr);
}

/* ---- parsing --------------------------------------------------------------------------------- */

struct word {
	uint16_t header;
	uint32_t off;
	uint8_t change[WORD]; /* ones: bits that are set to `set` */
	uint8_t set[WORD];
};

#define KEYS_MAX (ESW_FLOWER_ACTIONS_MAX * WORDS_MAX)

static bool parse_header_type(const struct nlattr *nest, struct word *word)
{
	uint16_t header = 0, cmd = 0xffff;
	const struct nlattr *attr;

	esw_nl_for_each_nested(attr, nest) {
		if (esw_nl_type(attr) == TCA_PEDIT_KEY_EX_HTYPE)
			esw_nl_bytes(attr, &header, sizeof(header));
		else if (esw_nl_type(attr) == TCA_PEDIT_KEY_EX_CMD)
			esw_nl_bytes(attr, &cmd, sizeof(cmd));
	}
	word->header = header;
	return cmd == TCA_PEDIT_KEY_EX_CMD_SET;
}

static int parse_words(const struct nlattr *parms, struct word *words)
{
	const uint8_t *bytes = mnl_attr_get_payload(parms);
	struct tc_pedit_sel sel;

	if (!esw_nl_bytes(parms, &sel, sizeof(sel)) || sel.action != TC_ACT_PIPE ||
	    sel.nkeys > KEYS_MAX ||
	    mnl_attr_get_payload_len(parms) < sizeof(sel) + sel.nkeys * sizeof(struct tc_pedit_key))
		return -1;
	for (uint32_t i = 0; i < sel.nkeys; i++) {
		struct tc_pedit_key key;

		memcpy(&key, bytes + sizeof(sel) + i * sizeof(key), sizeof(key));
		if (key.at || key.offmask || key.shift || key.val & key.mask)
			return -1;
		key.mask = ~key.mask;
		words[i].off = key.off;
		memcpy(words[i].change, &key.mask, WORD);
		memcpy(words[i].set, &key.val, WORD);
	}
	return sel.nkeys;
}

/* Whether words[0..] are those of `field`; if so, what it is set to. */
static bool is_field(const struct word *words, uint32_t left, uint32_t field,
		     struct esw_flower_act *act)
{
	const struct place *place = &places[field];
	uint32_t first = first_word(place), count = word_count(place);
	bool any = false;

	if (left < count)
		return false;
	memset(act, 0, sizeof(*act));
	act->kind = ESW_ACT_PEDIT;
	act->number = field;
	for (uint32_t i = 0; i < count * WORD; i++) {
		const struct word *word = &words[i / WORD];
		uint32_t at = first + i;

		if (word->header != place->header || word->off != first + i / WORD * WORD)
			return false;
		if (!word->change[i % WORD])
			continue;
		if (at < place->offset || at >= (uint32_t)place->offset + place->len)
			return false;
		act->mask[at - place->offset] = word->change[i % WORD];
		act->value[at - place->offset] = word->set[i % WORD];
		any = true;
	}
	return any;
}

static int read_fields(const struct word *words, uint32_t count, struct esw_flower_act *acts,
		       uint32_t room)
{
	uint32_t at = 0, found = 0;

	while (at < count) {
		uint32_t field = 0;

		if (found == room)
			return -1;
		while (field < ESW_PEDIT_FIELDS &&
		       !is_field(words + at, count - at, field, &acts[found]))
			field++;
		if (field == ESW_PEDIT_FIELDS)
			return -1;
		at += word_count(&places[field]);
		found++;
	}
	return (int)found;
}

int esw_flower_parse_pedit(const struct nlattr *options, struct esw_flower_act *acts, uint32_t room)
{
	const struct nlattr *attr, *key, *keys_ex = NULL;
	struct word words[KEYS_MAX];
	int count = -1, headers = 0;

	memset(words, 0, sizeof(words));
	esw_nl_for_each_nested(attr, options) {
		if (esw_nl_type(attr) == TCA_PEDIT_PARMS_EX)
			count = parse_words(attr, words);
		else if (esw_nl_type(attr) == TCA_PEDIT_KEYS_EX)
			keys_ex = attr;
	}
	if (count <= 0 || !keys_ex)
		return -1;
	esw_nl_for_each_nested(key, keys_ex) {
		if (headers == count || !parse_header_type(key, &words[headers++]))
			return -1;
	}
	return headers == count ? read_fields(words, (uint32_t)count, acts, room) : -1;
}
