/* SPDX-License-Identifier: Apache-2.0 */
#include <libmnl/libmnl.h>
#include <linux/devlink.h>
#include <string.h>

#include "devlink_parse.h"
#include "genl.h"

static void parse_function(const struct nlattr *list, struct esw_devlink_port *port)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, list) {
		switch (mnl_attr_get_type(attr)) {
		case DEVLINK_PORT_FUNCTION_ATTR_HW_ADDR:
			/* InfiniBand functions have 20 bytes here. */
			if (mnl_attr_get_payload_len(attr) == sizeof(port->hw_addr) &&
			    esw_nl_bytes(attr, port->hw_addr, sizeof(port->hw_addr)))
				port->has |= ESW_PORT_HAS_HW_ADDR;
			break;
		case DEVLINK_PORT_FN_ATTR_STATE:
			if (esw_nl_u8(attr, &port->state))
				port->has |= ESW_PORT_HAS_STATE;
			break;
		case DEVLINK_PORT_FN_ATTR_OPSTATE:
			esw_nl_u8(attr, &port->opstate);
			break;
		default:
			break;
		}
	}
}

/* The tuple that names a function. */
static void parse_numbers(const struct nlattr *attr, struct esw_devlink_port *port)
{
	switch (mnl_attr_get_type(attr)) {
	case DEVLINK_ATTR_PORT_CONTROLLER_NUMBER:
		if (esw_nl_u32(attr, &port->controller))
			port->has |= ESW_PORT_HAS_CONTROLLER;
		break;
	case DEVLINK_ATTR_PORT_PCI_PF_NUMBER:
		if (esw_nl_u16(attr, &port->pf))
			port->has |= ESW_PORT_HAS_PF;
		break;
	case DEVLINK_ATTR_PORT_PCI_VF_NUMBER:
		if (esw_nl_u16(attr, &port->vf))
			port->has |= ESW_PORT_HAS_VF;
		break;
	case DEVLINK_ATTR_PORT_PCI_SF_NUMBER:
		if (esw_nl_u32(attr, &port->sf))
			port->has |= ESW_PORT_HAS_SF;
		break;
	default:
		break;
	}
}

bool esw_devlink_parse_port(const struct nlmsghdr *nlh, struct esw_devlink_port *port)
{
	const struct nlattr *attr;
	bool has_index = false;

	memset(port, 0, sizeof(*port));
	if (!esw_devlink_parse_handle(nlh, port->bus, port->dev))
		return false;
	esw_genl_for_each_attr(attr, nlh) {
		switch (mnl_attr_get_type(attr)) {
		case DEVLINK_ATTR_PORT_INDEX:
			has_index = esw_nl_u32(attr, &port->index);
			break;
		case DEVLINK_ATTR_PORT_FLAVOUR:
			esw_nl_u16(attr, &port->flavour);
			break;
		case DEVLINK_ATTR_PORT_NETDEV_IFINDEX:
			esw_nl_u32(attr, &port->ifindex);
			break;
		case DEVLINK_ATTR_PORT_NETDEV_NAME:
			esw_nl_text(attr, port->ifname, sizeof(port->ifname));
			break;
		case DEVLINK_ATTR_PORT_EXTERNAL:
			esw_nl_u8(attr, &port->external);
			break;
		case DEVLINK_ATTR_PORT_FUNCTION:
			parse_function(attr, port);
			break;
		default:
			parse_numbers(attr, port);
			break;
		}
	}
	return has_index;
}
