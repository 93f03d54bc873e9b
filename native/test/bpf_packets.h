/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames for the data path's tests, built field by field and independently of the program's own
 * headers, so that a mistake there is not repeated here.
 */
#ifndef BPF_PACKETS_H
#define BPF_PACKETS_H

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct packet {
	uint32_t len;
	uint8_t bytes[512];
};

/* A mistake in the test itself. */
static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "test packet: %s\n", what);
	abort();
}

static void put(struct packet *p, const void *bytes, uint32_t len)
{
	must(p->len + len <= sizeof(p->bytes), "too long");
	memcpy(p->bytes + p->len, bytes, len);
	p->len += len;
}

static void put8(struct packet *p, unsigned value)
{
	uint8_t byte = value;

	put(p, &byte, 1);
}

static void put16(struct packet *p, unsigned value)
{
	put8(p, value >> 8);
	put8(p, value & 0xff);
}

static void put32(struct packet *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p, value & 0xffff);
}

static void put_zeros(struct packet *p, unsigned count)
{
	while (count--)
		put8(p, 0);
}

/* "02:e5:00:00:00:01" */
static void put_mac(struct packet *p, const char *text)
{
	for (int i = 0; i < 6; i++)
		put8(p, strtoul(text + 3 * i, NULL, 16));
}

static void put_ip(struct packet *p, const char *text)
{
	uint8_t addr[16];
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	must(inet_pton(family, text, addr) == 1, text);
	put(p, addr, family == AF_INET6 ? 16 : 4);
}

static struct packet ethernet(const char *dst, const char *src, unsigned type)
{
	struct packet p = {0};

	put_mac(&p, dst);
	put_mac(&p, src);
	put16(&p, type);
	return p;
}

/* RFC 1071 over `len` bytes, folded, not complemented. */
static uint32_t sum16(const uint8_t *bytes, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i < len; i++)
		sum += (uint32_t)bytes[i] << (i & 1 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* An IPv4 header with `options` bytes of no-operation, then a UDP header and 22 bytes. */
static void put_ipv4(struct packet *p, const char *src, const char *dst, unsigned options)
{
	uint32_t start = p->len, sum;

	put8(p, 0x45 + options / 4);
	put8(p, 0);
	put16(p, 20 + options + 30);
	put32(p, 0x12340000);
	put8(p, 64);
	put8(p, 17);
	put16(p, 0);
	put_ip(p, src);
	put_ip(p, dst);
	for (unsigned i = 0; i < options; i++)
		put8(p, 1);
	sum = ~sum16(p->bytes + start, p->len - start, 0);
	p->bytes[start + 10] = sum >> 8;
	p->bytes[start + 11] = sum;
	put16(p, 1111);
	put16(p, 2222);
	put16(p, 30);
	put16(p, 0);
	put_zeros(p, 22);
}

static void put_ipv6(struct packet *p, const char *src, const char *dst, unsigned next,
		     unsigned hop_limit, unsigned payload)
{
	put32(p, 0x60000000);
	put16(p, payload);
	put8(p, next);
	put8(p, hop_limit);
	put_ip(p, src);
	put_ip(p, dst);
}

static struct packet udp4(const char *eth_dst, const char *eth_src, const char *src, const char *dst)
{
	struct packet p = ethernet(eth_dst, eth_src, 0x0800);

	put_ipv4(&p, src, dst, 0);
	return p;
}

static struct packet udp6(const char *eth_dst, const char *eth_src, const char *src, const char *dst)
{
	struct packet p = ethernet(eth_dst, eth_src, 0x86dd);

	put_ipv6(&p, src, dst, 17, 64, 10);
	put16(&p, 1111);
	put16(&p, 2222);
	put16(&p, 10);
	put16(&p, 0);
	put_zeros(&p, 2);
	return p;
}

static struct packet arp(const char *eth_dst, const char *eth_src, unsigned op, const char *sender_mac,
			 const char *sender, const char *target_mac, const char *target)
{
	struct packet p = ethernet(eth_dst, eth_src, 0x0806);

	put16(&p, 1);
	put16(&p, 0x0800);
	put8(&p, 6);
	put8(&p, 4);
	put16(&p, op);
	put_mac(&p, sender_mac);
	put_ip(&p, sender);
	put_mac(&p, target_mac);
	put_ip(&p, target);
	return p;
}

/* Fills in the ICMPv6 checksum of a frame whose ICMPv6 message is right behind the IPv6 header. */
static void icmp6_checksum(struct packet *p)
{
	uint32_t len = p->len - 54, sum;

	p->bytes[56] = p->bytes[57] = 0;
	sum = sum16(p->bytes + 22, 32, len + 58);
	sum = ~sum16(p->bytes + 54, len, sum);
	p->bytes[56] = sum >> 8;
	p->bytes[57] = sum;
}

/* An ICMPv6 message with 4 bytes of flags, then `body` (its own target and options, may be NULL). */
static struct packet icmp6(const char *eth_dst, const char *eth_src, const char *src, const char *dst,
			   unsigned hop_limit, unsigned type, uint32_t flags, const struct packet *body)
{
	struct packet p = ethernet(eth_dst, eth_src, 0x86dd);

	put_ipv6(&p, src, dst, 58, hop_limit, 8 + (body ? body->len : 0));
	put8(&p, type);
	put8(&p, 0);
	put16(&p, 0);
	put32(&p, flags);
	if (body)
		put(&p, body->bytes, body->len);
	icmp6_checksum(&p);
	return p;
}

/* Target, and a link-layer address option of `type` unless `mac` is NULL. */
static struct packet nd_body(const char *target, unsigned type, const char *mac)
{
	struct packet p = {0};

	put_ip(&p, target);
	if (mac) {
		put8(&p, type);
		put8(&p, 1);
		put_mac(&p, mac);
	}
	return p;
}

#endif
