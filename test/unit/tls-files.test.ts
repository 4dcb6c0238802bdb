import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, before, beforeEach, describe, test } from "node:test";
import { serviceDnsNames } from "../../src/domain/certificates/names.ts";
import type { ServingCertificate } from "../../src/domain/ports/certificate-source.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { startChainProbe } from "../../src/tls/chain-probe.ts";
import { startFileCertificates } from "../../src/tls/file-certificates.ts";
import { issueAuthority, issueLeaf, type SigningAuthority } from "../../src/tls/issue.ts";
import { newRsaKey, privateKeyPem } from "../../src/tls/rsa-key.ts";
import type { Certificates } from "../../src/tls/start-certificates.ts";
import { eventually } from "../support/time/eventually.ts";
import { SteppedClock } from "../support/time/stepped-clock.ts";
import { startWebhook } from "../support/webhook/listening-webhook.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const SERVICE = "keyvault-injector-webhook";
const NAMES = serviceDnsNames(SERVICE, "keyvault-injector");
const DAY = 24 * 3_600_000;

let authority: SigningAuthority;
let folder: string;
let serial = 0;
let clock: SteppedClock;
let logger: ReturnType<typeof recordingLogger>;
let stop: AbortController;
let certificates: Certificates;

interface Changes {
  readonly now?: number;
  readonly dnsNames?: readonly string[];
  readonly signer?: SigningAuthority;
}

async function aPair(changes: Changes = {}): Promise<ServingCertificate> {
  const key = await newRsaKey(2048);
  const cert = issueLeaf(changes.signer ?? authority, { key, dnsNames: changes.dnsNames ?? NAMES, now: changes.now ?? clock.now() });
  return { cert, key: privateKeyPem(key) };
}

async function anAuthority(): Promise<SigningAuthority> {
  const key = await newRsaKey(2048);
  return { pem: issueAuthority(key, Date.now() - 30 * DAY).pem, key };
}

/** Updates the files as the kubelet updates a Secret: with a new folder, and one rename of a symlink. */
function put(files: Readonly<Record<string, string>>): void {
  const version = `..v${++serial}`;
  mkdirSync(path.join(folder, version));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, version, name), text);
  symlinkSync(version, path.join(folder, "..new"));
  renameSync(path.join(folder, "..new"), path.join(folder, "..data"));
}

const putPair = ({ cert, key }: ServingCertificate): void => put({ "tls.crt": cert, "tls.key": key, "ca.crt": authority.pem });

/** Advances through the next checks until the condition holds. */
async function until(condition: () => boolean | undefined): Promise<void> {
  await eventually(() => {
    clock.step(2_001);
    return condition() === true;
  });
}

const errors = (): readonly string[] =>
  logger.entries.filter(({ level }) => level === "error").map(({ fields }) => String(fields["problem"]));

describe("a serving certificate in files", () => {
  before(async () => {
    authority = await anAuthority();
  });
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "tls-files-"));
    for (const name of ["tls.crt", "tls.key", "ca.crt"]) symlinkSync(`..data/${name}`, path.join(folder, name));
    clock = new SteppedClock();
    logger = recordingLogger();
    stop = new AbortController();
    const at = (name: string): string => path.join(folder, name);
    certificates = startFileCertificates(
      {
        files: { certFile: at("tls.crt"), keyFile: at("tls.key"), caFile: at("ca.crt") },
        clock,
        logger,
        namespace: "keyvault-injector",
        service: SERVICE,
      },
      stop.signal,
    );
  });
  afterEach(async () => {
    stop.abort();
    await certificates.done;
    rmSync(folder, { recursive: true });
  });

  test("is waited for, and served from when it is there", async () => {
    await eventually(() => errors().length === 1);
    assert.match(certificates.ready().message, /there is no serving certificate: --tls-cert-file: .*tls\.crt cannot be read/);
    const pair = await aPair();
    putPair(pair);
    await until(() => certificates.ready().ok);
    assert.deepEqual(certificates.source.current(), pair);
    assert.equal(certificates.trusted(), authority.pem);
    assert.ok((certificates.expiry().leaf ?? 0) > clock.now() + 6 * DAY);
    assert.ok((certificates.expiry().authority ?? 0) > clock.now() + 300 * DAY);
  });

  test("is exchanged when the folder behind the symlink is, and told of once", async () => {
    let changes = 0;
    certificates.source.onChange(() => (changes += 1));
    const [first, second] = [await aPair(), await aPair()];
    putPair(first);
    await until(() => certificates.source.current()?.cert === first.cert);
    putPair(second);
    await until(() => certificates.source.current()?.cert === second.cert);
    const checks = certificates.lastSuccess() ?? 0;
    await until(() => (certificates.lastSuccess() ?? 0) > checks);
    assert.equal(changes, 2);
    assert.deepEqual(
      errors().filter((problem) => !problem.includes("cannot be read")),
      [],
    );
  });

  const broken: readonly [string, () => Promise<Readonly<Record<string, string>>>, RegExp][] = [
    [
      "no certificate",
      async () => ({ "tls.crt": "hello", "tls.key": (await aPair()).key }),
      /--tls-cert-file contains no certificate in PEM/,
    ],
    ["no key", async () => ({ "tls.crt": (await aPair()).cert, "tls.key": "hello" }), /--tls-key-file contains no private key in PEM/],
    [
      "another's key",
      async () => ({ "tls.crt": (await aPair()).cert, "tls.key": (await aPair()).key }),
      /--tls-key-file is not the key of/,
    ],
    ["an expired one", async () => filesOf(await aPair({ now: clock.now() - 8 * DAY })), /--tls-cert-file expired at/],
    ["one that is not valid yet", async () => filesOf(await aPair({ now: clock.now() + 2 * DAY })), /is not valid before .*/],
    [
      "one of another name",
      async () => filesOf(await aPair({ dnsNames: ["other"] })),
      /does not name keyvault-injector-webhook\.keyvault-injector\.svc/,
    ],
    ["half of it", async () => ({ "tls.crt": (await aPair()).cert }), /tls\.key cannot be read/],
  ];
  for (const [which, files, problem] of broken) {
    test(`that turns into ${which} stays the one before, and an error says why, once`, async () => {
      const good = await aPair();
      putPair(good);
      await until(() => certificates.source.current()?.cert === good.cert);
      const before = errors().length;
      put(await files());
      await until(() => errors().length > before);
      const checked = clock.now();
      await until(() => clock.now() > checked + 10_000);

      assert.equal(errors().length, before + 1);
      assert.match(errors().at(-1) ?? "", problem);
      assert.deepEqual(certificates.source.current(), good);
      assert.equal(certificates.ready().ok, true);
      assert.ok(!JSON.stringify(logger.entries).includes("PRIVATE KEY"));
    });
  }

  /** A pair with a key size that OpenSSL reads, but TLS rejects. */
  async function aWeakPair(): Promise<ServingCertificate> {
    const key = await newRsaKey(1024);
    return { cert: issueLeaf(authority, { key, dnsNames: NAMES, now: clock.now() }), key: privateKeyPem(key) };
  }

  test("R9: that turns into one that TLS refuses stays the one before: the webhook goes on serving it and stays ready", async () => {
    const [good, weak] = [await aPair(), await aWeakPair()];
    putPair(good);
    await until(() => certificates.source.current()?.cert === good.cert);
    putPair(weak);
    await until(() => errors().some((problem) => problem.includes("TLS")) || certificates.source.current()?.cert === weak.cert);

    assert.equal(await probed(), undefined);
    assert.deepEqual(certificates.source.current(), good);
    assert.equal(certificates.ready().ok, true);
    assert.match(errors().at(-1) ?? "", /^TLS rejects the certificate in --tls-cert-file or its key: ee key too small$/);
  });

  test("R9: that TLS refuses from the start is named in readiness", async () => {
    const weak = await aWeakPair();
    putPair(weak);
    await until(() => errors().some((problem) => problem.includes("TLS")) || certificates.source.current()?.cert === weak.cert);

    assert.equal(certificates.ready().ok, false);
    assert.match(certificates.ready().message, /there is no serving certificate: TLS rejects the certificate in --tls-cert-file/);
  });

  test("R9: keeps its CA where the file of it turns into something else, and names that where there was none", async () => {
    const good = await aPair();
    const without = { "tls.crt": good.cert, "tls.key": good.key, "ca.crt": "no certificate" };
    put(without);
    await until(() => errors().some((problem) => problem.includes("--tls-ca-file")) || certificates.source.current() !== undefined);
    assert.match(certificates.ready().message, /there is no serving certificate: --tls-ca-file contains no certificate in PEM/);
    putPair(good);
    await until(() => certificates.ready().ok);
    const before = errors().length;
    put(without);
    await until(() => errors().length > before);

    assert.equal(certificates.trusted(), authority.pem);
    assert.equal(certificates.ready().ok, true);
  });

  test("RV9: verifies with the CAs of the file that can be read, also where one is damaged", async () => {
    const pair = await aPair();
    const damaged = authority.pem.replace(/\n[A-Za-z0-9+/]{64}(\r?\n)/, "\nAAAA$1");
    put({ "tls.crt": pair.cert, "tls.key": pair.key, "ca.crt": damaged + authority.pem });
    await until(() => certificates.ready().ok);

    assert.equal(await probed(), undefined);
  });

  /** Returns what an API server that trusts the adopted CA finds wrong with what a webhook serves. */
  async function probed(): Promise<string | undefined> {
    const webhook = await startWebhook({ certificates: certificates.source });
    const probe = startChainProbe(
      {
        address: "127.0.0.1",
        port: webhook.port,
        servername: NAMES[2] ?? "",
        source: certificates.source,
        trusted: () => certificates.trusted(),
        clock: systemClock,
      },
      stop.signal,
    );
    await eventually(() => probe.problem() !== "the serving certificate has not been verified yet");
    await webhook.stop();
    return probe.problem();
  }

  test("CW-12: keeps its CA together with itself where the new pair beside a new CA is unusable", async () => {
    const [good, next] = [await aPair(), await anAuthority()];
    putPair(good);
    await until(() => certificates.source.current()?.cert === good.cert);
    const { authority: expiry } = certificates.expiry();
    const before = errors().length;
    put({ ...filesOf(await aPair({ signer: next, now: clock.now() - 8 * DAY })), "ca.crt": next.pem });
    await until(() => errors().length > before);

    assert.match(errors().at(-1) ?? "", /--tls-cert-file expired at/);
    assert.equal(certificates.trusted(), authority.pem);
    assert.equal(certificates.expiry().authority, expiry);
    assert.deepEqual(certificates.source.current(), good);
    assert.equal(certificates.ready().ok, true);
    assert.equal(await probed(), undefined);

    const usable = await aPair({ signer: next });
    put({ ...filesOf(usable), "ca.crt": next.pem });
    await until(() => certificates.source.current()?.cert === usable.cert);
    assert.equal(certificates.trusted(), next.pem);
    assert.equal(await probed(), undefined);
  });

  test("CW-12: adopts a CA that changes alone, before the pair, and keeps it where its file is gone (control)", async () => {
    const [good, next] = [await aPair(), await anAuthority()];
    putPair(good);
    await until(() => certificates.source.current()?.cert === good.cert);
    put({ ...filesOf(good), "ca.crt": `${authority.pem}${next.pem}` });
    await until(() => certificates.trusted() !== authority.pem);
    assert.equal(certificates.trusted(), `${authority.pem}${next.pem}`);
    assert.equal(await probed(), undefined);

    const later = await aPair({ signer: next });
    put(filesOf(later));
    await until(() => certificates.source.current()?.cert === later.cert);
    assert.equal(certificates.trusted(), `${authority.pem}${next.pem}`);
    assert.equal(await probed(), undefined);
  });

  test("is no longer ready when the one that is served has expired", async () => {
    putPair(await aPair());
    await until(() => certificates.ready().ok);
    clock.step(8 * DAY);
    await until(() => errors().some((problem) => problem.includes("expired")));
    assert.match(certificates.ready().message, /the serving certificate expired at/);
    putPair(await aPair());
    await until(() => certificates.ready().ok);
  });
});

function filesOf({ cert, key }: ServingCertificate): Readonly<Record<string, string>> {
  return { "tls.crt": cert, "tls.key": key };
}
