import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** All who showed a certificate of the CA that was asked for. They are known, and no share of strangers binds them. */
export const VERIFIED = "verified";

/**
 * Whom a connection is counted for: the address that it comes from. What stands behind one address cannot be told apart here: an API
 * server behind a node's SNAT or a tunnel may share it with pods, and several API servers have several. So a share of an address may bind
 * only where others would go without, and what is worth keeping among an address's own connections is decided by what they do.
 */
export function peerOf(socket: Socket): string {
  if (socket instanceof TLSSocket && socket.authorized) return VERIFIED;
  // The same address, whether the listening socket is of IPv6 or not.
  return socket.remoteAddress?.replace(/^::ffff:/, "") ?? "gone";
}
