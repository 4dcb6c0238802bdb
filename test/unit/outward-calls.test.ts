import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type OutwardCall, outwardCalls } from "./outward-calls.ts";

/** Functions that put a time limit on the calls in their arguments, by file. */
const BOUNDING: Readonly<Record<string, readonly string[]>> = {
  "src/azure/": ["boundedCall", "ask"],
  "src/kube/": ["within"],
  "test/unit/planted/": ["boundedCall"],
};

const HANDED_ON = "handed on within a pipeline of the SDK, in which requestBoundPolicy bounds each request";

/** Time limits of the other calls: of all calls in a file, or of those with this name. */
const ELSEWHERE: readonly (readonly [file: string, callee: string | undefined, bound: string])[] = [
  ["src/azure/absent-part.ts", "next", HANDED_ON],
  ["src/azure/answer-size.ts", "next", HANDED_ON],
  ["src/azure/error-body-policy.ts", "next", HANDED_ON],
  ["src/azure/fresh-connection.ts", "next", HANDED_ON],
  ["src/azure/sdk-network.ts", "next", HANDED_ON],
  ["src/azure/sign-in-trace.ts", "next", HANDED_ON],
  ["src/azure/credential.ts", "new ClientAssertionCredential.getToken", "it is a credential itself, which guardSignIn bounds"],
  ["src/azure/credential.ts", "new ClientSecretCredential.getToken", "the same"],
  ["src/azure/credential.ts", "credential.getToken", "hands on to the credential, which guardSignIn bounds"],
  ["src/azure/credential.ts", "new ClientSecretCredential.getToken", "it is a credential itself, which guardSignIn bounds"],
  ["src/azure/credential.ts", "assertionCredential.getToken", "it is a credential itself, which guardSignIn bounds"],
  ["src/azure/token-proxy.ts", "next", HANDED_ON],
  ["src/azure/token-proxy.ts", "connect", "boundedCall stands around it where it is called, and its signal ends the socket"],
  ["src/azure/vault-client.ts", "credential.getToken", "hands on to the shared sign-in"],
  ["src/azure/event-queues.ts", "credential.getToken", "hands on to the shared sign-in"],
  ["src/azure/queue-answer.ts", "next", "a policy of requests that requestBoundPolicy bounds"],
  ["src/azure/shared-sign-in.ts", "credential.getToken", "the credential that it is given is bounded by guardSignIn"],
  ["src/azure/direct-agent.ts", "super.createConnection", "the socket ends after its time without a byte"],
  ["src/azure/vault-client.ts", "secrets.listPropertiesOfSecrets", "nothing is sent before a page is asked for, by ask"],
  ["src/azure/vault-client.ts", "secrets.listPropertiesOfSecrets.byPage", "as above"],
  ["src/azure/vault-client.ts", "keys.listPropertiesOfKeys", "as above"],
  ["src/azure/vault-client.ts", "keys.listPropertiesOfKeys.byPage", "as above"],
  ["src/azure/vault-client.ts", "certificates.listPropertiesOfCertificates", "as above"],
  ["src/azure/vault-client.ts", "certificates.listPropertiesOfCertificates.byPage", "as above"],
  ["src/azure/vault-client.ts", "secrets.listPropertiesOfSecretVersions", "as above"],
  ["src/azure/vault-client.ts", "secrets.listPropertiesOfSecretVersions.byPage", "as above"],
  ["src/azure/vault-client.ts", "keys.listPropertiesOfKeyVersions", "as above"],
  ["src/azure/vault-client.ts", "keys.listPropertiesOfKeyVersions.byPage", "as above"],
  ["src/azure/vault-client.ts", "certificates.listPropertiesOfCertificateVersions", "as above"],
  ["src/azure/vault-client.ts", "certificates.listPropertiesOfCertificateVersions.byPage", "as above"],
  ["src/kube/config.ts", undefined, "credentials from files; the end of connections, for which nobody waits but the end of the process"],
  ["src/kube/transport.ts", undefined, "headersTimeout and the signal of the caller, which within or the guard of a watch bounds"],
  ["src/pki/threads/decoding-thread.ts", "this.#worker.cpuUsage", "not waited for beyond the end of the task"],
  [
    "src/pki/threads/decoding-thread.ts",
    "this.#worker.terminate",
    "a thread of the process itself, which nothing that it does keeps from ending",
  ],
  ["src/tls/chain-probe.ts", undefined, "the socket ends after LONGEST_HANDSHAKE"],
  ["src/cli/shared/manifest-files.ts", undefined, "the signal that readUrl bounds ends request and body"],
  ["src/tls/reach-host.ts", undefined, "the signal that createReachHost bounds ends every step"],
];

function isBounded({ file, callee, within }: OutwardCall): boolean {
  const [, bounding = []] = Object.entries(BOUNDING).find(([folder]) => file.startsWith(folder)) ?? [];
  if (within.some((name) => bounding.includes(name))) return true;
  return ELSEWHERE.some(([known, name]) => known === file && (name === undefined || name === callee));
}

function unboundedIn(calls: readonly OutwardCall[]): readonly string[] {
  return calls.filter((call) => !isBounded(call)).map(({ file, callee }) => `${file}: ${callee}`);
}

describe("a call that waits for somebody outside of the process", () => {
  test("C4: has a bound, wherever it stands", () => {
    const calls = outwardCalls("src/**/*.ts");
    assert.ok(calls.length > 20);
    assert.deepEqual(unboundedIn(calls), [], "put it into boundedCall, or say here what bounds it");
    const isThere = ([file, callee]: (typeof ELSEWHERE)[number]): boolean =>
      calls.some((call) => call.file === file && (callee === undefined || callee === call.callee));
    assert.deepEqual(
      ELSEWHERE.filter((entry) => !isThere(entry)),
      [],
      "is no longer there",
    );
    assert.ok(
      calls.some(({ callee, within }) => callee === "credential.getToken" && within.includes("boundedCall")),
      "the sign-in is the SDK's, which does not bound it",
    );
  });

  test("is found where it has none (control)", () => {
    assert.deepEqual(
      unboundedIn(outwardCalls("test/unit/planted/unbounded-calls.ts")).map((line) => line.split(": ")[1]),
      ["client.getSecret", "client.listPropertiesOfSecrets", "connectTcp", "send", "client.getSecret"],
    );
  });
});
