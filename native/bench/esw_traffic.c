/* SPDX-License-Identifier: Apache-2.0
 *
 * esw_traffic: traffic source and sink of the benchmarks. Each command prints one JSON line when
 * it ends (servers: one per connection). "--size 64" is the frame on the wire with its Ethernet
 * header and without the frame check sequence: 22 bytes of UDP payload over IPv4, 2 over IPv6.
 */
#include "traffic/options.h"
#include "traffic/probe.h"
#include "traffic/tcp.h"
#include "traffic/udp.h"

static const struct {
	const char *name;
	int (*run)(const struct options *o);
	const char *help;
} commands[] = {
	{"udp-sink", udp_sink, "--listen A --port P [--idle S]: count until idle"},
	{"udp-flood", udp_flood, "--dst A --port P --size BYTES --seconds S [--gso]"},
	{"tcp-rr-server", tcp_rr_server, "--listen A --port P [--rounds N]"},
	{"tcp-rr-client", tcp_rr_client, "--dst A --port P --seconds S: 1-byte ping-pong"},
	{"tcp-stream-server", tcp_stream_server, "--listen A --port P [--rounds N]"},
	{"tcp-stream-client", tcp_stream_client, "--dst A --port P --seconds S"},
	{"probe-echo", probe_echo, "--listen A --port P: answers probes until killed"},
	{"probe", probe, "--dst A --port P --rate PPS --seconds S [--idle S]: 1 if any was lost"},
};

int main(int argc, char **argv)
{
	struct options o;

	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		parse_options(&o, argc - 1, argv + 1);
		return commands[i].run(&o);
	}
	fprintf(stderr, "usage: esw_traffic COMMAND [--cpu N] …\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		fprintf(stderr, "  %-18s %s\n", commands[i].name, commands[i].help);
	return 2;
}
