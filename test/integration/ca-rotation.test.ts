import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { AUTHORITY_LIFETIME, LEAF_LIFETIME, OVERLAP, SETTLING } from "../../src/domain/certificates/lifetimes.ts";
import { createAuthorityKeeper } from "../../src/tls/authority-keeper.ts";
import { authoritySecretBody } from "../../src/tls/authority-secret.ts";
import { publishBundle } from "../../src/tls/bundle-publisher.ts";
import { issueAuthority } from "../../src/tls/issue.ts";
import { newRsaKey, privateKeyPem } from "../../src/tls/rsa-key.ts";
import { forbidden } from "../support/cluster/audit.ts";
import { type ControlPlane, controlPlaneRefusal, startControlPlane } from "../support/cluster/control-plane.ts";
import { kubeAccess } from "../support/cluster/kube-access.ts";
import { eventually } from "../support/time/eventually.ts";
import { SteppedClock } from "../support/time/stepped-clock.ts";
import {
  barrier,
  beforeFirstApply,
  callTls,
  certificatesIn,
  isSignedByOneOf,
  liveConfiguration,
  liveSecret,
  NAMESPACE,
  type Replica,
  SERVICE,
  startReplica,
} from "../support/webhook/certificate-replicas.ts";
import { recordingLogger } from "../support/worker/recording-logger.ts";

const refusal = controlPlaneRefusal();
const MANIFESTS = path.resolve(import.meta.dirname, "../../manifests");
const CONFIGURATION = path.join(MANIFESTS, "base/webhook-configuration.yaml");
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

let plane: ControlPlane;
/** Of the webhook's own ServiceAccount, under the shipped RBAC and policy. */
let own: string;
let clock: SteppedClock;
let replicas: Replica[] = [];

function start(count: number): readonly Replica[] {
  const started = Array.from({ length: count }, (_, index) => startReplica(own, `pod-${index}`, clock));
  replicas.push(...started);
  return started;
}

async function allReady(of: readonly Replica[]): Promise<void> {
  await eventually(() => of.every((replica) => replica.ready().ok), { within: 30_000, what: "readiness of all replicas" });
}

async function bundle(): Promise<string> {
  return (await liveConfiguration(plane))?.bundle ?? "";
}

const put = (manifest: unknown): Promise<string> =>
  plane.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], JSON.stringify(manifest));

/** In one write, as somebody's `kubectl create` or `replace` would leave it. */
async function writeSecret(data: Readonly<Record<string, string>>, more: object = {}): Promise<void> {
  const verb = (await liveSecret(plane)) === undefined ? "create" : "replace";
  const metadata = { name: "keyvault-injector-ca", namespace: NAMESPACE };
  await plane.kubectl([verb, "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata, stringData: data, ...more }));
}

const secretWasWritten = (entry: { readonly message: string }): boolean => entry.message === "wrote the CA Secret";

describe("certificates of the webhook, on a real API server", { skip: refusal }, () => {
  before(async () => {
    plane = await startControlPlane({ controllerManager: false });
    await plane.kubectl(["create", "namespace", NAMESPACE]);
    for (const file of ["base/webhook-rbac.yaml", "policies/webhook-configuration.yaml", "policies/webhook-secrets.yaml"]) {
      await plane.kubectl(["apply", "--server-side", "-f", path.join(MANIFESTS, file)]);
    }
    own = await plane.kubeconfigFor({ namespace: NAMESPACE, name: SERVICE });
  });

  after(async () => {
    await plane?.stop();
  });

  beforeEach(async () => {
    clock = new SteppedClock();
    await plane.kubectl(["delete", "secret", "keyvault-injector-ca", "-n", NAMESPACE, "--ignore-not-found"]);
    await plane.kubectl(["delete", "mutatingwebhookconfiguration", "keyvault-injector", "--ignore-not-found"]);
    await plane.kubectl(["apply", "--server-side", "-f", CONFIGURATION]);
  });

  afterEach(async () => {
    await Promise.all(replicas.map((replica) => replica.stop()));
    replicas = [];
  });

  test("eight racers that all saw no Secret agree on one CA: one apply wins, seven conflict", async () => {
    const racers = 8;
    const all = barrier(racers);
    const accesses = Array.from({ length: racers }, () => kubeAccess(own));
    const before = plane.audit().length;

    const kept = await Promise.all(
      accesses.map(({ client }, index) =>
        createAuthorityKeeper({
          client: beforeFirstApply(client, all),
          clock,
          logger: recordingLogger(),
          namespace: NAMESPACE,
          podName: `racer-${index}`,
        }).ensure(undefined, AbortSignal.timeout(60_000)),
      ),
    );
    await Promise.all(accesses.map(({ config }) => config.close()));

    const fingerprints = new Set(kept.map(({ authority }) => authority.certificate.fingerprint));
    const secret = await liveSecret(plane);
    assert.equal(fingerprints.size, 1);
    assert.ok(fingerprints.has(new X509Certificate(secret?.ca ?? "").fingerprint256));
    assert.equal(kept.filter(({ wrote }) => wrote).length, 1);
    assert.equal(secret?.metadata.managedFields.length, 1);
    const codes = await eventually(() => {
      const patches = plane
        .audit()
        .slice(before)
        .filter(({ verb, name }) => verb === "patch" && name === "keyvault-injector-ca");
      return patches.length === racers && patches.map(({ code }) => code).sort((a, b) => a - b);
    });
    assert.deepEqual(codes, [201, ...Array.from({ length: racers - 1 }, () => 409)]);
  });

  test("six replicas started at once become ready on one CA, and a client that trusts the published bundle reaches each", async () => {
    const started = start(6);
    await allReady(started);

    const published = await bundle();
    assert.equal(certificatesIn(published).length, 1);
    assert.equal(certificatesIn(published)[0]?.fingerprint256, new X509Certificate((await liveSecret(plane))?.ca ?? "").fingerprint256);
    for (const replica of started) assert.equal(await callTls(replica, published), "ok");
    const keys = new Set(started.map((replica) => replica.source.current()?.key));
    assert.equal(keys.size, 6);
    const expiry = started[0]?.expiry();
    assert.ok(
      (expiry?.leaf ?? 0) > clock.now() + LEAF_LIFETIME - HOUR && (expiry?.authority ?? 0) > clock.now() + AUTHORITY_LIFETIME - HOUR,
    );
  });

  test("nothing is written while all is well, whatever the number of looks", async () => {
    const started = start(2);
    await allReady(started);
    await eventually(() => started.every((replica) => replica.lastSuccess() !== undefined));
    const secret = (await liveSecret(plane))?.metadata.resourceVersion;
    const configuration = (await liveConfiguration(plane))?.resourceVersion;

    for (let check = 0; check < 5; check += 1) {
      const before = clock.now();
      clock.step(31_000);
      await eventually(() => started.every((replica) => (replica.lastSuccess() ?? 0) > before));
    }

    assert.equal((await liveSecret(plane))?.metadata.resourceVersion, secret);
    assert.equal((await liveConfiguration(plane))?.resourceVersion, configuration);
  });

  test("a bundle that is wiped or overwritten is back within seconds, by replicas that do not fight over it", async () => {
    const started = start(2);
    await allReady(started);
    const wanted = await bundle();
    const wrong = Buffer.from(issueAuthority(await newRsaKey(2048), clock.now()).pem).toString("base64");

    const publications = (): number =>
      started.flatMap(({ entries }) => entries.filter(({ message }) => message === "published the CA bundle")).length;
    const first = publications();

    for (const [index, caBundle] of ["", wrong].entries()) {
      const patch = [{ op: "replace", path: "/webhooks/0/clientConfig/caBundle", value: caBundle }];
      await plane.kubectl(["patch", "mutatingwebhookconfiguration", "keyvault-injector", "--type=json", `-p=${JSON.stringify(patch)}`]);
      await eventually(() => publications() === first + index + 1, { within: 10_000, what: "one write" });
      assert.equal(await bundle(), wanted);
    }
    await plane.kubectl(["apply", "--server-side", "-f", CONFIGURATION]);
    assert.equal(await bundle(), wanted, "the installer applying again leaves the bundle alone");
  });

  test("a CA Secret in whatever state is put in order, said in the log, and the certificates served meanwhile stay trusted", async () => {
    const key = privateKeyPem(await newRsaKey(2048));
    const otherKey = await newRsaKey(2048);
    const other = issueAuthority(otherKey, clock.now()).pem;
    const states: readonly [string, Readonly<Record<string, string>>, string][] = [
      ["only the key", { "ca.key": key }, "CertificateMissing"],
      ["only the certificate", { "ca.crt": other }, "KeyMissing"],
      ["garbage", { "ca.crt": "hello", "ca.key": "world" }, "CertificateUnparsable"],
      ["a key cut in half", { "ca.crt": other, "ca.key": key.slice(0, key.length / 2) }, "KeyUnparsable"],
      ["somebody else's key", { "ca.crt": other, "ca.key": key }, "KeyMismatch"],
      ["nothing", {}, "ContentMissing"],
      ["an expired CA", { "ca.crt": issueAuthority(otherKey, clock.now() - 400 * DAY).pem, "ca.key": privateKeyPem(otherKey) }, "Expired"],
    ];
    for (const [title, data, reason] of states) {
      // A new one each time: what one replica wrote in a row it spaces out, on purpose.
      const [replica] = start(1);
      assert.ok(replica !== undefined);
      await allReady([replica]);
      const served = replica.source.current()?.cert ?? "";
      await writeSecret(data);
      const entry = await eventually(() => replica.entries.find((each) => secretWasWritten(each) && each.fields["reason"] === reason), {
        what: `the repair of a Secret that holds ${title}`,
      });
      assert.equal(entry.level, "warn");
      assert.equal(entry.fields["secret"], "keyvault-injector/keyvault-injector-ca");
      assert.match(String(entry.fields["problem"]), /ca\.(crt|key)/);
      await eventually(async () => certificatesIn(await bundle()).length >= 2, { what: `the bundle after ${title}` });
      assert.equal(await callTls(replica, await bundle()), "ok", title);
      assert.ok(isSignedByOneOf(served, await bundle()), `the certificate served before ${title} stays trusted`);
      await replica.stop();
    }
  });

  test("a CA of the operator's own is taken over, with the one before kept trusted for a while", async () => {
    const [replica] = start(1);
    assert.ok(replica !== undefined);
    await allReady([replica]);
    const served = replica.source.current()?.cert ?? "";
    const key = await newRsaKey(2048);
    const { pem, fingerprint } = issueAuthority(key, clock.now() - 30 * DAY);

    await writeSecret({ "ca.crt": pem, "ca.key": privateKeyPem(key) });
    await eventually(async () => certificatesIn(await bundle())[0]?.fingerprint256 === fingerprint);
    assert.ok(isSignedByOneOf(served, await bundle()));
    assert.equal(replica.source.current()?.cert, served, "no switch before the new CA has settled");
    clock.step(SETTLING + 1_000);
    await eventually(() => isSignedByOneOf(replica.source.current()?.cert ?? "", pem));
    assert.equal(await callTls(replica, await bundle()), "ok");
    assert.ok(((await liveSecret(plane))?.metadata.annotations?.["keyvault-injector.dev/previous-ca-until"] ?? "") > "2026");
  });

  test("a rotation by age: every served certificate is trusted at each moment, and the old CA leaves when its time is over", async () => {
    const key = await newRsaKey(2048);
    const old = issueAuthority(key, clock.now() - (AUTHORITY_LIFETIME * 2) / 3 + 2 * HOUR);
    await put(
      authoritySecretBody({ certificatePem: old.pem, key, previous: { certificates: [], until: undefined } }, { namespace: NAMESPACE }),
    );
    const started = start(2);
    await allReady(started);
    const trustedByLive = async (): Promise<void> => {
      // Leaves first: what was served before the bundle was read must be in it.
      const leaves = started.map((replica) => replica.source.current()?.cert ?? "");
      const live = await bundle();
      assert.ok(leaves.every((leaf) => isSignedByOneOf(leaf, live)));
    };
    const until = (condition: () => Promise<boolean> | boolean): Promise<true> =>
      eventually(async () => {
        await trustedByLive();
        if (await condition()) return true;
        // Time goes on while we wait: a replica that saw the new CA only after a step counts from then.
        clock.step(5_000);
        return false;
      });

    assert.equal(new X509Certificate((await liveSecret(plane))?.ca ?? "").fingerprint256, old.fingerprint);
    clock.step(3 * HOUR);
    await until(async () => certificatesIn(await bundle()).length === 2);
    assert.ok(started.every((replica) => isSignedByOneOf(replica.source.current()?.cert ?? "", old.pem)));
    const renewals = started.flatMap(({ entries }) => entries.filter(secretWasWritten));
    assert.deepEqual(
      renewals.map(({ fields }) => fields["reason"]),
      ["NearExpiry"],
    );

    clock.step(SETTLING + 1_000);
    const current = (await liveSecret(plane))?.ca ?? "";
    await until(() => started.every((replica) => isSignedByOneOf(replica.source.current()?.cert ?? "", current)));

    clock.step(5 * DAY);
    await until(() => started.every((replica) => (replica.expiry().leaf ?? 0) > clock.now() + 6 * DAY));
    assert.equal(certificatesIn(await bundle()).length, 2);
    clock.step(OVERLAP - 5 * DAY);
    await until(async () => certificatesIn(await bundle()).length === 1);
    assert.ok(started.every((replica) => replica.ready().ok));
  });

  test("without the configuration a replica says so, and is ready once it is applied", async () => {
    await plane.kubectl(["delete", "mutatingwebhookconfiguration", "keyvault-injector"]);
    const [replica] = start(1);
    await eventually(() => replica?.ready().message.includes("MutatingWebhookConfiguration keyvault-injector does not exist"));
    assert.equal(replica?.ready().ok, false);

    await plane.kubectl(["apply", "--server-side", "-f", CONFIGURATION]);
    await allReady(replica === undefined ? [] : [replica]);
  });

  test("an entry that is missing in the configuration is reported, and none is made", async () => {
    const text = readFileSync(CONFIGURATION, "utf8").replace("name: pods.keyvault-injector.dev", "name: other.keyvault-injector.dev");
    await plane.kubectl(["delete", "mutatingwebhookconfiguration", "keyvault-injector"]);
    await plane.kubectl(["apply", "--server-side", "-f", "-"], text);
    const [replica] = start(1);

    await eventually(() => replica?.ready().message.includes("has no webhook named pods.keyvault-injector.dev"));
    assert.deepEqual((await liveConfiguration(plane))?.entries, ["other.keyvault-injector.dev"]);
  });

  test("what is deleted between the look and the write is not half-created by the write", async () => {
    const signal = AbortSignal.timeout(60_000);
    const access = kubeAccess(own);
    const admin = kubeAccess(plane.kubeconfigPath);
    await writeSecret({ "ca.crt": "half" });
    const keeper = createAuthorityKeeper({
      client: beforeFirstApply(access.client, () => plane.kubectl(["delete", "secret", "keyvault-injector-ca", "-n", NAMESPACE])),
      clock,
      logger: recordingLogger(),
      namespace: NAMESPACE,
      podName: "pod",
    });
    const { authority } = await keeper.ensure(undefined, signal);
    assert.equal(new X509Certificate((await liveSecret(plane))?.ca ?? "").fingerprint256, authority.certificate.fingerprint);

    // As the administrator, whom neither RBAC nor policy stops: the precondition alone has to.
    const client = beforeFirstApply(admin.client, () => plane.kubectl(["delete", "mutatingwebhookconfiguration", "keyvault-injector"]));
    const publication = await publishBundle({ client, logger: recordingLogger() }, authority.trusted, signal);
    assert.match(publication.blocked ?? "", /does not exist/);
    assert.equal(await liveConfiguration(plane), undefined);
    await Promise.all([access.config.close(), admin.config.close()]);
  });

  test("four replicas that repair one damaged Secret at once agree, and none overwrites another's repair", async () => {
    await writeSecret({ "ca.crt": "half" });
    const all = barrier(4);
    const accesses = Array.from({ length: 4 }, () => kubeAccess(own));
    const kept = await Promise.all(
      accesses.map(({ client }, index) =>
        createAuthorityKeeper({
          client: beforeFirstApply(client, all),
          clock,
          logger: recordingLogger(),
          namespace: NAMESPACE,
          podName: `repairer-${index}`,
        }).ensure(undefined, AbortSignal.timeout(60_000)),
      ),
    );
    await Promise.all(accesses.map(({ config }) => config.close()));

    assert.equal(kept.filter(({ wrote }) => wrote).length, 1);
    assert.equal(new Set(kept.map(({ authority }) => authority.certificate.fingerprint)).size, 1);
  });

  test("a damaged Secret that is immutable is reported with the remedy", async () => {
    await writeSecret({ "ca.crt": "half" }, { immutable: true });
    const [replica] = start(1);

    const message = await eventually(() => {
      const { message } = replica?.ready() ?? { message: "" };
      return message.includes("is immutable") && message;
    });
    assert.match(
      message,
      /keyvault-injector\/keyvault-injector-ca is immutable but must change, because it has ca\.crt but no ca\.key: delete it/,
    );
    await plane.kubectl(["delete", "secret", "keyvault-injector-ca", "-n", NAMESPACE]);
    await allReady(replica === undefined ? [] : [replica]);
  });

  test("no log line holds a private key, in PEM or in its base64; one planted is found", async () => {
    const [replica] = start(1);
    assert.ok(replica !== undefined);
    await allReady([replica]);
    await writeSecret({ "ca.key": "half" });
    await eventually(() => replica.entries.some((entry) => secretWasWritten(entry) && entry.fields["reason"] === "CertificateMissing"));
    const caKey = await plane.kubectl(["get", "secret", "keyvault-injector-ca", "-n", NAMESPACE, "-o", "jsonpath={.data.ca\\.key}"]);
    const leafKey = replica.source.current()?.key ?? "";
    const body = (pem: string): string => pem.split("\n")[5] ?? "?";
    const needles = ["PRIVATE KEY", body(leafKey), body(Buffer.from(caKey, "base64").toString()), caKey.slice(200, 260)];
    const finds = (text: string): readonly string[] => needles.filter((needle) => text.includes(needle));
    const log = JSON.stringify([replica.entries, replica.ready(), replica.expiry()]);

    assert.ok(log.length > 500);
    assert.deepEqual(finds(log), []);
    assert.deepEqual(finds(`${log}${leafKey}${body(Buffer.from(caKey, "base64").toString())}${caKey}`), needles);
  });

  test("no request of these replicas was refused for want of rights; one made on purpose is counted", async () => {
    assert.deepEqual(forbidden(plane.audit()), []);
    const { client, config } = kubeAccess(own);
    const secrets = { group: "", version: "v1", plural: "secrets", kind: "Secret", namespaced: true };
    await assert.rejects(client.read(secrets, { namespace: NAMESPACE, name: "another" }, AbortSignal.timeout(10_000)), {
      code: "Forbidden",
    });
    const post = { apiVersion: "v1", kind: "Secret", metadata: { namespace: NAMESPACE, name: "keyvault-injector-ca" } };
    await assert.rejects(client.create(secrets, post, { fieldManager: "test" }, AbortSignal.timeout(10_000)), { code: "Forbidden" });
    await config.close();
    await eventually(() => forbidden(plane.audit()).length === 2);
  });
});
