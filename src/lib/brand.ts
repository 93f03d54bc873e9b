/** Nominal types over primitives, so that an ifindex cannot be passed where a VNI is wanted. */
declare const brand: unique symbol;
export type Brand<T, B extends string> = T & { readonly [brand]: B };

/** Kernel interface index, 1..2^31-1; valid only at the moment it was read. */
export type Ifindex = Brand<number, 'Ifindex'>;
/** MAC address, canonical `aa:bb:cc:dd:ee:ff`, lower case. */
export type Mac = Brand<string, 'Mac'>;
/** IPv4 or IPv6 address in canonical text (RFC 5952 for IPv6). */
export type Ip = Brand<string, 'Ip'>;
/** Canonical `address/prefixlen`; host bits may be set (an interface address). */
export type Cidr = Brand<string, 'Cidr'>;
/** Docker's network ID: 64 hex digits. */
export type NetworkId = Brand<string, 'NetworkId'>;
/** Docker's endpoint ID: 64 hex digits. */
export type EndpointId = Brand<string, 'EndpointId'>;
/** Index of a network in the eBPF tables, 1..65535. */
export type NetSlot = Brand<number, 'NetSlot'>;
/** Index of a port's counters in the eBPF tables, 0..maxPorts-1. */
export type PortSlot = Brand<number, 'PortSlot'>;
/** Position in the store's history; grows by one with every commit. */
export type Revision = Brand<number, 'Revision'>;
