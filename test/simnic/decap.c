// SPDX-License-Identifier: GPL-2.0
/* Takes the tunnel's headers off a frame. */
#include "flower.h"
#include "simnic.h"

void simnic_decap(struct simnic_packet *packet)
{
	skb_pull(packet->skb, packet->tunnel_len);
	skb_reset_mac_header(packet->skb);
	packet->tunnel_len = 0;
}
