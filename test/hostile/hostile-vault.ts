import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { issueServingCertificate } from "../../tools/key-vault-emulator/network/certificates.ts";

/** Answers of a vault that an attacker owns or controls, to clients that have signed in. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse, url: URL) => void;

/** A server for any vault's name, with a certificate that clients trust. */
export interface HostileVault {
  readonly port: number;
  readonly caPem: string;
  /** Number of requests with a token so far. */
  readonly requests: number;
  behave(behaviour: Behaviour): void;
  stop(): Promise<void>;
}

/** The challenge of every vault to a client without a token. */
function challenge(response: ServerResponse, tenantId: string): void {
  const authorization = `https://login.microsoftonline.com/${tenantId}`;
  response.writeHead(401, { "WWW-Authenticate": `Bearer authorization="${authorization}", resource="https://vault.azure.net"` }).end("{}");
}

export async function startHostileVault(): Promise<HostileVault> {
  const { caPem, certificatePem, keyPem } = await issueServingCertificate(["*.vault.azure.net"]);
  let behaviour: Behaviour = (_request, response) => response.destroy();
  let requests = 0;
  const server = createServer({ key: keyPem, cert: certificatePem }, (request, response) => {
    request.resume();
    const host = request.headers.host ?? "";
    if (request.headers.authorization === undefined) {
      challenge(response, tenantOf(host));
      return;
    }
    requests += 1;
    behaviour(request, response, new URL(`https://${host}${(request.url ?? "/").replace(/^\/+/, "/")}`));
  });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port, // A listening TCP server.
    caPem,
    get requests() {
      return requests;
    },
    behave: (next) => {
      behaviour = next;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Tenant in a hostile vault's challenge, by its host. */
const tenants = new Map<string, string>();

export function nameTenant(host: string, tenantId: string): void {
  tenants.set(host, tenantId);
}

function tenantOf(host: string): string {
  return tenants.get(host) ?? "common";
}
