/**
 * A process that connects to a vault as a service principal or as the machine's identity, and to an API server. Only its environment
 * determines the route. It reads and writes one JSON line per request: success, or the error's message.
 */
import { createInterface } from "node:readline";

import { createVaultClients } from "../../src/azure/vault-clients.ts";
import { RESOURCES } from "../../src/domain/kubernetes.ts";
import type { VaultAddress } from "../../src/domain/ports/vault-client.ts";
import type { VaultIdentity } from "../../src/domain/ports/vault-identity.ts";
import { Sensitive } from "../../src/domain/sensitive.ts";
import { createKubeClient } from "../../src/kube/client.ts";
import { loadKubeConfig } from "../../src/kube/load-config.ts";
import { readOutboundProxy } from "../../src/runtime/outbound-proxy.ts";

export type ProxyQuestion =
  | { readonly kind: "vault"; readonly address: VaultAddress; readonly clientId: string; readonly clientSecret?: string }
  | { readonly kind: "apiServer"; readonly kubeconfig: string };

export interface ProxyAnswer {
  readonly isThere: boolean;
  readonly message: string;
}

const WITHIN_MS = 15_000;
const proxy = readOutboundProxy(process.env);
if (!proxy.ok) throw new Error(proxy.error);
const clients = createVaultClients({ proxy: proxy.value, timeoutMs: WITHIN_MS });

async function ask(question: ProxyQuestion): Promise<void> {
  const signal = AbortSignal.timeout(WITHIN_MS);
  if (question.kind === "apiServer") {
    const config = loadKubeConfig({ kubeconfig: question.kubeconfig });
    await createKubeClient(config, { userAgent: "test" }).read(RESOURCES.secrets, { namespace: "default", name: "s" }, signal);
    return;
  }
  const { address, clientId, clientSecret } = question;
  const identity: VaultIdentity =
    clientSecret === undefined
      ? { kind: "managedIdentity", clientId }
      : { kind: "servicePrincipal", clientId, clientSecret: Sensitive.ofText(clientSecret) };
  await clients.clientFor(address, identity, "n").getSecret("s", undefined, signal);
}

if (import.meta.main) {
  for await (const line of createInterface({ input: process.stdin })) {
    let answer: ProxyAnswer = { isThere: true, message: "" };
    try {
      // The test itself writes it.
      await ask(JSON.parse(line) as ProxyQuestion);
    } catch (error) {
      answer = { isThere: false, message: error instanceof Error ? error.message : String(error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}
