import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { parse } from "yaml";
import type { ServingCertificate } from "../../src/domain/ports/certificate-source.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { startChainProbe } from "../../src/tls/chain-probe.ts";
import { issueAuthority, issueLeaf, type SigningAuthority } from "../../src/tls/issue.ts";
import { newRsaKey, privateKeyPem } from "../../src/tls/rsa-key.ts";
import { readRepositoryFile } from "../../tools/repository-files.ts";
import { MANIFESTS } from "../support/cluster/shipped-manifests.ts";
import { selfSignedCertificate, swappableCertificate } from "../support/fixtures/serving-certificate.ts";
import { eventually } from "../support/time/eventually.ts";
import { startWebhook } from "../support/webhook/listening-webhook.ts";

async function anAuthority(): Promise<SigningAuthority> {
  const key = await newRsaKey(2048);
  return { pem: issueAuthority(key, Date.now()).pem, key };
}

async function leafOf(authority: SigningAuthority, name = "localhost"): Promise<ServingCertificate> {
  const key = await newRsaKey(2048);
  return { cert: issueLeaf(authority, { key, dnsNames: [name], now: Date.now() }), key: privateKeyPem(key) };
}

describe("the proof that what is served verifies", () => {
  test("fails until there is a certificate, holds with its CA, and fails again with another CA, another name and another certificate", async () => {
    const [authority, other] = [await anAuthority(), await anAuthority()];
    const certificates = swappableCertificate(undefined);
    const webhook = await startWebhook({ certificates });
    let trusted: string | undefined = authority.pem;
    let reported: ServingCertificate | undefined;
    const listeners: (() => void)[] = [];
    // What the probe is told is served; it may be more than the server has taken over.
    const source = { current: () => reported, onChange: (listener: () => void) => void listeners.push(listener) };
    const stop = new AbortController();
    const options = { address: "::", port: webhook.port, servername: "localhost", source, trusted: () => trusted, clock: systemClock };
    const probe = startChainProbe(options, stop.signal);
    const swap = (served: ServingCertificate, said = served): void => {
      certificates.swap(served);
      reported = said;
      for (const listener of listeners) listener();
    };

    await eventually(() => probe.problem() === "there is no serving certificate yet");
    const good = await leafOf(authority);
    swap(good);
    await eventually(() => probe.problem() === undefined);
    trusted = other.pem;
    swap(good);
    await eventually(() => probe.problem()?.startsWith("the serving certificate does not verify: "));
    trusted = authority.pem;
    swap(await leafOf(authority, "elsewhere"));
    await eventually(() => probe.problem()?.includes("ERR_TLS_CERT_ALTNAME_INVALID"));
    swap(good, await leafOf(authority));
    await eventually(() => probe.problem() === "another certificate is served than the current one");
    trusted = undefined;
    swap(good);
    await eventually(() => probe.problem() === undefined);
    stop.abort();
    await probe.done;
    await webhook.stop();
  });
});

describe("TLS settings", () => {
  test("take 1.2 only where it is asked for, also after a swap", async () => {
    const [first, second] = [selfSignedCertificate(), selfSignedCertificate()];
    const certificates = swappableCertificate(first);
    const webhook = await startWebhook({ certificates, minVersion: "TLSv1.2" });
    assert.equal((await handshake(webhook.port, { ca: first.cert, maxVersion: "TLSv1.2" })).getProtocol(), "TLSv1.2");
    certificates.swap(second);
    assert.equal((await handshake(webhook.port, { ca: second.cert, maxVersion: "TLSv1.2" })).getProtocol(), "TLSv1.2");
    await webhook.stop();
  });

  test("answer only clients with a certificate of the named CA, where there is one, also after a swap", async () => {
    const [served, client] = [selfSignedCertificate(), selfSignedCertificate("api-server")];
    const certificates = swappableCertificate(served);
    const webhook = await startWebhook({ certificates, clientAuthorities: { current: () => client.cert, onChange: () => undefined } });
    for (const _ of [1, 2]) {
      const known = await handshake(webhook.port, { ca: served.cert, cert: client.cert, key: client.key });
      assert.match(await firstBytes(known), /^HTTP\/1\.1 404/);
      const unknown = await handshake(webhook.port, { ca: served.cert });
      await assert.rejects(firstBytes(unknown), /certificate required|ECONNRESET|no answer/i);
      const foreign = selfSignedCertificate("somebody");
      await assert.rejects(firstBytes(await handshake(webhook.port, { ca: served.cert, cert: foreign.cert, key: foreign.key })));
      certificates.swap(served);
    }
    await webhook.stop();
  });
});

describe("the shipped alerts", () => {
  const text = readFileSync(`${MANIFESTS}/components/monitoring/alerts/webhook.yaml`, "utf8");
  const rules: {
    readonly spec: { readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[] };
  } = parse(text);
  const named = (expression: string): readonly string[] =>
    (expression.match(/\bkeyvault_injector_\w+/g) ?? []).map((name) => name.replace(/_bucket$/, ""));
  const documented = new Set(readRepositoryFile("docs/reference/metrics.md").match(/\bkeyvault_injector_\w+/g));

  test("name only metrics that there are, the end of the certificates among them", () => {
    const all = rules.spec.groups.flatMap((group) => group.rules);
    for (const { alert, expr } of all) {
      assert.ok(named(expr).length > 0, alert);
      for (const metric of named(expr)) assert.ok(documented.has(metric), `${alert}: ${metric}`);
    }
    const certificate = all.filter(({ expr }) => expr.startsWith("keyvault_injector_certificate_not_after_seconds{"));
    assert.deepEqual(new Set(certificate.map(({ expr }) => /certificate="(\w+)"/.exec(expr)?.[1])), new Set(["authority", "leaf"]));
    assert.ok(!documented.has("keyvault_injector_certificate_not_after"));
  });
});

interface Client {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
  readonly maxVersion?: "TLSv1.2" | "TLSv1.3";
}

async function handshake(port: number, client: Client): Promise<TLSSocket> {
  const socket = connect({ host: "localhost", servername: "localhost", port, minVersion: "TLSv1.2", ...client });
  await once(socket, "secureConnect");
  return socket;
}

/** In TLS 1.3 a client learns only with its first read that its certificate was refused. */
async function firstBytes(socket: TLSSocket): Promise<string> {
  try {
    const answer = Promise.withResolvers<string>();
    socket.once("data", (data: Buffer) => answer.resolve(data.toString()));
    socket.once("error", answer.reject);
    socket.once("close", () => answer.reject(new Error("no answer")));
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    return await answer.promise;
  } finally {
    socket.destroy();
  }
}
