/* SPDX-License-Identifier: GPL-2.0
 *
 * Headers as they are on the wire, and how to reach them.
 */
#ifndef ESW_PARSE_H
#define ESW_PARSE_H

#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_8021Q 0x8100
#define ETHERTYPE_8021AD 0x88a8

#define PROTO_HOPOPTS 0
#define PROTO_TCP 6
#define PROTO_UDP 17
#define PROTO_ROUTING 43
#define PROTO_ICMPV6 58
#define PROTO_DSTOPTS 60

#define PKT_HOST 0
#define PKT_OTHERHOST 3

/* Header fields are read through these, so that the compiler neither splits accesses into bytes
 * nor assumes that differently typed views do not overlap. Network headers are taken as 4-byte
 * aligned: the kernel keeps 2 bytes (NET_IP_ALIGN) in front of the frame, and so does the verifier
 * where it checks alignment. */
typedef __u16 __attribute__((may_alias)) u16_a;
typedef __u32 __attribute__((may_alias)) u32_a;

struct eth_hdr {
	__u8 dst[6];
	__u8 src[6];
	__u16 type;
};

struct ipv4_hdr {
	__u8 version_ihl;
	__u8 tos;
	__u16 total_len;
	__u16 id;
	__u16 frag_off;
	__u8 ttl;
	__u8 protocol;
	__u16 check;
	__u32 src;
	__u32 dst;
};

struct ipv6_hdr {
	__u32 version_flow;
	__u16 payload_len;
	__u8 next;
	__u8 hop_limit;
	__u32 src[4];
	__u32 dst[4];
};

static __always_inline int ipv6_is_version6(const struct ipv6_hdr *ip)
{
	return (ip->version_flow & bpf_htonl(0xf0000000)) == bpf_htonl(0x60000000);
}

#define ETH_LEN 14
#define IPV4_LEN 20
#define IPV6_LEN 40

/* Loaded anew each time: the verifier loses a pointer that the compiler keeps across checks in a
 * 32-bit register. */
#define frame_start(skb) ((void *)(long)*(volatile __u32 *)&(skb)->data)
#define frame_end(skb) ((void *)(long)*(volatile __u32 *)&(skb)->data_end)

/* Makes the first `len` bytes of the frame readable in place; NULL if the frame is shorter.
 * Pointers from earlier calls are invalid afterwards. Frames from packet sockets may keep all but
 * the Ethernet header outside the linear area, hence the pull. */
static __always_inline void *frame_head(struct __sk_buff *skb, __u32 len)
{
	void *data = frame_start(skb);

	if (likely(data + len <= frame_end(skb)))
		return data;
	if (bpf_skb_pull_data(skb, len))
		return NULL;
	data = frame_start(skb);
	return data + len <= frame_end(skb) ? data : NULL;
}

/* Both MACs must be 2-byte aligned, which every header and record here gives. */
static __always_inline int mac_equal(const void *a, const void *b)
{
	const u16_a *x = a, *y = b;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]));
}

static __always_inline void mac_copy(void *to, const void *from)
{
	u16_a *x = to;
	const u16_a *y = from;

	x[0] = y[0];
	x[1] = y[1];
	x[2] = y[2];
}

static __always_inline int addr_equal(const void *a, const void *b)
{
	const u32_a *x = a, *y = b;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[3] == y[3];
}

static __always_inline void addr_copy(void *to, const void *from)
{
	u32_a *x = to;
	const u32_a *y = from;

	x[0] = y[0];
	x[1] = y[1];
	x[2] = y[2];
	x[3] = y[3];
}

static __always_inline int addr_is_zero(const void *a)
{
	const u32_a *x = a;

	return !(x[0] | x[1] | x[2] | x[3]);
}

/* fe80:: with the modified EUI-64 interface identifier of a MAC (RFC 4291 appendix A). */
static __always_inline int addr_is_eui64(const void *addr, const __u8 *mac)
{
	const u32_a *x = addr;
	const __u8 *b = addr;

	return x[0] == bpf_htonl(0xfe800000) && !x[1] && b[8] == (mac[0] ^ 2) && b[9] == mac[1] &&
	       b[10] == mac[2] && b[11] == 0xff && b[12] == 0xfe && b[13] == mac[3] &&
	       b[14] == mac[4] && b[15] == mac[5];
}

#endif
