/* SPDX-License-Identifier: Apache-2.0
 *
 * Real packets between namespaces through the real hook: what the container's own stack sends
 * (TCP with segmentation offload, fragments, jumbo frames) arrives intact, and nothing that a packet
 * socket can make up reaches a neighbour that it must not reach.
 */
#include <fcntl.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "bpf_fixture.h"

#define A4 "10.1.0.10"
#define B4 "10.1.0.11"
#define A6 "fd01::a"
#define B6 "fd01::b"
#define STREAM_BYTES (48u << 20)
#define EVERY_PROTOCOL 3 /* ETH_P_ALL */

static struct {
	int host, a, b; /* namespaces */
} boxes;

static void shell(const char *command)
{
	if (system(command))
		fail_msg("%s", command);
}

static void enter(int ns)
{
	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
}

/* A namespace with the other end of representor `rep` as eth0. */
static int make_box(const char *rep, const char *mac, const char *ip4, const char *ip6)
{
	char command[512];
	int ns;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_true(ns >= 0);
	enter(boxes.host);
	/* The fixture's pairs have both ends here; this one's peer lives elsewhere. */
	snprintf(command, sizeof(command),
		 "ip link del %s; ip link add %s mtu 9000 address " SWITCH
		 " type veth peer name eth0 mtu 9000 address %s netns /proc/%d/fd/%d && "
		 "ip link set %s addrgenmode none up",
		 rep, rep, mac, getpid(), ns, rep);
	shell(command);
	enter(ns);
	snprintf(command, sizeof(command),
		 "ip link set lo up; ip link set eth0 up; ip addr add %s/16 dev eth0; "
		 "ip addr add %s/64 dev eth0 nodad",
		 ip4, ip6);
	shell(command);
	enter(boxes.host);
	return ns;
}

static void attach(enum port_slot slot, const char *rep)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = if_nametoindex(rep), .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = lab.program, .handle = 1, .priority = 1);

	lab.ifindex[slot] = hook.ifindex;
	assert_int_equal(bpf_tc_hook_create(&hook), 0);
	assert_int_equal(bpf_tc_attach(&hook, &opts), 0);
}

static int open_boxes(void **state)
{
	if (lab_open(state))
		return -1;
	boxes.host = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	boxes.a = make_box("ra", MAC_A, A4, A6);
	boxes.b = make_box("rb", MAC_B, B4, B6);
	attach(A, "ra");
	attach(B, "rb");
	fill_tables(); /* again: the representors are new */
	return 0;
}

static int close_boxes(void **state)
{
	close(boxes.a);
	close(boxes.b);
	return lab_close(state);
}

/* ---- streams and datagrams of the containers' own stacks ------------------------------------- */

static socklen_t address(const char *ip, struct sockaddr_storage *to)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	to->ss_family = strchr(ip, ':') ? AF_INET6 : AF_INET;
	v4->sin_port = htons(7000);
	if (to->ss_family == AF_INET)
		inet_pton(AF_INET, ip, &v4->sin_addr);
	else
		inet_pton(AF_INET6, ip, &v6->sin6_addr);
	return to->ss_family == AF_INET ? sizeof(*v4) : sizeof(*v6);
}

static uint8_t pattern(uint32_t i)
{
	return (i * 2654435761u) >> 13;
}

static void *send_stream(void *arg)
{
	static uint8_t block[65536];
	int fd = *(int *)arg;

	for (uint32_t sent = 0; sent < STREAM_BYTES; sent += sizeof(block)) {
		for (uint32_t i = 0; i < sizeof(block); i++)
			block[i] = pattern(sent + i);
		if (write(fd, block, sizeof(block)) != sizeof(block))
			break;
	}
	shutdown(fd, SHUT_WR);
	return NULL;
}

static void assert_stream(int from, int to)
{
	static uint8_t block[1 << 18];
	uint32_t received = 0, wrong = 0;
	pthread_t sender;
	ssize_t n;

	assert_int_equal(pthread_create(&sender, NULL, send_stream, &from), 0);
	while ((n = read(to, block, sizeof(block))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			wrong += block[i] != pattern(received + (uint32_t)i);
		received += (uint32_t)n;
	}
	pthread_join(sender, NULL);
	assert_int_equal(received, STREAM_BYTES);
	assert_int_equal(wrong, 0);
}

static void tcp_both_ways(const char *ip)
{
	struct timeval limit = {.tv_sec = 60};
	struct sockaddr_storage to;
	socklen_t len = address(ip, &to);
	int listener, client, server, one = 1;

	enter(boxes.b);
	listener = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(listener, (struct sockaddr *)&to, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	enter(boxes.a);
	client = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&to, len), 0);
	server = accept(listener, NULL, NULL);
	setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	assert_stream(client, server);
	assert_stream(server, client);
	close(client);
	close(server);
	close(listener);
	enter(boxes.host);
}

static void carries_tcp_intact(void **state)
{
	(void)state;
	tcp_both_ways(B4);
	tcp_both_ways(B6);
}

static void carries_datagrams(const char *ip, unsigned size)
{
	static uint8_t out[65000], in[65000];
	struct timeval limit = {.tv_sec = 5};
	struct sockaddr_storage to;
	socklen_t len = address(ip, &to);
	int client, server;

	enter(boxes.b);
	server = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server, (struct sockaddr *)&to, len), 0);
	setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	enter(boxes.a);
	client = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (unsigned i = 0; i < size; i++)
		out[i] = pattern(i);
	assert_int_equal(sendto(client, out, size, 0, (struct sockaddr *)&to, len), size);
	assert_int_equal(recv(server, in, sizeof(in), 0), size);
	assert_memory_equal(in, out, size);
	close(client);
	close(server);
	enter(boxes.host);
}

static void carries_fragments_and_jumbo_frames(void **state)
{
	(void)state;
	carries_datagrams(B4, 1);
	carries_datagrams(B4, 8900);
	carries_datagrams(B4, 60000);
	carries_datagrams(B6, 1);
	carries_datagrams(B6, 8900);
	carries_datagrams(B6, 60000);
}

static uint64_t sent_by_rb(void)
{
	unsigned long long packets = 0;
	FILE *file = popen("ip -s -j link show rb | sed 's/.*\"tx\":{[^}]*\"packets\":\\([0-9]*\\).*/\\1/'", "r");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%llu", &packets), 1);
	pclose(file);
	return packets;
}

/* As to a NIC's representor: packets leave by the device instead of reaching its peer directly. */
static void transmits_where_the_table_says_so(void **state)
{
	uint64_t before = sent_by_rb(), passed;

	(void)state;
	tcp_both_ways(B4);
	passed = sent_by_rb() - before;
	set_port(A, 1, MAC_A, A4, A6, ESW_PORT_COUNT_PAIRS);
	set_fib(lab.generation, 1, B4, B, MAC_B, ESW_FIB_TRANSMIT);
	set_fib(lab.generation, 1, B6, B, MAC_B, ESW_FIB_TRANSMIT);
	usleep(40000);
	before = sent_by_rb();
	tcp_both_ways(B4);
	tcp_both_ways(B6);
	carries_datagrams(B4, 60000);
	carries_datagrams(B6, 60000);
	assert_true(sent_by_rb() - before > passed + 1000);
	assert_true(paired(A, B, 4) > 100);
	assert_true(paired(A, B, 6) > 100);
	fill_tables();
	usleep(40000);
}

/* ---- frames made up by a packet socket -------------------------------------------------------- */

static int packet_socket(int ns)
{
	struct sockaddr_ll here = {.sll_family = AF_PACKET, .sll_protocol = htons(EVERY_PROTOCOL)};
	int fd;

	enter(ns);
	here.sll_ifindex = (int)if_nametoindex("eth0");
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(EVERY_PROTOCOL));
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&here, sizeof(here)), 0);
	enter(boxes.host);
	return fd;
}

/* Through a transmit ring, whose frames have little more than the Ethernet header in one piece. */
static void send_ring(int fd, const struct packet *p)
{
	struct tpacket_req ring = {.tp_block_size = 4096, .tp_block_nr = 1, .tp_frame_size = 2048,
				   .tp_frame_nr = 2};
	struct tpacket2_hdr *slot;
	int version = TPACKET_V2;

	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)), 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_TX_RING, &ring, sizeof(ring)), 0);
	slot = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(slot, MAP_FAILED);
	memcpy((uint8_t *)slot + TPACKET2_HDRLEN - sizeof(struct sockaddr_ll), p->bytes, p->len);
	slot->tp_len = p->len;
	slot->tp_status = TP_STATUS_SEND_REQUEST;
	assert_int_equal(send(fd, NULL, 0, 0), p->len);
	munmap(slot, 4096);
}

/* Whether a frame with these bytes behind its MACs comes within 200 ms; `mac` is its source then. */
static int received(int fd, const struct packet *p, uint8_t *mac)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	uint8_t frame[2048];

	while (poll(&wait, 1, 200) > 0) {
		ssize_t n = recv(fd, frame, sizeof(frame), 0);

		if (n == (ssize_t)p->len && !memcmp(frame + 12, p->bytes + 12, p->len - 12)) {
			memcpy(mac, frame + 6, 6);
			return 1;
		}
	}
	return 0;
}

static void shows_the_switch_mac(void **state)
{
	struct packet p = udp4(SWITCH, MAC_A, A4, B4);
	uint8_t mac[6], wanted[6];

	(void)state;
	mac6(SWITCH, wanted);
	for (int ring = 0; ring < 2; ring++) {
		int from = packet_socket(boxes.a), to = packet_socket(boxes.b);

		p.bytes[p.len - 1] = (uint8_t)(0x40 + ring);
		if (ring)
			send_ring(from, &p);
		else
			assert_int_equal(send(from, p.bytes, p.len, 0), p.len);
		assert_int_equal(received(to, &p, mac), 1);
		assert_memory_equal(mac, wanted, 6);
		close(from);
		close(to);
	}
}

static void assert_stopped(struct packet p, uint32_t reason, int ring)
{
	int from = packet_socket(boxes.a), to = packet_socket(boxes.b);
	uint64_t before = dropped(A, reason);
	uint8_t mac[6];

	if (ring)
		send_ring(from, &p);
	else
		assert_int_equal(send(from, p.bytes, p.len, 0), p.len);
	assert_int_equal(received(to, &p, mac), 0);
	assert_int_equal(dropped(A, reason), before + 1);
	close(from);
	close(to);
}

static void lets_nothing_else_through(void **state)
{
	struct packet tagged = ethernet(SWITCH, MAC_A, 0x8100);

	(void)state;
	put32(&tagged, 0x00000800); /* VLAN 0: a tag all the same */
	put_ipv4(&tagged, A4, B4, 0);
	assert_stopped(tagged, ESW_DROP_VLAN, 0);
	assert_stopped(udp4(BROADCAST, MAC_A, A4, B4), ESW_DROP_MULTICAST, 0);
	assert_stopped(udp4(BROADCAST, MAC_A, A4, "10.1.255.255"), ESW_DROP_NO_DST, 0);
	assert_stopped(udp4(MAC_B, MAC_A, "10.1.0.99", B4), ESW_DROP_SRC_IP, 0);
	assert_stopped(udp4(MAC_B, MAC_A, "10.1.0.99", B4), ESW_DROP_SRC_IP, 1);
	assert_stopped(arp(BROADCAST, MAC_A, 1, MAC_A, A4, NO_MAC, "10.1.0.99"), ESW_DROP_ARP_UNKNOWN, 1);
	assert_stopped(arp(MAC_B, MAC_A, 2, MAC_A, "10.1.0.1", MAC_B, B4), ESW_DROP_ARP_SPOOF, 0);
}

static void answers_the_asker_only(void **state)
{
	struct packet question = arp(BROADCAST, MAC_A, 1, MAC_A, A4, NO_MAC, B4);
	struct packet reply = arp(MAC_A, SWITCH, 2, SWITCH, B4, MAC_A, A4);
	int from = packet_socket(boxes.a), to = packet_socket(boxes.b);
	uint8_t mac[6];

	(void)state;
	send_ring(from, &question);
	assert_int_equal(received(from, &reply, mac), 1);
	assert_int_equal(received(to, &question, mac), 0);
	assert_int_equal(received(to, &reply, mac), 0);
	close(from);
	close(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_tcp_intact),
		cmocka_unit_test(carries_fragments_and_jumbo_frames),
		cmocka_unit_test(transmits_where_the_table_says_so),
		cmocka_unit_test(shows_the_switch_mac),
		cmocka_unit_test(lets_nothing_else_through),
		cmocka_unit_test(answers_the_asker_only),
	};

	return cmocka_run_group_tests(tests, open_boxes, close_boxes);
}
