import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

/** All peers that presented a certificate of the required CA. They are known, so the share of a stranger does not limit them. */
export const VERIFIED = "verified";

/**
 * Returns the peer that a connection counts for: its remote address. Clients behind one address cannot be distinguished here: an API server
 * behind a node's SNAT or a tunnel may share the address with pods, and several API servers have several addresses. The share of an address
 * may therefore limit it only if others would go without, and the activity of an address's own connections decides which of them to keep.
 */
export function peerOf(socket: Socket): string {
  if (socket instanceof TLSSocket && socket.authorized) return VERIFIED;
  // Makes the address the same whether the listening socket uses IPv6 or not.
  return socket.remoteAddress?.replace(/^::ffff:/, "") ?? "gone";
}
