import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { issueServingCertificate } from "../../tools/key-vault-emulator/network/certificates.ts";

/** How a vault that its owner runs, or that somebody got hold of, answers whoever has signed in. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse, url: URL) => void;

/** A server under any vault's name, with a certificate that clients trust. */
export interface HostileVault {
  readonly port: number;
  readonly caPem: string;
  /** Requests with a token so far. */
  readonly requests: number;
  behave(behaviour: Behaviour): void;
  stop(): Promise<void>;
}

/** The challenge of every vault: without a token nobody gets further. */
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

/** Which tenant a hostile vault's challenge names, by its host. */
const tenants = new Map<string, string>();

export function nameTenant(host: string, tenantId: string): void {
  tenants.set(host, tenantId);
}

function tenantOf(host: string): string {
  return tenants.get(host) ?? "common";
}
