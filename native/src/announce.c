/* SPDX-License-Identifier: Apache-2.0
 *
 * esw_announce: tells the stations of a link that an address is at a MAC from now on, so that none of
 * them goes on sending to a MAC that had the address before. IPv4: an ARP announcement (RFC 5227
 * section 3). IPv6: an unsolicited neighbour advertisement with the override flag (RFC 4861 section 7.2.6).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api.h"
#include "netns.h"

struct arp_frame {
	struct ethhdr eth;
	uint16_t hardware, protocol;
	uint8_t hardware_len, protocol_len;
	uint16_t operation;
	uint8_t sender_mac[ETH_ALEN], sender[4], target_mac[ETH_ALEN], target[4];
} __attribute__((packed));

struct na_frame {
	struct ethhdr eth;
	struct ip6_hdr ip;
	struct nd_neighbor_advert na;
	uint8_t option_type, option_len, option_mac[ETH_ALEN];
} __attribute__((packed));

static const uint8_t all_nodes_mac[ETH_ALEN] = { 0x33, 0x33, 0, 0, 0, 1 };
static const uint8_t all_nodes[16] = { 0xff, 2, [15] = 1 };

static uint32_t fill_arp(struct arp_frame *frame, const uint8_t *mac, const uint8_t *addr)
{
	memset(frame, 0, sizeof(*frame));
	memset(frame->eth.h_dest, 0xff, ETH_ALEN);
	memcpy(frame->eth.h_source, mac, ETH_ALEN);
	frame->eth.h_proto = htons(ETH_P_ARP);
	frame->hardware = htons(ARPHRD_ETHER);
	frame->protocol = htons(ETH_P_IP);
	frame->hardware_len = ETH_ALEN;
	frame->protocol_len = 4;
	frame->operation = htons(ARPOP_REQUEST);
	memcpy(frame->sender_mac, mac, ETH_ALEN);
	memcpy(frame->sender, addr, 4);
	memcpy(frame->target, addr, 4);
	return sizeof(*frame);
}

/* The Internet checksum (RFC 1071) of pseudo header and message. */
static uint16_t na_checksum(const struct na_frame *frame)
{
	const uint8_t *parts[] = { (const uint8_t *)&frame->ip.ip6_src, (const uint8_t *)&frame->na };
	const uint32_t message = sizeof(frame->na) + 8;
	const uint32_t sizes[] = { 32, message };
	uint32_t sum = message + IPPROTO_ICMPV6;

	for (uint32_t part = 0; part < 2; part++) {
		for (uint32_t i = 0; i < sizes[part]; i += 2)
			sum += (uint32_t)parts[part][i] << 8 | parts[part][i + 1];
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static uint32_t fill_na(struct na_frame *frame, const uint8_t *mac, const uint8_t *addr)
{
	memset(frame, 0, sizeof(*frame));
	memcpy(frame->eth.h_dest, all_nodes_mac, ETH_ALEN);
	memcpy(frame->eth.h_source, mac, ETH_ALEN);
	frame->eth.h_proto = htons(ETH_P_IPV6);
	frame->ip.ip6_flow = htonl(6u << 28);
	frame->ip.ip6_plen = htons(sizeof(frame->na) + 8);
	frame->ip.ip6_nxt = IPPROTO_ICMPV6;
	frame->ip.ip6_hlim = 255;
	memcpy(&frame->ip.ip6_src, addr, 16);
	memcpy(&frame->ip.ip6_dst, all_nodes, 16);
	frame->na.nd_na_type = ND_NEIGHBOR_ADVERT;
	frame->na.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE;
	memcpy(&frame->na.nd_na_target, addr, 16);
	frame->option_type = ND_OPT_TARGET_LINKADDR;
	frame->option_len = 1;
	memcpy(frame->option_mac, mac, ETH_ALEN);
	frame->na.nd_na_cksum = na_checksum(frame);
	return sizeof(*frame);
}

static int send_on(int fd, const char *name, const void *frame, uint32_t len)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	struct ifreq request = { 0 };

	memcpy(request.ifr_name, name, strlen(name));
	if (ioctl(fd, SIOCGIFINDEX, &request) < 0)
		return -errno;
	to.sll_ifindex = request.ifr_ifindex;
	if (sendto(fd, frame, len, 0, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return 0;
}

int esw_announce(const char *netns, const char *name, const void *mac, uint32_t mac_len,
		 const void *addr, uint32_t addr_len)
{
	union {
		struct arp_frame arp;
		struct na_frame na;
	} frame;
	uint32_t len;
	int fd, err;

	if (!netns || !name || !mac || !addr || mac_len != ETH_ALEN || !name[0] ||
	    strlen(name) >= IFNAMSIZ || (addr_len != 4 && addr_len != 16))
		return -EINVAL;
	len = addr_len == 4 ? fill_arp(&frame.arp, mac, addr) : fill_na(&frame.na, mac, addr);
	/* Protocol 0: nothing is to be received. */
	fd = esw_netns_socket(netns, AF_PACKET, SOCK_RAW, 0);
	if (fd < 0)
		return fd;
	err = send_on(fd, name, &frame, len);
	close(fd);
	return err;
}
